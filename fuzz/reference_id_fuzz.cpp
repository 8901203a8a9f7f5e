// Reference ids as a centre gets them from anybody: what is taken is bounded, has no part twice, and can be counted.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

#include "trust/reference_id.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace doorward::trust;
  const auto parsed = parse_reference({reinterpret_cast<const char*>(data), size});
  if (!parsed) {
    if (parsed.error().blame != doorward::Blame::peer) abort();
    return 0;
  }
  if (size > kLongestReference || parsed->print.empty()) abort();
  if (parsed->print.attachments + parsed->print.images > kMostFiles) abort();
  for (const Likeness kind : {Likeness::text, Likeness::structure, Likeness::attachment, Likeness::image}) {
    const auto hashes = parsed->print.of(kind);
    if (std::set<uint64_t>(hashes.begin(), hashes.end()).size() != hashes.size()) abort();
  }
  static const auto sightings = std::move(*Sightings::open({.entries = 64}));
  const doorward::SystemTime now{std::chrono::hours(24 * 20000 + size)};
  sightings->count(parsed->print, parsed->origin.sender, now);
  for (const Sighting& seen : sightings->look_up(parsed->print, Sender{}, now)) {
    if (seen.others < 0 || seen.others > 267) abort();
  }
  return 0;
}
