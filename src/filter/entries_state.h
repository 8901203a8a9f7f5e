// The compiled entries of one tenant; for entries.cpp and blocks_and_passes.cpp alone.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "filter/entries.h"

namespace doorward::filter {

struct Entries::State {
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Index = std::unordered_multimap<std::string, uint32_t, Hash, std::equal_to<>>;

  uint64_t owner = 0;
  std::vector<Entry> entries;
  // Entries without wildcards are looked up, the others gone through.
  Index senders, domains, file_names;  // keys in lower case
  std::vector<uint32_t> sender_patterns, domain_patterns, file_patterns;
  std::map<unsigned, std::multimap<mail::IpAddress, uint32_t>> networks;  // by prefix length, longest last
  std::vector<uint32_t> subject_parts, body_parts;                        // their patterns have a * at both ends
  std::vector<std::string> folded;                                        // by entry: the pattern as it is compared
};

// Case-folded, with runs of white space as one space: the form in which parts of subject and body are compared.
std::string folded_part(std::string_view utf8);

}  // namespace doorward::filter
