// What of a mail can be known again in another mail (D5): min-hashes of its visible text and of its HTML's structure,
// in bands, so that near duplicates share bands and are found by exact lookups; digests of its attachments and images.
// Why these: docs/decisions/0041.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "mime/message.h"

namespace doorward::trust {

enum class Likeness : uint8_t { text, structure, attachment, image };
inline constexpr size_t kLikenesses = 4;

inline constexpr size_t kTextBands = 10, kTextRows = 3;
inline constexpr size_t kStructureBands = 4, kStructureRows = 4;
inline constexpr size_t kMostFiles = 8;  // attachments, and as many images

// Changes whenever the fingerprint of the same mail changes; what was seen before is of no use then.
inline constexpr uint32_t kFingerprintVersion = 1;

struct Fingerprint {
  std::array<uint64_t, kTextBands> text_bands;
  std::array<uint64_t, kStructureBands> structure_bands;
  std::array<uint64_t, kMostFiles> attachment_digests, image_digests;
  bool has_text = false;       // false where there is too little text to tell it from others'
  bool has_structure = false;  // false where the HTML is too plain for that
  size_t attachments = 0, images = 0;

  // Empty where the mail has none of the kind.
  std::span<const uint64_t> of(Likeness kind) const;
  bool empty() const { return !has_text && !has_structure && attachments == 0 && images == 0; }
};

// Bounded work: 64 KiB of text, 64 KiB of HTML and 1 MiB of files are looked at.
Fingerprint fingerprint_of(const mime::Message& message);

}  // namespace doorward::trust
