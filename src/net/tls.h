// TLS contexts by OpenSSL 3: TLS 1.2 and up, released buffers (an idle connection holds none), certificates by SNI.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

struct ssl_ctx_st;

namespace doorward::net {

struct Certificate {
  std::string certificate_file;  // PEM, with its chain
  std::string key_file;          // PEM
};

// Immutable once made; a reload makes a new one and swaps the shared pointer. The names that a certificate serves come
// from its subjectAltName; the first certificate answers when no name fits or none is sent.
class TlsServerContext {
 public:
  static Result<std::shared_ptr<const TlsServerContext>> load(const std::vector<Certificate>& certificates);
  ~TlsServerContext();
  ssl_ctx_st* native() const;

 private:
  TlsServerContext();
  struct State;
  std::unique_ptr<State> state_;
};

class TlsClientContext {
 public:
  // Trusts the system's certificate store, or the PEM file named.
  static Result<std::shared_ptr<const TlsClientContext>> load(const std::string& ca_file = {});
  ~TlsClientContext();
  ssl_ctx_st* native() const;

 private:
  TlsClientContext();
  struct State;
  std::unique_ptr<State> state_;
};

// A certificate and key for `names`, valid for `days`, made on the spot: the demo and a gateway that was given none
// yet.
Result<void> make_self_signed(const Certificate& files, const std::vector<std::string>& names, int days);

}  // namespace doorward::net
