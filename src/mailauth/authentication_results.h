// Authentication-Results (RFC 8601): written for those behind us, and found where somebody forged them.
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mailauth/arc.h"
#include "mailauth/dkim.h"
#include "mime/message.h"

namespace doorward::mailauth {

struct MethodProperty {
  std::string type, name, value;  // "smtp", "mailfrom", "a@example.org"
};

struct MethodResult {
  std::string method, result;  // "dkim", "pass"
  std::string reason{};        // reason=
  std::string comment{};       // after the result, without parentheses
  std::vector<MethodProperty> properties{};
};

struct AuthenticationResults {
  std::string id;                     // authserv-id: who says this
  std::vector<MethodResult> results;  // none: "none"
};

// What stands after the colon: "mx.example; spf=pass smtp.mailfrom=…", a method a line, quoted where it has to be,
// whatever octets the values have. Also what ArcSealing::results wants.
std::string authentication_results_text(std::string_view id, std::span<const MethodResult> results);
// The whole field with its line end.
std::string authentication_results_field(std::string_view id, std::span<const MethodResult> results);

// The text after the colon, to the letter of §2.2; the error says what is wrong.
std::expected<AuthenticationResults, std::string_view> read_authentication_results(std::string_view value);

// Somebody could take this text for ours: before its first result it names `id`, whatever comments, quotes, letter
// case and versions are around it, or cannot be read and has `id` in it. §5: such fields of others must go.
bool claims_authserv_id(std::string_view value, std::string_view id);
// The Authentication-Results fields that claim `id`, as indexes into `fields`.
std::vector<size_t> forged_authentication_results(std::span<const mime::Header> fields, std::string_view id);

// What hops before us in our own domain (`id`) said, of all their fields, as one text: "id; a=…;\r\n b=…" (RFC 8617
// §4.1.1). Only where those fields are trusted.
std::string merged_authentication_results(std::span<const mime::Header> fields, std::string_view id);

std::vector<MethodResult> method_results(const DkimOutcome& dkim);  // one a signature; "dkim=none" without any
MethodResult method_result(const ArcOutcome& arc);

}  // namespace doorward::mailauth
