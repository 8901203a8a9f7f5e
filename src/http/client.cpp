#include "http/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "http/response_reader.h"

namespace doorward::http {
namespace {

using std::chrono::milliseconds;

constexpr size_t kReadSize = 8 << 10;

milliseconds until(SteadyTime deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max(left, milliseconds(1));
}

std::string head_of(const Request& request, const Origin& origin) {
  std::string head =
      fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\n", request.method, origin.path, request.path, origin.host_header());
  for (const Header& header : request.headers) head += fmt::format("{}: {}\r\n", header.name, header.value);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    head += fmt::format("Content-Length: {}\r\n", request.body.size());
  }
  return head += "\r\n";
}

}  // namespace

// What came of one request over one connection.
struct Client::Attempt {
  std::optional<Response> response{};
  bool silent = false;  // the connection was closed before anything came
  std::string trouble{};
};

Client::Client(net::Core& core, ClientOptions options) : core_(core), options_(std::move(options)) {}

Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

void Client::close() { connection_.reset(); }

Task<Result<std::vector<mail::IpAddress>>> Client::addresses(SteadyTime deadline) {
  const std::string host = options_.origin.host;
  if (const auto ip = mail::IpAddress::parse(host)) co_return std::vector{*ip};
  if (options_.resolver == nullptr) co_return fail("nobody is there to look the name up", host);
  std::vector<Task<net::DnsAnswer>> asked;
  asked.push_back(options_.resolver->lookup(core_, host, net::DnsType::aaaa, deadline));
  asked.push_back(options_.resolver->lookup(core_, host, net::DnsType::a, deadline));
  const auto told = co_await when_all(std::move(asked));
  std::vector<mail::IpAddress> found;
  for (const auto& answer : told) {
    for (const auto& ip : answer.addresses()) found.push_back(ip);
  }
  if (found.empty()) {
    co_return fail(fmt::format("the name has no address: {}", net::text(told[1].status)), host, Blame::environment);
  }
  co_return found;
}

Task<Result<void>> Client::connect(SteadyTime deadline) {
  const Origin& origin = options_.origin;
  if (origin.tls && options_.tls == nullptr) co_return fail("https without TLS being set up", origin.host);
  const auto found = co_await addresses(deadline);
  if (!found) co_return std::unexpected(found.error());
  std::string trouble;
  for (size_t at = 0; at < found->size(); ++at) {
    // Each address has its share of what is left, so that a dead one does not use up the others' time.
    const auto share = until(deadline) / static_cast<int64_t>(found->size() - at);
    auto made =
        co_await net::Connection::connect(core_, {(*found)[at], origin.port, {}}, std::max(share, milliseconds(1)));
    if (!made) {
      trouble = made.error().detail;
      continue;
    }
    connection_ = std::make_unique<net::Connection>(std::move(*made));
    if (!origin.tls) co_return Result<void>();
    connection_->set_timeout(until(deadline));
    const auto secured = co_await connection_->start_tls(*options_.tls, origin.host);
    if (secured && secured->verified) co_return Result<void>();
    trouble = secured ? "its certificate is not valid for the name" : secured.error().detail;
    connection_.reset();
  }
  co_return fail("cannot connect: " + trouble, origin.host_header(), Blame::environment);
}

Task<Client::Attempt> Client::attempt(std::string head, std::string_view body, SteadyTime deadline) {
  Attempt result;
  connection_->set_timeout(until(deadline));
  const auto written = co_await connection_->write(std::vector<std::string_view>{head, body});
  ResponseReader reader(options_.header_limit, options_.body_limit);
  auto status = ResponseReader::Status::need_more;
  std::array<char, kReadSize> buffer;
  // A server that refuses a request may answer before it has read all of it: even then its answer is looked for.
  while (status == ResponseReader::Status::need_more) {
    const auto size = co_await connection_->read_some(buffer);
    if (size) {
      status = reader.feed({buffer.data(), *size});
      continue;
    }
    if (size.error().kind == net::IoError::closed && reader.any()) {
      status = reader.end();
      break;
    }
    result.silent = !reader.any() && size.error().kind != net::IoError::timed_out;
    result.trouble = written ? size.error().detail : written.error().detail;
    connection_.reset();
    co_return result;
  }
  if (status != ResponseReader::Status::done) {
    result.trouble = "its response is malformed or too long";
    connection_.reset();
    co_return result;
  }
  if (!reader.keep_alive()) connection_.reset();
  result.response = reader.take();
  co_return result;
}

Task<Result<Response>> Client::send(Request request, SteadyTime deadline) {
  const std::string head = head_of(request, options_.origin);
  bool kept = connection_ != nullptr && connection_->is_open() && !connection_->input_pending();
  if (!kept) connection_.reset();
  for (;;) {
    if (connection_ == nullptr) {
      if (const auto done = co_await connect(deadline); !done) co_return std::unexpected(done.error());
    }
    Attempt tried = co_await attempt(head, request.body, deadline);
    if (tried.response) co_return std::move(*tried.response);
    if (!std::exchange(kept, false) || !tried.silent) {
      co_return fail(std::move(tried.trouble), options_.origin.host_header(), Blame::environment);
    }
  }
}

}  // namespace doorward::http
