#include "http/response_reader.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

#include "http/chunked.h"

namespace doorward::http {
namespace {

namespace beast = boost::beast::http;
constexpr size_t kMaxHeaders = 100;

}  // namespace

struct ResponseReader::State {
  beast::response_parser<beast::string_body> parser{};
  std::string buffer{};  // what the parser has not taken yet
  Response response{};
  bool any = false, keep_alive = false;

  // Interim responses (RFC 9110 §15.2) are not asked for, and so not taken.
  Status complete() {
    auto message = parser.release();
    if (!buffer.empty() || message.result_int() < 200) return Status::failed;
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

ResponseReader::ResponseReader(size_t header_limit, uint64_t body_limit) : state_(std::make_unique<State>()) {
  state_->parser.eager(true);
  state_->parser.header_limit(static_cast<std::uint32_t>(header_limit));
  state_->parser.body_limit(body_limit);
}

ResponseReader::~ResponseReader() = default;

ResponseReader::Status ResponseReader::feed(std::string_view bytes) {
  State& s = *state_;
  s.any = s.any || !bytes.empty();
  s.buffer.append(bytes);
  while (!s.buffer.empty() && !is_too_little(s.parser, s.buffer.size())) {
    boost::system::error_code error;
    const size_t taken = s.parser.put(boost::asio::buffer(s.buffer), error);
    s.buffer.erase(0, taken);
    if (error == beast::error::need_more) return Status::need_more;
    if (error) return Status::failed;
    if (s.parser.is_done()) return s.complete();
    if (taken == 0) break;
  }
  return Status::need_more;
}

ResponseReader::Status ResponseReader::end() {
  State& s = *state_;
  if (!s.any) return Status::failed;
  boost::system::error_code error;
  s.parser.put_eof(error);
  return error || !s.parser.is_done() ? Status::failed : s.complete();
}

bool ResponseReader::any() const { return state_->any; }

Response ResponseReader::take() { return std::exchange(state_->response, Response()); }

bool ResponseReader::keep_alive() const { return state_->keep_alive; }

}  // namespace doorward::http
