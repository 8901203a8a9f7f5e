// TLS on a connection's own socket: OpenSSL reads and writes the descriptor itself, so that nothing is copied twice.
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <climits>

#include "net/detail/connection_state.h"
#include "net/detail/socket_address.h"
#include "net/tls.h"

namespace doorward::net {

using detail::io_failure;
using State = Connection::State;

namespace {

constexpr size_t kRecord = 16 * 1024;  // the most that one TLS record carries

std::string openssl_error() {
  const unsigned long code = ERR_get_error();
  std::array<char, 256> text{};
  if (code == 0) return "unknown failure";
  if (const char* reason = ERR_reason_error_string(code)) return reason;
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

int clamped(size_t size) { return static_cast<int>(std::min<size_t>(size, INT_MAX)); }

// What became of an OpenSSL call that did not succeed: 0 and a direction to wait for, or the failure.
struct Outcome {
  std::optional<State::Wait> wait{};
  IoFailure failure{IoError::tls, {}};
};

Outcome outcome(State& state, int result, std::string_view doing) {
  const int saved = errno;
  switch (SSL_get_error(state.tls.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {State::Wait::read};
    case SSL_ERROR_WANT_WRITE:
      return {State::Wait::write};
    case SSL_ERROR_ZERO_RETURN:
      return {{}, {IoError::closed, "the peer closed the connection"}};
    case SSL_ERROR_SYSCALL:
      state.tls_broken = true;
      if (saved == 0) return {{}, {IoError::closed, "the peer closed the connection"}};
      return {{}, io_failure(saved, doing).error()};
    default:
      state.tls_broken = true;
      return {{}, {IoError::tls, std::string(doing) + ": " + openssl_error()}};
  }
}

// Repeats an OpenSSL call until it succeeds or the connection fails.
template <class Call>
Task<Io<size_t>> complete(std::shared_ptr<State> state, Call call, std::string_view doing) {
  for (;;) {
    if (!state->socket) co_return state->failure(ECANCELED, doing);
    ERR_clear_error();
    errno = 0;
    const int result = call(state->tls.get());
    if (result > 0) co_return static_cast<size_t>(result);
    Outcome next = outcome(*state, result, doing);
    if (!next.wait) co_return std::unexpected(std::move(next.failure));
    if (const int error = co_await state->wait(*next.wait); error != 0) co_return state->failure(error, doing);
  }
}

struct Handshake {
  int operator()(SSL* tls) const { return SSL_do_handshake(tls); }
};
struct Read {
  char* into;
  int size;
  int operator()(SSL* tls) const { return SSL_read(tls, into, size); }
};
struct Write {
  const char* from;
  int size;
  int operator()(SSL* tls) const { return SSL_write(tls, from, size); }
};

Task<Io<void>> write_all(std::shared_ptr<State> state, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = co_await complete(state, Write{bytes.data(), clamped(bytes.size())}, "write");
    if (!written) co_return std::unexpected(written.error());
    bytes.remove_prefix(*written);
  }
  co_return Io<void>();
}

TlsInfo describe(SSL* tls) {
  TlsInfo info;
  info.version = SSL_get_version(tls);
  info.cipher = SSL_get_cipher_name(tls);
  if (const char* name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name)) info.server_name = name;
  if (X509* peer = SSL_get0_peer_certificate(tls)) {
    std::array<char, 256> subject{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, subject.data(),
                              static_cast<int>(subject.size()));
    info.peer_name = subject.data();
    info.verified = SSL_get_verify_result(tls) == X509_V_OK;
  }
  return info;
}

Task<Io<TlsInfo>> handshake(std::shared_ptr<State> state, SSL_CTX* context, bool server, std::string host) {
  if (!state->socket) co_return state->failure(ECANCELED, "TLS handshake");
  state->tls.reset(SSL_new(context));
  if (!state->tls || SSL_set_fd(state->tls.get(), state->descriptor()) != 1) {
    co_return io_failure(IoError::exhausted, "no memory for TLS");
  }
  SSL* const tls = state->tls.get();
  if (server) {
    SSL_set_accept_state(tls);
  } else {
    SSL_set_connect_state(tls);
    if (!host.empty()) {
      if (host.back() == '.') host.pop_back();
      if (mail::IpAddress::parse(host)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host.c_str());
      } else {
        SSL_set_tlsext_host_name(tls, host.c_str());
        SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_set1_host(tls, host.c_str());
      }
    }
  }
  const auto done = co_await complete(state, Handshake{}, "TLS handshake");
  if (!done) {
    state->tls_broken = true;
    co_return std::unexpected(done.error());
  }
  co_return describe(tls);
}

}  // namespace

namespace detail {

Task<Io<size_t>> tls_read(std::shared_ptr<State> state, std::span<char> into) {
  return complete(std::move(state), Read{into.data(), clamped(into.size())}, "read");
}

Task<Io<void>> tls_write(std::shared_ptr<State> state, std::span<const std::string_view> pieces) {
  // Small pieces are gathered, so that each does not become a record of its own.
  std::string gathered;
  for (std::string_view piece : pieces) {
    if (pieces.size() == 1 || piece.size() >= kRecord) {
      if (auto sent = co_await write_all(state, gathered); !sent) co_return sent;
      gathered.clear();
      if (auto sent = co_await write_all(state, piece); !sent) co_return sent;
      continue;
    }
    gathered.append(piece);
    if (gathered.size() < kRecord) continue;
    if (auto sent = co_await write_all(state, gathered); !sent) co_return sent;
    gathered.clear();
  }
  co_return co_await write_all(state, gathered);
}

bool tls_input_pending(State& state) {
  if (SSL_has_pending(state.tls.get()) == 1) return true;
  char byte = 0;
  ERR_clear_error();
  const int seen = SSL_peek(state.tls.get(), &byte, 1);
  if (seen > 0) return true;
  const int error = SSL_get_error(state.tls.get(), seen);
  return error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
}

}  // namespace detail

Task<Io<TlsInfo>> Connection::start_tls(const TlsServerContext& context) {
  return handshake(state_, context.native(), true, {});
}

Task<Io<TlsInfo>> Connection::start_tls(const TlsClientContext& context, std::string host) {
  return handshake(state_, context.native(), false, std::move(host));
}

}  // namespace doorward::net
