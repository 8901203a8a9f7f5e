#include "delivery/dsn_address.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "mail/ascii.h"
#include "mail/utf8.h"
#include "smtp/xtext.h"

namespace doorward::delivery {
namespace {

constexpr size_t kMostAddress = 1000;  // octets; ORCPT is bounded to 500 on the way in

bool is_printable_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7F; });
}

// Well-formed UTF-8 without controls.
bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const bool plain = text.front() >= ' ' && text.front() < 0x7F;
    const size_t octets = plain ? 1 : mail::utf8_non_ascii(text);
    if (octets == 0) return false;
    text.remove_prefix(octets);
  }
  return true;
}

// Precondition: a well-formed sequence.
uint32_t code_point(std::string_view sequence) {
  auto value = static_cast<uint32_t>(static_cast<uint8_t>(sequence.front()));
  if (sequence.size() > 1) value &= 0x7FU >> sequence.size();
  for (const char c : sequence.substr(1)) value = value << 6 | (static_cast<uint8_t>(c) & 0x3FU);
  return value;
}

void append_utf8(std::string& out, uint32_t value) {
  const auto octet = [&](uint32_t bits) { out += static_cast<char>(static_cast<uint8_t>(bits)); };
  if (value < 0x80) return octet(value);
  if (value < 0x800) {
    octet(0xC0 | value >> 6);
  } else {
    if (value < 0x10000) {
      octet(0xE0 | value >> 12);
    } else {
      octet(0xF0 | value >> 18);
      octet(0x80 | (value >> 12 & 0x3F));
    }
    octet(0x80 | (value >> 6 & 0x3F));
  }
  octet(0x80 | (value & 0x3F));
}

// utf-8-addr-xtext of RFC 6533 §3: what is not ASCII, and what has a meaning there, as \x{HEX}. Precondition:
// is_printable(utf8).
std::string escaped(std::string_view utf8) {
  std::string out;
  while (!utf8.empty()) {
    const size_t octets = std::max<size_t>(mail::utf8_sequence(utf8), 1);
    const char c = utf8.front();
    if (octets == 1 && c != '\\' && c != '+' && c != '=' && c != ' ') {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{{{:02X}}}", code_point(utf8.substr(0, octets)));
    }
    utf8.remove_prefix(octets);
  }
  return out;
}

// What \x{HEX} stands for; no value where one is malformed.
std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (!text.starts_with("\\x{")) {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const size_t end = text.find('}');
    if (end == std::string_view::npos) return std::nullopt;
    uint32_t value = 0;
    const auto [stop, error] = std::from_chars(text.data() + 3, text.data() + end, value, 16);
    if (error != std::errc{} || stop != text.data() + end || value > 0x10FFFF) return std::nullopt;
    append_utf8(out, value);
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string utf8_field(std::string_view address, bool raw_utf8) {
  return "utf-8; " + (raw_utf8 ? std::string(address) : escaped(address));
}

}  // namespace

std::string address_field(const mail::Mailbox& mailbox, bool raw_utf8) {
  const std::string address = mailbox.domain.empty() ? mailbox.local : mailbox.text();
  if (is_printable_ascii(address)) return "rfc822; " + address;
  return is_printable(address) ? utf8_field(address, raw_utf8) : "rfc822; unknown";
}

std::string original_address_field(std::string_view orcpt, bool raw_utf8) {
  const size_t semicolon = orcpt.find(';');
  if (semicolon == std::string_view::npos || orcpt.size() > kMostAddress) return {};
  const std::string_view type = orcpt.substr(0, semicolon);
  const std::string_view coded = orcpt.substr(semicolon + 1);
  const auto known = [](char c) { return mail::is_let_dig(c) || c == '-'; };
  if (type.empty() || !std::ranges::all_of(type, known)) return {};
  if (!mail::equal_ignoring_case(type, "utf-8")) {
    const auto address = smtp::decode_xtext(coded);
    return address && is_printable_ascii(*address) ? fmt::format("{}; {}", type, *address) : std::string();
  }
  // One of three forms (RFC 6533 §3): xtext, \x{HEX}, or UTF-8 as it is.
  std::optional<std::string> address;
  if (coded.contains('\\')) {
    address = unescaped(coded);
  } else if (mail::is_ascii(coded)) {
    address = smtp::decode_xtext(coded);
  } else {
    address = std::string(coded);
  }
  return address && is_printable(*address) ? utf8_field(*address, raw_utf8) : std::string();
}

std::string envelope_id_field(std::string_view envid) {
  const auto id = smtp::decode_xtext(envid.substr(0, kMostAddress));
  return id && is_printable_ascii(*id) ? *id : std::string();
}

std::string one_line(std::string_view text, size_t most, bool raw_utf8) {
  std::string out;
  while (!text.empty() && out.size() < most) {
    const bool plain = text.front() >= ' ' && text.front() < 0x7F;
    const size_t octets = plain ? 1 : mail::utf8_non_ascii(text);
    if (plain || (raw_utf8 && octets > 0)) {
      out += text.substr(0, octets);
    } else if (!out.ends_with(' ') && (text.front() == '\r' || text.front() == '\n' || text.front() == '\t')) {
      out += ' ';
    } else if (octets > 0 || static_cast<uint8_t>(text.front()) >= 0x80) {
      out += '?';
    }
    text.remove_prefix(std::max<size_t>(octets, 1));
  }
  return out;
}

}  // namespace doorward::delivery
