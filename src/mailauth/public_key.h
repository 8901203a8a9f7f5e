// Key records of DKIM and ARC (RFC 6376 §3.6.1, RFC 8463 §4.2) and the keys in them.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace doorward::mailauth {

enum class Algorithm : uint8_t { rsa_sha256, ed25519_sha256 };
std::string_view text(Algorithm algorithm);  // "rsa-sha256"

inline constexpr unsigned kWeakestRsa = 1024;    // bits; shorter keys are never accepted (RFC 8301 §3.2)
inline constexpr unsigned kStrongestRsa = 8192;  // bits; longer ones cost too much to be worth it

struct KeyRecord {
  Algorithm algorithm = Algorithm::rsa_sha256;
  std::string octets;    // of p=: DER, or the 32 octets of an Ed25519 key
  bool testing = false;  // t=y: the domain tries DKIM out
  bool strict = false;   // t=s: i= must be in d= itself

  // The error says why no signature can hold with this record: revoked, of another service, malformed …
  static std::expected<KeyRecord, std::string_view> parse(std::string_view record);
};

// Shared, never changed: may be used on any thread.
class PublicKey {
 public:
  static std::expected<PublicKey, std::string_view> make(const KeyRecord& record);
  Algorithm algorithm() const { return algorithm_; }
  unsigned bits() const { return bits_; }
  // `hash`: the SHA-256 of what was signed (RFC 8463 §3 signs the hash as well).
  bool verify(std::string_view hash, std::string_view signature) const;

 private:
  PublicKey(std::shared_ptr<evp_pkey_st> key, Algorithm algorithm, unsigned bits)
      : key_(std::move(key)), algorithm_(algorithm), bits_(bits) {}
  std::shared_ptr<evp_pkey_st> key_;
  Algorithm algorithm_;
  unsigned bits_;
};

}  // namespace doorward::mailauth
