#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/handle.h"
#include "net/tls.h"

namespace doorward::net {

namespace {

using Context = Handle<SSL_CTX, SSL_CTX_free>;

std::string reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (const char* text = ERR_reason_error_string(code)) return text;
  return "unknown failure";
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

void harden(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Partial writes let a large message go out without being copied; released buffers keep idle connections small.
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);  // a record in one system call instead of two
}

// The DNS names of a certificate's subjectAltName, lower case.
std::vector<std::string> names_of(SSL_CTX* context) {
  std::vector<std::string> names;
  X509* const certificate = SSL_CTX_get0_certificate(context);
  auto* const alternatives =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (alternatives == nullptr) return names;
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type != GEN_DNS) continue;
    const ASN1_IA5STRING* const text = name->d.dNSName;
    names.push_back(lower(
        {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))}));
  }
  GENERAL_NAMES_free(alternatives);
  return names;
}

struct Served {
  Context context;
  std::vector<std::string> names;

  // RFC 6125 §6.4.3: a wildcard stands for the whole first label only.
  bool serves(std::string_view host) const {
    const size_t dot = host.find('.');
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
      return name == host ||
             (name.starts_with("*.") && dot != std::string_view::npos && name.substr(1) == host.substr(dot));
    });
  }
};

using ServedList = std::vector<Served>;

// Hangs the other certificates on the first context, so that a handshake finds them however long it takes.
int served_index() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* held, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<ServedList*>(held); });
  return index;
}

int choose_certificate(SSL* tls, int*, void* context) {
  const char* const asked = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
  const auto* others =
      static_cast<const ServedList*>(SSL_CTX_get_ex_data(static_cast<SSL_CTX*>(context), served_index()));
  if (asked == nullptr || others == nullptr) return SSL_TLSEXT_ERR_OK;
  const std::string host = lower(asked);
  for (const Served& one : *others) {
    if (!one.serves(host)) continue;
    if (one.context) SSL_set_SSL_CTX(tls, one.context.get());  // none: the first one itself
    break;
  }
  return SSL_TLSEXT_ERR_OK;
}

Result<Context> load_one(const Certificate& files) {
  Context context(SSL_CTX_new(TLS_server_method()));
  if (!context) return fail("no memory for TLS", {}, Blame::environment);
  harden(context.get());
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);  // tickets resume sessions without memory of ours
  SSL_CTX_set_num_tickets(context.get(), 1);
  static constexpr std::string_view kSessions = "doorward";
  SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>(kSessions.data()),
                                 kSessions.size());
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate_file.c_str()) != 1) {
    return fail("the certificate cannot be read: " + reason(), files.certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail("the private key cannot be read or does not belong to the certificate: " + reason(), files.key_file);
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return fail("the private key does not belong to the certificate " + files.certificate_file, files.key_file);
  }
  return context;
}

}  // namespace

struct TlsServerContext::State {
  Context context;
};

TlsServerContext::TlsServerContext() : state_(std::make_unique<State>()) {}
TlsServerContext::~TlsServerContext() = default;
ssl_ctx_st* TlsServerContext::native() const { return state_->context.get(); }

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::load(const std::vector<Certificate>& certificates) {
  if (certificates.empty()) return fail("no certificate is configured");
  auto made = std::shared_ptr<TlsServerContext>(new TlsServerContext);
  auto served = std::make_unique<ServedList>();
  for (const Certificate& files : certificates) {
    auto context = load_one(files);
    if (!context) return std::unexpected(context.error());
    auto names = names_of(context->get());
    if (made->state_->context) {
      served->push_back({std::move(*context), std::move(names)});
    } else {
      made->state_->context = std::move(*context);
      served->push_back({nullptr, std::move(names)});
    }
  }
  SSL_CTX* const first = made->state_->context.get();
  SSL_CTX_set_ex_data(first, served_index(), served.release());
  SSL_CTX_set_tlsext_servername_callback(first, choose_certificate);
  SSL_CTX_set_tlsext_servername_arg(first, first);
  return std::shared_ptr<const TlsServerContext>(std::move(made));
}

struct TlsClientContext::State {
  Context context;
};

TlsClientContext::TlsClientContext() : state_(std::make_unique<State>()) {}
TlsClientContext::~TlsClientContext() = default;
ssl_ctx_st* TlsClientContext::native() const { return state_->context.get(); }

Result<std::shared_ptr<const TlsClientContext>> TlsClientContext::load(const std::string& ca_file) {
  auto made = std::shared_ptr<TlsClientContext>(new TlsClientContext);
  made->state_->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = made->state_->context.get();
  if (context == nullptr) return fail("no memory for TLS", {}, Blame::environment);
  harden(context);
  // The handshake goes on with an unverified peer: what that means is the caller's policy (RFC 7435), who is told.
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  ERR_clear_error();
  if (ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
    return fail("the certificates to trust cannot be read: " + reason(), ca_file);
  }
  return std::shared_ptr<const TlsClientContext>(std::move(made));
}

}  // namespace doorward::net
