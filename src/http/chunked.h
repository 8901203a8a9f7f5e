// What both readers keep from Beast's parser.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace doorward::http {

// Whether that is too little of a chunked body to give to `parser`: the shortest end of one is "0 CRLF CRLF", and
// Beast takes for granted (an assertion, up to Boost 1.81 at least) that who has seen "0 CRLF" comes back with all of
// it.
template <class Parser>
bool is_too_little(const Parser& parser, std::size_t octets) {
  constexpr std::size_t kShortestEnd = 5;
  return octets < kShortestEnd && parser.is_header_done() && parser.chunked();
}

// Gives the parser what it takes of `buffer`; how much that was. What it leaves between and behind the chunks of a body
// (extensions and trailer fields, RFC 9112 §7.1) it neither bounds nor, where a field is too long, takes without
// throwing: both are header_limit here.
template <class Parser>
std::size_t put(Parser& parser, std::string& buffer, std::size_t header_limit, boost::system::error_code& error) {
  namespace beast = boost::beast::http;
  std::size_t taken = 0;
  try {
    taken = parser.put(boost::asio::buffer(buffer), error);
  } catch (const std::length_error&) {
    error = beast::error::header_limit;
  }
  buffer.erase(0, taken);
  const bool unfinished = !error || error == beast::error::need_more;
  if (unfinished && parser.is_header_done() && !parser.is_done() && buffer.size() > header_limit) {
    error = beast::error::header_limit;
  }
  return taken;
}

}  // namespace doorward::http
