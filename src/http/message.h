// What an HTTP request says and what answers it (RFC 9110).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/connection.h"

namespace doorward::http {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method;  // "GET"
  std::string path;    // with %XX decoded; begins with "/"
  std::string query;   // what stood behind "?", as it came
  std::vector<Header> headers;
  std::string body;
  net::Endpoint peer{};

  // The first header of that name in any case; empty if there is none.
  std::string_view header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::vector<Header> headers;
  std::string body;

  Response() = default;
  Response(int code, std::string text) : status(code), body(std::move(text)) {}

  std::string_view header(std::string_view name) const;  // as a request's
  // Status line and headers, with the empty line. `now`: seconds since 1970 for Date (RFC 9110 §6.6.1). Characters that
  // would end a header's line become spaces.
  std::string head(bool keep_alive, int64_t now) const;
};

std::string_view reason(int status);

}  // namespace doorward::http
