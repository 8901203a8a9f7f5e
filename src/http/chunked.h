// What both readers keep from Beast's parser.
#pragma once

#include <cstddef>

namespace doorward::http {

// Whether that is too little of a chunked body to give to `parser`: the shortest end of one is "0 CRLF CRLF", and
// Beast takes for granted (an assertion, up to Boost 1.81 at least) that who has seen "0 CRLF" comes back with all of
// it.
template <class Parser>
bool is_too_little(const Parser& parser, std::size_t octets) {
  constexpr std::size_t kShortestEnd = 5;
  return octets < kShortestEnd && parser.is_header_done() && parser.chunked();
}

}  // namespace doorward::http
