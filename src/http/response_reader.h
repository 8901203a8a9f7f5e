// Reads one HTTP/1.x response (RFC 9112) from its bytes, within bounds. It knows no sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "http/message.h"

namespace doorward::http {

class ResponseReader {
 public:
  enum class Status : uint8_t { need_more, done, failed };

  ResponseReader(size_t header_limit, uint64_t body_limit);  // octets
  ~ResponseReader();

  // What comes behind the response fails: nobody asked for more.
  Status feed(std::string_view bytes);
  // The server closed: the end of a response that does not say its length.
  Status end();
  bool any() const;  // whether something of it came
  Response take();
  bool keep_alive() const;  // the server lets the connection serve again

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace doorward::http
