#include "mailauth/spf_macro.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "mail/ascii.h"

namespace doorward::mailauth {
namespace {

constexpr size_t kMostName = 253;       // octets (RFC 7208 §7.3)
constexpr size_t kEnoughOfName = 2048;  // beyond, the front of a name in the making is dropped: it would be in the end
constexpr unsigned kMostParts = 100'000;  // more than any value has
constexpr std::string_view kLetters = "slodiphv";
constexpr std::string_view kExplanationLetters = "crt";
constexpr std::string_view kDelimiters = ".-+,/_=";

// A run of literal text, or one macro-expand.
struct Piece {
  std::string_view literal{};
  char letter = 0;          // lower case; 0: literal text
  bool is_expand = false;   // "%%", "%_" and "%-" too
  bool url_escape = false;  // the letter was in upper case
  bool reverse = false;
  unsigned parts = 0;  // on the right; 0: all
  std::string_view delimiters{};
};

bool is_literal(char c) { return c > ' ' && c < 0x7F; }

// transformers *delimiter "}" behind the letter (RFC 7208 §7.1).
bool take_transformers(std::string_view& text, Piece& piece) {
  bool digits = false;
  while (!text.empty() && mail::is_digit(text.front())) {
    digits = true;
    piece.parts = std::min(kMostParts, piece.parts * 10 + static_cast<unsigned>(text.front() - '0'));
    text.remove_prefix(1);
  }
  if (digits && piece.parts == 0) return false;  // "MUST be nonzero" (RFC 7208 §7.3)
  if (!text.empty() && mail::to_lower(text.front()) == 'r') {
    piece.reverse = true;
    text.remove_prefix(1);
  }
  const size_t end = std::min(text.find_first_not_of(kDelimiters), text.size());
  piece.delimiters = text.substr(0, end);
  text.remove_prefix(end);
  if (!text.starts_with('}')) return false;
  text.remove_prefix(1);
  return true;
}

// Takes a piece off the front of `text`, which is not empty; none where "%" begins nothing that is known.
std::optional<Piece> take_piece(std::string_view& text) {
  Piece piece;
  if (text.front() != '%') {
    piece.literal = text.substr(0, text.find('%'));
    text.remove_prefix(piece.literal.size());
    return piece;
  }
  if (text.size() < 2) return std::nullopt;
  piece.is_expand = true;
  const char kind = text[1];
  text.remove_prefix(2);
  switch (kind) {
    case '%':
      piece.literal = "%";
      return piece;
    case '_':
      piece.literal = " ";
      return piece;
    case '-':
      piece.literal = "%20";
      return piece;
    case '{':
      break;
    default:
      return std::nullopt;
  }
  if (text.empty() || !mail::is_alpha(text.front())) return std::nullopt;
  piece.letter = mail::to_lower(text.front());
  piece.url_escape = piece.letter != text.front();
  text.remove_prefix(1);
  if (!take_transformers(text, piece)) return std::nullopt;
  return piece;
}

bool is_piece_for(const Piece& piece, SpfMacroUse use) {
  if (piece.letter != 0) {
    if (kLetters.find(piece.letter) != std::string_view::npos) return true;
    return use == SpfMacroUse::explanation && kExplanationLetters.find(piece.letter) != std::string_view::npos;
  }
  if (piece.is_expand) return true;
  return std::ranges::all_of(piece.literal,
                             [use](char c) { return is_literal(c) || (c == ' ' && use == SpfMacroUse::explanation); });
}

// toplabel (RFC 7208 §7.1): letters, digits and hyphens, neither all digits nor a hyphen at either end.
bool is_top_label(std::string_view label) {
  if (label.empty() || label.front() == '-' || label.back() == '-') return false;
  if (!std::ranges::all_of(label, [](char c) { return mail::is_let_dig(c) || c == '-'; })) return false;
  return !std::ranges::all_of(label, mail::is_digit);
}

void append_nibbles(std::string& out, const mail::IpAddress& ip) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const uint8_t byte : ip.bytes()) {
    if (!out.empty()) out += '.';
    out += {kDigits[byte >> 4], '.', kDigits[byte & 0xF]};
  }
}

// The value of a letter; `room` holds what has to be made.
std::string_view value_of(char letter, const SpfMacroValues& values, std::string& room) {
  switch (letter) {
    case 's':
      room.append(values.local).append("@").append(values.sender_domain);
      return room;
    case 'l':
      return values.local;
    case 'o':
      return values.sender_domain;
    case 'd':
      return values.domain;
    case 'i':
      if (values.ip.is_v4()) {
        room = values.ip.text();
      } else {
        append_nibbles(room, values.ip);
      }
      return room;
    case 'p':
      return values.validated;
    case 'h':
      return values.helo;
    case 'v':
      return values.ip.is_v4() ? "in-addr" : "ip6";
    case 'c':
      room = values.ip.text();
      return room;
    case 'r':
      return values.receiver;
    case 't':
      room = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(values.now.time_since_epoch()).count());
      return room;
    default:
      return {};
  }
}

// Splits at the delimiters, reverses, takes the parts on the right, and joins with dots (RFC 7208 §7.3).
void append_transformed(std::string& out, std::string_view value, const Piece& piece) {
  const std::string_view delimiters = piece.delimiters.empty() ? std::string_view(".") : piece.delimiters;
  if (!piece.reverse && piece.parts == 0 && delimiters == ".") {
    out += value;
    return;
  }
  std::vector<std::string_view> parts;
  for (size_t start = 0;;) {
    const size_t end = value.find_first_of(delimiters, start);
    parts.push_back(value.substr(start, end - start));
    if (end == std::string_view::npos) break;
    start = end + 1;
  }
  if (piece.reverse) std::ranges::reverse(parts);
  const size_t skipped = piece.parts == 0 || piece.parts >= parts.size() ? 0 : parts.size() - piece.parts;
  for (size_t i = skipped; i < parts.size(); ++i) {
    if (i > skipped) out += '.';
    out += parts[i];
  }
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (mail::is_let_dig(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<uint8_t>(c));
    }
  }
}

void append_piece(std::string& out, const Piece& piece, const SpfMacroValues& values) {
  if (piece.letter == 0) {
    out += piece.literal;
    return;
  }
  std::string room;
  const std::string_view value = value_of(piece.letter, values, room);
  if (!piece.url_escape) {
    append_transformed(out, value, piece);
    return;
  }
  std::string transformed;
  append_transformed(transformed, value, piece);
  append_escaped(out, transformed);
}

}  // namespace

bool is_macro_string(std::string_view text, SpfMacroUse use) {
  while (!text.empty()) {
    const auto piece = take_piece(text);
    if (!piece || !is_piece_for(*piece, use)) return false;
  }
  return true;
}

bool is_domain_spec(std::string_view text) {
  Piece last;
  while (!text.empty()) {
    const auto piece = take_piece(text);
    if (!piece || !is_piece_for(*piece, SpfMacroUse::domain)) return false;
    last = *piece;
  }
  if (last.is_expand) return true;
  std::string_view end = last.literal;
  if (end.ends_with('.')) end.remove_suffix(1);
  const size_t dot = end.rfind('.');
  return dot != std::string_view::npos && is_top_label(end.substr(dot + 1));
}

SpfMacroLetters::SpfMacroLetters(std::string_view text) {
  while (!text.empty()) {
    const auto piece = take_piece(text);
    if (!piece) return;
    if (piece->letter != 0) bits_ |= 1U << (piece->letter - 'a');
  }
}

std::string expand_domain(std::string_view spec, const SpfMacroValues& values) {
  std::string name;
  while (!spec.empty()) {
    const auto piece = take_piece(spec);
    if (!piece) return {};
    append_piece(name, *piece, values);
    if (name.size() > 2 * kEnoughOfName) name.erase(0, name.size() - kEnoughOfName);
  }
  if (name.ends_with('.')) name.pop_back();
  if (name.size() > kMostName) {
    const size_t dot = name.find('.', name.size() - kMostName - 1);
    if (dot == std::string::npos) return {};
    name.erase(0, dot + 1);
  }
  return name;
}

std::optional<std::string> expand_explanation(std::string_view text, const SpfMacroValues& values) {
  if (!is_macro_string(text, SpfMacroUse::explanation)) return std::nullopt;
  std::string result;
  while (!text.empty() && result.size() <= kMostExplanation) {
    const auto piece = take_piece(text);
    if (!piece) return std::nullopt;
    append_piece(result, *piece, values);
  }
  if (result.size() > kMostExplanation) return std::nullopt;
  if (!std::ranges::all_of(result, [](char c) { return c >= ' ' && c < 0x7F; })) return std::nullopt;
  return result;
}

}  // namespace doorward::mailauth
