#include "mailauth/signature.h"

#include <algorithm>

#include "mail/ascii.h"
#include "net/dns_answer.h"

namespace doorward::mailauth {
namespace {

class Reader {
 public:
  Reader(SignatureKind kind, std::string_view value) : kind_(kind) {
    auto tags = TagList::parse(value);
    if (tags) {
      signature_.tags = std::move(*tags);
    } else {
      refuse(Result::neutral, "malformed: " + std::string(tags.error()));
    }
  }

  Signature read() {
    if (signature_.fault != Result::none) return std::move(signature_);
    who();
    algorithm();
    value();
    if (kind_ != SignatureKind::arc_seal) {
      canonicalisation();
      body();
      names();
    } else if (signature_.tags.find("h") != nullptr) {
      refuse(Result::permerror, "h= in a seal");  // RFC 8617 §4.1.3
    }
    if (kind_ == SignatureKind::dkim) {
      version();
      identity();
    }
    times();
    return std::move(signature_);
  }

 private:
  // The first fault stands.
  void refuse(Result result, std::string reason) {
    if (signature_.fault != Result::none) return;
    signature_.fault = result;
    signature_.reason = std::move(reason);
  }
  std::optional<std::string_view> optional(std::string_view name) const { return signature_.tags.value(name); }
  std::string_view required(std::string_view name) {
    const auto found = optional(name);
    if (!found) refuse(Result::permerror, std::string(name) + "= is missing");
    return found.value_or("");
  }

  static bool is_domain(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
      return mail::is_let_dig(c) || c == '-' || c == '_' || c == '.' || (c & 0x80) != 0;
    });
  }
  std::string name(std::string_view tag) {
    const std::string_view given = required(tag);
    std::string ascii = is_domain(given) ? net::dns_name(given) : std::string();
    if (ascii.empty()) refuse(Result::permerror, std::string(tag) + "= is no domain name");
    return ascii;
  }
  void who() {
    signature_.domain = name("d");
    signature_.selector = name("s");
    if (signature_.fault == Result::none && net::dns_name(signature_.key_name()).empty()) {
      refuse(Result::permerror, "the key's name is too long");
    }
  }

  void algorithm() {
    signature_.algorithm_name = required("a");
    if (signature_.algorithm_name == "rsa-sha256") return;
    if (signature_.algorithm_name == "ed25519-sha256") {
      signature_.algorithm = Algorithm::ed25519_sha256;
    } else if (signature_.algorithm_name == "rsa-sha1") {
      refuse(Result::permerror, "rsa-sha1 is not accepted any more");  // RFC 8301 §3.1
    } else {
      refuse(Result::neutral, "unknown algorithm");
    }
  }

  std::string octets(std::string_view tag) {
    const std::string_view given = required(tag);
    auto decoded = base64_octets(given);
    if (!decoded || decoded->empty()) refuse(Result::neutral, std::string(tag) + "= is not Base64");
    return std::move(decoded).value_or("");
  }
  void value() {
    signature_.value = octets("b");
    for (const char c : optional("b").value_or("")) {
      if (trimmed({&c, 1}).size() == 1) signature_.value_text += c;
    }
  }

  void canonicalisation() {
    const auto given = optional("c");
    if (!given) return;
    const size_t slash = given->find('/');
    const auto one = [this](std::string_view word) {
      if (word != "relaxed" && word != "simple") refuse(Result::neutral, "unknown canonicalisation");
      return word == "relaxed" ? Canonical::relaxed : Canonical::simple;
    };
    signature_.header = one(given->substr(0, slash));
    if (slash != std::string_view::npos) signature_.body = one(given->substr(slash + 1));
  }

  void body() {
    signature_.body_hash = octets("bh");
    if (const auto length = optional("l")) {
      signature_.length = decimal(*length);
      if (!signature_.length) refuse(Result::neutral, "l= is no number");
    }
  }

  void names() {
    signature_.names = colon_list(required("h"));
    if (signature_.names.size() > kMostSignedNames) {
      signature_.names.clear();
      refuse(Result::policy, "h= names too many fields");
    }
    const auto has = [this](std::string_view field) {
      return std::ranges::any_of(signature_.names,
                                 [&](std::string_view one) { return mail::equal_ignoring_case(one, field); });
    };
    if (kind_ == SignatureKind::dkim && !has("from")) refuse(Result::permerror, "From is not signed");  // §5.4
    if (kind_ == SignatureKind::arc_message && has("arc-seal")) {
      refuse(Result::permerror, "h= names ARC-Seal");  // RFC 8617 §4.1.2
    }
  }

  void version() {
    if (required("v") != "1") refuse(Result::permerror, "unknown version");
    if (const auto query = optional("q")) {
      const auto ways = colon_list(*query);
      if (std::ranges::find(ways, "dns/txt") == ways.end()) refuse(Result::neutral, "no known query method");
    }
  }

  // i= must be in the signing domain (§3.5).
  void identity() {
    const auto given = optional("i");
    if (!given) {
      signature_.identity = "@" + signature_.domain;
      return;
    }
    signature_.identity = *given;
    std::erase_if(signature_.identity, [](char c) { return trimmed({&c, 1}).empty(); });
    const size_t at = signature_.identity.rfind('@');
    const std::string domain =
        at == std::string::npos ? std::string() : net::dns_name(std::string_view(signature_.identity).substr(at + 1));
    if (domain.empty()) return refuse(Result::permerror, "i= is no address");
    if (!within(domain, signature_.domain)) refuse(Result::permerror, "i= is not within d=");
  }

  void times() {
    const auto number = [this](std::string_view tag) -> std::optional<uint64_t> {
      const auto given = optional(tag);
      if (!given) return std::nullopt;
      const auto value = decimal(*given);
      if (value && *value <= 999'999'999'999) return value;
      refuse(Result::neutral, std::string(tag) + "= is no time");
      return std::nullopt;
    };
    signature_.time = number("t");
    if (kind_ == SignatureKind::arc_seal) return;
    signature_.expires = number("x");
    if (signature_.time && signature_.expires && *signature_.expires <= *signature_.time) {
      refuse(Result::permerror, "x= is not after t=");
    }
  }

  SignatureKind kind_;
  Signature signature_;
};

}  // namespace

Signature read_signature(SignatureKind kind, std::string_view value) { return Reader(kind, value).read(); }

std::string_view untimely(const Signature& signature, SystemTime now, std::chrono::seconds skew) {
  const auto at = [](uint64_t seconds) { return SystemTime(std::chrono::seconds(seconds)); };
  if (signature.expires && at(*signature.expires) + skew < now) return "expired";
  if (signature.time && at(*signature.time) > now + skew) return "signed in the future";
  return {};
}

void append_signing_field(std::string& out, Canonical canonical, std::string_view field, const TagList& tags,
                          size_t value_at) {
  const Tag* value = tags.find("b");
  if (value == nullptr) return append_field(out, canonical, field);
  std::string without(field.substr(0, value_at + value->from));
  without += field.substr(value_at + value->to);
  append_field(out, canonical, without);
  out.resize(out.size() - 2);
}

bool within(std::string_view domain, std::string_view parent) {
  if (!domain.ends_with(parent)) return false;
  domain.remove_suffix(parent.size());
  return domain.empty() || domain.ends_with('.');
}

}  // namespace doorward::mailauth
