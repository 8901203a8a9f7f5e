// Reads HTTP/1.x requests (RFC 9112) from their bytes, within bounds. It knows no sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "http/message.h"

namespace doorward::http {

class RequestReader {
 public:
  enum class Status : uint8_t { need_more, done, failed };

  RequestReader(size_t header_limit, uint64_t body_limit);  // octets
  ~RequestReader();

  // Takes all bytes. After done: take(), then feed({}) for what the client sent ahead.
  Status feed(std::string_view bytes);
  Request take();
  bool keep_alive() const;  // of the request that was done last
  // The client waits for "100 Continue" before it sends the body (RFC 9110 §10.1.1); true once a request.
  bool wants_continue();
  int failure() const;  // the status to answer with: 400, 413, 431, 501 or 505
  bool idle() const;    // nothing of a next request is there

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// %XX decoded; false where an escape is malformed or a control character stands behind it.
bool percent_decode(std::string_view text, std::string& to);

}  // namespace doorward::http
