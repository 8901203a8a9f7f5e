#include "mailauth/signature_check.h"

#include "net/dns_answer.h"

namespace doorward::mailauth {

Checked check_body(SignedMail& mail, const Signature& signature, uint64_t& unsigned_octets) {
  const BodyHash* body = mail.body_hash(signature.body, signature.length);
  if (body == nullptr) return {.result = Result::policy, .reason = "too many different body hashes in one mail"};
  if (signature.length && *signature.length > body->length) {
    return {.result = Result::fail, .reason = "l= is more than the body has"};
  }
  unsigned_octets = body->length - signature.length.value_or(body->length);
  if (body->hash != signature.body_hash) return {.result = Result::fail, .reason = "the body was changed"};
  return {.result = Result::pass, .reason = {}};
}

std::string header_hash(const SignedMail& mail, const Signature& signature, size_t own) {
  std::string text;
  text.reserve(4096);
  mail.append_signed(text, signature.header, signature.names, own);
  const mime::Header& field = mail.fields()[own];
  append_signing_field(text, signature.header, mail.raw(field), signature.tags, mail.value_at(field));
  Sha256 hash;
  hash.add(text);
  return hash.finish();
}

Checked check_value(const Signature& signature, std::string_view hash, const FoundKeys& found, bool check_identity) {
  if (found.keys.empty()) return {.result = found.fault, .reason = found.reason};
  const auto identity_at = signature.identity.rfind('@');
  const bool same = !check_identity || identity_at == std::string::npos ||
                    net::dns_name(std::string_view(signature.identity).substr(identity_at + 1)) == signature.domain;
  Checked checked{.result = Result::permerror, .reason = "the key is for another algorithm"};
  for (const UsableKey& usable : found.keys) {
    if (usable.key.algorithm() != signature.algorithm) continue;
    checked.key_bits = usable.key.bits();
    checked.testing = usable.testing;
    checked.dnssec = found.authenticated;
    if (usable.strict && !same) {  // RFC 6376 §3.6.1, t=s
      checked.result = Result::permerror;
      checked.reason = "the key is for i= in d= itself";
    } else if (usable.key.bits() < kWeakestRsa && signature.algorithm == Algorithm::rsa_sha256) {
      checked.result = Result::policy;  // RFC 8301 §3.2
      checked.reason = "the key is too short";
    } else if (usable.key.verify(hash, signature.value)) {
      checked.result = Result::pass;
      checked.reason.clear();
      return checked;
    } else {
      checked.result = Result::fail;
      checked.reason = "the signature does not fit";
    }
  }
  return checked;
}

}  // namespace doorward::mailauth
