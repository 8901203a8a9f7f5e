#include "http/response_reader.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <utility>

#include "http/chunked.h"

namespace doorward::http {
namespace {

namespace beast = boost::beast::http;
constexpr size_t kMaxHeaders = 100, kMaxInterim = 5;

}  // namespace

struct ResponseReader::State {
  State(size_t header, uint64_t body) : header_limit(header), body_limit(body) { next(); }

  size_t header_limit;
  uint64_t body_limit;
  std::optional<beast::response_parser<beast::string_body>> parser{};
  size_t interim = 0;    // responses so far
  std::string buffer{};  // what the parser has not taken yet
  Response response{};
  bool any = false, keep_alive = false;

  void next() {
    parser.emplace();
    parser->eager(true);
    parser->header_limit(static_cast<std::uint32_t>(header_limit));
    parser->body_limit(body_limit);
  }

  Status complete() {
    auto message = parser->release();
    // Interim responses are not asked for, and to be passed over (RFC 9110 §15.2); nobody asked to switch protocols.
    if (message.result_int() < 200) {
      if (message.result_int() == 101 || ++interim > kMaxInterim) return Status::failed;
      next();
      return Status::need_more;
    }
    if (!buffer.empty()) return Status::failed;
    keep_alive = message.keep_alive() && message.has_content_length();
    response = Response(static_cast<int>(message.result_int()), std::move(message.body()));
    response.content_type = std::string(message[beast::field::content_type]);
    for (const auto& field : message) {
      if (response.headers.size() == kMaxHeaders) return Status::failed;
      response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    return Status::done;
  }
};

ResponseReader::ResponseReader(size_t header_limit, uint64_t body_limit)
    : state_(std::make_unique<State>(header_limit, body_limit)) {}

ResponseReader::~ResponseReader() = default;

ResponseReader::Status ResponseReader::feed(std::string_view bytes) {
  State& s = *state_;
  s.any = s.any || !bytes.empty();
  s.buffer.append(bytes);
  while (!s.buffer.empty() && !is_too_little(*s.parser, s.buffer.size())) {
    boost::system::error_code error;
    const size_t taken = put(*s.parser, s.buffer, s.header_limit, error);
    if (error == beast::error::need_more) return Status::need_more;
    if (error) return Status::failed;
    if (s.parser->is_done()) {
      if (const auto status = s.complete(); status != Status::need_more) return status;
      continue;
    }
    if (taken == 0) break;
  }
  return Status::need_more;
}

ResponseReader::Status ResponseReader::end() {
  State& s = *state_;
  if (!s.any) return Status::failed;
  boost::system::error_code error;
  s.parser->put_eof(error);
  if (error || !s.parser->is_done()) return Status::failed;
  return s.complete() == Status::done ? Status::done : Status::failed;
}

bool ResponseReader::any() const { return state_->any; }

Response ResponseReader::take() { return std::exchange(state_->response, Response()); }

bool ResponseReader::keep_alive() const { return state_->keep_alive; }

}  // namespace doorward::http
