// Wildcards: `*` stands for any octets, `?` for one character. No regular expressions; linear for each `*`, so at most
// pattern × text steps.
#pragma once

#include <string_view>

namespace doorward::mail {

bool wildcard_match(std::string_view pattern, std::string_view text);
// ASCII letters in any case.
bool wildcard_match_ignoring_case(std::string_view pattern, std::string_view text);
bool has_wildcard(std::string_view pattern);

}  // namespace doorward::mail
