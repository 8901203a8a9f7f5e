// A mail as signatures see it. DKIM and ARC share one object a mail, so that no body is hashed and no key is fetched
// twice. Everything in it refers to the raw message, which must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "mailauth/canonical.h"
#include "mailauth/signature_keys.h"
#include "mime/message.h"

namespace doorward::mailauth {

class SignedMail {
 public:
  explicit SignedMail(const mime::Message& message);
  explicit SignedMail(std::string_view raw);  // with its header section scanned here
  SignedMail(const SignedMail&) = delete;
  SignedMail& operator=(const SignedMail&) = delete;

  std::span<const mime::Header> fields() const { return fields_; }
  std::string_view raw(const mime::Header& field) const { return raw_.substr(field.offset, field.length); }
  // Where the value begins in raw(field).
  size_t value_at(const mime::Header& field) const;
  std::string_view body() const { return body_; }
  // The header section is longer than the parser's limits: which fields stand at its end is unknown, so that nothing
  // can be said of any signature.
  bool cut() const { return cut_; }

  // Appends the canonical forms of the fields named in h=, each name taking the lowest field that is not taken yet,
  // names without a field nothing (RFC 6376 §5.4.2). `own` is the index of the signing field, which is never taken.
  void append_signed(std::string& out, Canonical canonical, std::span<const std::string_view> names, size_t own) const;

  // Counted once for each combination; none beyond eight combinations, which only an attacker would want.
  const BodyHash* body_hash(Canonical canonical, std::optional<uint64_t> limit);

  SignatureKeys& keys() { return keys_; }

 private:
  void index();

  std::string_view raw_;
  std::vector<mime::Header> scanned_;
  std::span<const mime::Header> fields_;
  std::vector<uint32_t> name_hashes_;  // of each field's name in lower case
  std::string_view body_;
  bool cut_ = false;
  std::map<std::tuple<Canonical, std::optional<uint64_t>>, BodyHash> body_hashes_;
  SignatureKeys keys_;
};

}  // namespace doorward::mailauth
