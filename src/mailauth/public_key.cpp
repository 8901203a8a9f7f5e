#include "mailauth/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>

#include "base/handle.h"
#include "mailauth/tag_list.h"

namespace doorward::mailauth {
namespace {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using HashContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

constexpr size_t kMostKeyOctets = 2048;  // a key of kStrongestRsa bits has some 1,060
constexpr size_t kEd25519 = 32;

// What fails here must not stay in the thread's queue, where TLS would take it for its own.
struct ErrorMark {
  ErrorMark() { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
};

const unsigned char* octets(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

bool lists(std::string_view value, std::string_view wanted) {
  const auto entries = colon_list(value);
  return std::ranges::find(entries, wanted) != entries.end();
}

// RFC 6376 §3.6.1 asks for an RSAPublicKey of PKCS #1 and shows, as everybody publishes, a SubjectPublicKeyInfo: both
// are read (erratum 3017).
Key rsa_key(std::string_view der) {
  const unsigned char* at = octets(der);
  const auto size = static_cast<long>(der.size());
  Key key(d2i_PUBKEY(nullptr, &at, size));
  if (!key) {
    at = octets(der);
    key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, size));
  }
  if (key && (at != octets(der) + der.size() || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)) key.reset();
  return key;
}

// A verification costs as much as the exponent is long: 2048 bits of it make 0.03 ms into 2.
constexpr int kMostExponentBits = 64;  // FIPS 186-5 allows 256; all that is in use is 65537 or 3

int exponent_bits(const EVP_PKEY* key) {
  BIGNUM* exponent = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) return 0;
  const Handle<BIGNUM, BN_free> held(exponent);
  return BN_num_bits(held.get());
}

}  // namespace

std::string_view text(Algorithm algorithm) {
  return algorithm == Algorithm::rsa_sha256 ? "rsa-sha256" : "ed25519-sha256";
}

std::expected<KeyRecord, std::string_view> KeyRecord::parse(std::string_view record) {
  const auto tags = TagList::parse(record);
  if (!tags) return std::unexpected("the key record is malformed");
  if (const auto version = tags->value("v")) {
    if (*version != "DKIM1" || tags->tags().front().name != "v") return std::unexpected("the key record is no DKIM1");
  }
  KeyRecord key;
  const auto type = tags->value("k").value_or("rsa");
  if (type == "ed25519") {
    key.algorithm = Algorithm::ed25519_sha256;
  } else if (type != "rsa") {
    return std::unexpected("the key is of an unknown type");
  }
  if (const auto hashes = tags->value("h"); hashes && !lists(*hashes, "sha256")) {
    return std::unexpected("the key is not for SHA-256");
  }
  if (const auto services = tags->value("s"); services && !lists(*services, "*") && !lists(*services, "email")) {
    return std::unexpected("the key is not for mail");
  }
  if (const auto flags = tags->value("t")) {
    key.testing = lists(*flags, "y");
    key.strict = lists(*flags, "s");
  }
  const auto material = tags->value("p");
  if (!material) return std::unexpected("the key record has no key");
  if (material->empty()) return std::unexpected("the key is revoked");
  if (material->size() > 2 * kMostKeyOctets) return std::unexpected("the key is too long");
  auto decoded = base64_octets(*material);
  if (!decoded) return std::unexpected("the key is not Base64");
  if (decoded->size() > kMostKeyOctets) return std::unexpected("the key is too long");
  key.octets = std::move(*decoded);
  return key;
}

std::expected<PublicKey, std::string_view> PublicKey::make(const KeyRecord& record) {
  const ErrorMark mark;
  Key key;
  if (record.algorithm == Algorithm::ed25519_sha256) {
    if (record.octets.size() != kEd25519) return std::unexpected("an Ed25519 key has 32 octets");
    key.reset(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(record.octets), kEd25519));
  } else {
    key = rsa_key(record.octets);
  }
  if (!key) return std::unexpected("the key cannot be read");
  const int bits = EVP_PKEY_get_bits(key.get());
  const auto size = record.algorithm == Algorithm::ed25519_sha256 ? 256U : static_cast<unsigned>(std::max(bits, 0));
  if (size > kStrongestRsa) return std::unexpected("the key is too long");
  if (record.algorithm == Algorithm::rsa_sha256 && exponent_bits(key.get()) > kMostExponentBits) {
    return std::unexpected("the key's exponent is too long");
  }
  return PublicKey({key.release(), EVP_PKEY_free}, record.algorithm, size);
}

bool PublicKey::verify(std::string_view hash, std::string_view signature) const {
  const ErrorMark mark;
  if (algorithm_ == Algorithm::ed25519_sha256) {
    const HashContext context(EVP_MD_CTX_new());
    return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
           EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(hash), hash.size()) == 1;
  }
  const KeyContext context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  return context && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
         EVP_PKEY_verify(context.get(), octets(signature), signature.size(), octets(hash), hash.size()) == 1;
}

}  // namespace doorward::mailauth
