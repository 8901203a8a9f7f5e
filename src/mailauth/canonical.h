// Canonicalisation (RFC 6376 §3.4) straight into a hash: the body is neither copied nor gathered, and stretches that
// stay as they are go in as one. A bare LF counts as a line end, since the mail parser has it so; it never comes by
// SMTP.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/handle.h"

struct evp_md_ctx_st;

namespace doorward::mailauth {

enum class Canonical : uint8_t { simple, relaxed };

void release(evp_md_ctx_st* context);

class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256& other);  // goes on from where the other is
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view octets);
  std::string finish();  // 32 octets; once

 private:
  Handle<evp_md_ctx_st, release> context_;
};

// Appends the canonical form of `field` (name, colon, value, with or without its line end) and a CRLF.
void append_field(std::string& out, Canonical canonical, std::string_view field);

struct BodyHash {
  std::string hash;     // 32 octets
  uint64_t length = 0;  // octets of the whole canonical body
};
// SHA-256 over the canonical body, or over its first `limit` octets (l=).
BodyHash hash_body(std::string_view body, Canonical canonical, std::optional<uint64_t> limit);

}  // namespace doorward::mailauth
