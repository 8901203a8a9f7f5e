// What of a mail leaves the gateway for the fingerprint service (D6): at most 155 octets, of which nobody without the
// gateways' common key can tell whether they stand for a text that he guesses; the centre has no need of that key. What
// they give away all the same: docs/decisions/0042.
//
//   octets   field
//   1        format of the id
//   1        version of the fingerprint
//   1        number of the key
//   1        which bands follow: 1 text, 2 structure; 4: a file of the mail is a program
//   1        files that follow: attachments in the upper four bits, images in the lower
//   2        sender; 0: unknown
//   10 × 6   text bands
//   4 × 6    structure bands
//   n × 8    attachments, then images; eight files in all
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "trust/fingerprint.h"
#include "trust/sightings.h"

namespace doorward::trust {

inline constexpr size_t kReferenceHead = 7;
inline constexpr size_t kLongestReference = kReferenceHead + (kTextBands + kStructureBands) * 6 + kMostFiles * 8;
static_assert(kLongestReference <= 200);

// What an id stands for, besides the fingerprint.
struct Origin {
  Sender sender;  // 16 bits of its hash are told: enough to count domains, and the same for thousands of them
  bool has_program = false;  // a file that runs at a double click
};

// Makes ids for one centre. All its gateways have the same key, so that equal mails have equal ids.
class ReferenceKey {
 public:
  // `secret`: 32 octets. `number`: so that a key can be replaced while both are in use.
  static Result<ReferenceKey> of(std::string_view secret, uint8_t number);
  static Result<ReferenceKey> from_text(std::string_view base64url, uint8_t number);  // RFC 4648 §5, without padding

  // Empty where the mail has nothing to be known by. Of more than eight files those that are left out are images first.
  std::string id_of(const Fingerprint& print, Origin origin) const;

 private:
  using Key = std::array<unsigned char, 16>;  // of SipHash-2-4
  ReferenceKey(const Key& content, const Key& sender, uint8_t number)
      : content_(content), sender_(sender), number_(number) {}

  Key content_, sender_;
  uint8_t number_;
};

// An id as the centre takes it apart. Its hashes are those of the id, spread over 64 bits for a table of sightings.
struct Reference {
  uint8_t key = 0;  // its number
  Fingerprint print;
  Origin origin{};
};

// Takes whole and canonical ids only: nothing behind them, no part twice, none without parts. Fails with Blame::peer.
Result<Reference> parse_reference(std::string_view id);

}  // namespace doorward::trust
