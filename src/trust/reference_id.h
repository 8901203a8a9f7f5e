// What of a mail's fingerprint leaves the gateway for the fingerprint service (D6): at most 160 octets, of which nobody
// without the centre's key can tell whether they stand for a text that he guesses. What they give away all the same:
// docs/decisions/0042.
//
//   octets   field
//   1        format of the id
//   1        version of the fingerprint
//   1        number of the centre's key
//   1        which bands follow: 1 text, 2 structure
//   1        files that follow: attachments in the upper four bits, images in the lower
//   6        sender; 0: unknown
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

inline constexpr size_t kReferenceHead = 11;
inline constexpr size_t kLongestReference = kReferenceHead + (kTextBands + kStructureBands) * 6 + kMostFiles * 8;
static_assert(kLongestReference <= 200);

// Makes ids for one centre. What the mail says is hashed with the centre's key, that all its gateways have; who sent it
// with the gateway's own, so that the centre can tell senders apart and never say who they are.
class ReferenceKey {
 public:
  // `secrets`: 32 octets each. `number`: of the centre's key, so that it can be replaced while both are in use.
  static Result<ReferenceKey> of(std::string_view centre_secret, uint8_t number, std::string_view own_secret);

  // Empty where the mail has nothing to be known by. Of more than eight files those that are left out are images first.
  std::string id_of(const Fingerprint& print, Sender sender) const;

 private:
  using Key = std::array<unsigned char, 16>;  // of SipHash-2-4
  ReferenceKey(const Key& centre, const Key& own, uint8_t number) : centre_(centre), own_(own), number_(number) {}

  Key centre_, own_;
  uint8_t number_;
};

// An id as the centre takes it apart. Its hashes are those of the id, spread over 64 bits for a table of sightings.
struct Reference {
  uint8_t key = 0;  // number of the centre's key
  Fingerprint print;
  Sender sender;
};

// Takes whole and canonical ids only: nothing behind them, no part twice, none without parts. Fails with Blame::peer.
Result<Reference> parse_reference(std::string_view id);

}  // namespace doorward::trust
