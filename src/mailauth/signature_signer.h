// What our own signatures are made with and how their fields are written; used by DKIM signing and ARC sealing.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "mailauth/public_key.h"
#include "mailauth/signature_mail.h"

namespace doorward::mailauth {

// Shared, never changed: may be used on any thread.
class SigningKey {
 public:
  // PEM (PKCS #1 or #8) of an RSA key of 1024 to 8192 bits or of an Ed25519 key; or the 32 octets of an Ed25519 key as
  // Base64.
  static doorward::Result<SigningKey> read(std::string_view text);
  Algorithm algorithm() const { return algorithm_; }
  std::string sign(std::string_view hash) const;  // of a SHA-256; throws where OpenSSL fails
  std::string record() const;                     // the TXT record that belongs into the DNS

 private:
  SigningKey(std::shared_ptr<evp_pkey_st> key, Algorithm algorithm) : key_(std::move(key)), algorithm_(algorithm) {}
  std::shared_ptr<evp_pkey_st> key_;
  Algorithm algorithm_;
};

// A signing field under construction: tags in order, folded below 78 columns where they can be, with the place of b=.
class SigningField {
 public:
  explicit SigningField(std::string_view name);
  void tag(std::string_view name, std::string_view value);
  void names(std::span<const std::string> names);  // h=
  void value();                                    // b= comes here
  // In relaxed form, without b='s value and the line end: what is hashed.
  std::string unsigned_form() const;
  // The whole field with its line end. `folded`: the value is broken into lines.
  std::string signed_form(std::string_view signature, bool folded) const;

 private:
  void separate(size_t length);
  std::string text_;
  size_t column_ = 0, value_at_ = 0, value_column_ = 0;
  bool first_ = true;
};

// The h= for `mail`: each of `wanted` as often as it is there, and those of `once_more` once more, so that nobody can
// add another (RFC 6376 §8.15).
std::vector<std::string> names_to_sign(const SignedMail& mail, std::span<const std::string_view> wanted,
                                       std::span<const std::string_view> once_more);
std::span<const std::string_view> usual_fields();      // what RFC 6376 §5.4.1 counsels
std::span<const std::string_view> fields_once_more();  // of them, those that a reader sees or that change the meaning

}  // namespace doorward::mailauth
