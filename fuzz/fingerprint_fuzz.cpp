// Fingerprints of any mail, and of any text and HTML by themselves; counted and looked up in a table of one bucket.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "trust/fingerprint.h"
#include "trust/fingerprint_shingles.h"
#include "trust/sightings.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace doorward::trust;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  TextSketch text;
  add_shingles(input, Quotes::skipped, text);
  add_shingles(input, Quotes::read, text);
  StructureSketch structure;
  add_structure(input, structure);
  for (size_t band = 0; band < kTextBands; ++band) text.band(0, band, kTextRows);
  if (text.added() > 2 * size || structure.added() > size) abort();

  const Fingerprint print = fingerprint_of(doorward::mime::Message::parse(input));
  if (print.attachments > kMostFiles || print.images > kMostFiles) abort();
  static const auto sightings = std::move(*Sightings::open({.entries = 8}));
  const doorward::SystemTime now{std::chrono::hours(24 * 20000 + size)};
  sightings->count(print, Sender::of_domain(input.substr(0, 20)), now);
  if (size % 3 == 0) sightings->count_own(print, now);
  for (const Sighting& seen : sightings->look_up(print, Sender{}, now)) {
    if (seen.others < 0 || seen.others > 267) abort();
  }
  return 0;
}
