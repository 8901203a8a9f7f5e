#include "http/request_reader.h"

#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <utility>

#include "http/chunked.h"
#include "mail/ascii.h"

namespace doorward::http {
namespace {

namespace beast = boost::beast::http;
using Parser = beast::request_parser<beast::string_body>;

constexpr size_t kMaxHeaders = 100;

int status_of(const boost::system::error_code& error) {
  if (error == beast::error::header_limit || error == beast::error::buffer_overflow) return 431;
  if (error == beast::error::body_limit) return 413;
  if (error == beast::error::bad_version) return 505;
  if (error == beast::error::bad_transfer_encoding) return 501;
  return 400;
}

int hex_value(char c) {
  if (mail::is_digit(c)) return c - '0';
  const char lower = mail::to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// origin-form or absolute-form (RFC 9112 §3.2); false where it is neither.
bool split_target(std::string_view target, Request& request) {
  if (mail::starts_ignoring_case(target, "http://") || mail::starts_ignoring_case(target, "https://")) {
    const size_t authority = target.find("//") + 2;
    const size_t path = target.find('/', authority);
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  if (!target.starts_with('/')) return false;
  const size_t question = target.find('?');
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  return percent_decode(target.substr(0, question), request.path);
}

}  // namespace

bool percent_decode(std::string_view text, std::string& to) {
  to.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
    to += c;
  }
  return true;
}

struct RequestReader::State {
  State(size_t header, uint64_t body) : header_limit(header), body_limit(body) { next(); }

  size_t header_limit;
  uint64_t body_limit;
  std::optional<Parser> parser{};
  std::string buffer{};  // what the parser has not taken yet
  Request request{};
  bool keep_alive = false;
  bool continue_answered = false;
  int failure = 0;

  void next() {
    parser.emplace();
    parser->eager(true);
    parser->header_limit(static_cast<std::uint32_t>(header_limit));
    parser->body_limit(body_limit);
    continue_answered = false;
  }

  Status fail(int status) {
    failure = status;
    return Status::failed;
  }

  Status complete() {
    auto message = parser->release();
    keep_alive = message.keep_alive();
    request = Request();
    request.method = message.method_string();
    const auto hosts = message.count(beast::field::host);
    if (hosts > 1 || (hosts == 0 && message.version() == 11)) return fail(400);  // RFC 9112 §3.2
    if (message.version() != 10 && message.version() != 11) return fail(505);
    // RFC 9112 §6.1: whoever does not know a coding cannot know where the body ends; and no such field in HTTP/1.0.
    const auto codings = message.count(beast::field::transfer_encoding);
    const auto coding = message[beast::field::transfer_encoding];
    if (codings > 1 || (codings == 1 && message.version() == 10)) return fail(400);
    if (codings == 1 && !mail::equal_ignoring_case({coding.data(), coding.size()}, "chunked")) return fail(501);
    for (const auto& field : message) {
      if (request.headers.size() == kMaxHeaders) return fail(431);
      request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    }
    const auto target = message.target();
    if (!split_target({target.data(), target.size()}, request)) return fail(400);
    request.body = std::move(message.body());
    next();
    return Status::done;
  }
};

RequestReader::RequestReader(size_t header_limit, uint64_t body_limit)
    : state_(std::make_unique<State>(header_limit, body_limit)) {}

RequestReader::~RequestReader() = default;

RequestReader::Status RequestReader::feed(std::string_view bytes) {
  State& s = *state_;
  if (s.failure != 0) return Status::failed;
  s.buffer.append(bytes);
  while (!s.buffer.empty() && !is_too_little(*s.parser, s.buffer.size())) {
    boost::system::error_code error;
    const size_t taken = put(*s.parser, s.buffer, s.header_limit, error);
    if (error == beast::error::need_more) return Status::need_more;
    if (error) return s.fail(status_of(error));
    if (s.parser->is_done()) return s.complete();
    if (taken == 0) break;
  }
  return Status::need_more;
}

Request RequestReader::take() { return std::exchange(state_->request, Request()); }

bool RequestReader::keep_alive() const { return state_->keep_alive; }

bool RequestReader::wants_continue() {
  State& s = *state_;
  if (s.continue_answered || !s.parser->is_header_done() || s.parser->is_done()) return false;
  const auto expect = s.parser->get()[beast::field::expect];
  if (!mail::equal_ignoring_case({expect.data(), expect.size()}, "100-continue")) return false;
  s.continue_answered = true;
  return true;
}

int RequestReader::failure() const { return state_->failure; }

bool RequestReader::idle() const { return state_->buffer.empty() && !state_->parser->got_some(); }

}  // namespace doorward::http
