// Addresses as RFC 5321 §4.1.2 and RFC 6531 §3.3 write them, to the letter.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace doorward::mail {

// A domain name or an address literal, as given and in the form to compare with.
class Domain {
 public:
  Domain() = default;
  explicit Domain(std::string as_given);  // Precondition: came from a parser of this room.

  const std::string& text() const { return text_; }  // as given
  const std::string& key() const { return key_; }    // lower case, A-labels (RFC 5891), no trailing dot: for look-ups
  bool is_literal() const { return !text_.empty() && text_.front() == '['; }
  bool empty() const { return text_.empty(); }
  friend bool operator==(const Domain& a, const Domain& b) { return a.key_ == b.key_; }

 private:
  std::string text_;
  std::string key_;
};

// local-part "@" domain. The local part is kept decoded (without quotes and backslashes).
struct Mailbox {
  std::string local;
  Domain domain;

  // As it stands on the wire: quoted again where the grammar asks for it.
  std::string text() const;
  // For look-ups and comparison: the local part's ASCII letters folded to lower case, the domain's key.
  std::string key() const;
  bool is_ascii() const;  // false: needs SMTPUTF8
  friend bool operator==(const Mailbox& a, const Mailbox& b) { return a.local == b.local && a.domain == b.domain; }
};

// MAIL FROM: the null path <> or a mailbox. A source route (RFC 5321 §4.1.1.3, appendix C) is parsed and dropped.
struct ReversePath {
  Mailbox mailbox{};
  bool null = true;
  std::string text() const { return null ? "" : mailbox.text(); }
};

// What a parser found wrong: one sentence for the peer.
struct SyntaxError {
  std::string what;
};
template <class T>
using Parsed = std::expected<T, SyntaxError>;

enum class Utf8 { refused, allowed };

// "<a@b>" with its angle brackets; rest gets what follows the path. Limits: local part 64 octets, domain 255, path 256
// (RFC 5321 §4.5.3.1). `<Postmaster>` without a domain is a forward path (its domain stays empty).
Parsed<ReversePath> parse_reverse_path(std::string_view text, Utf8 utf8, std::string_view& rest);
Parsed<Mailbox> parse_forward_path(std::string_view text, Utf8 utf8, std::string_view& rest);
// "a@b" alone, as in configuration files.
Parsed<Mailbox> parse_mailbox(std::string_view text, Utf8 utf8 = Utf8::allowed);
// A domain or address literal alone, as after EHLO.
Parsed<Domain> parse_domain(std::string_view text, Utf8 utf8 = Utf8::allowed);

}  // namespace doorward::mail
