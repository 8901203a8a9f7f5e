#include "mailauth/tag_list.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

#include "mail/ascii.h"

namespace doorward::mailauth {
namespace {

constexpr size_t kMostTags = 64;

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// tag-name = ALPHA *ALNUMPUNC
bool is_name(std::string_view text) {
  return !text.empty() && mail::is_alpha(text.front()) &&
         std::ranges::all_of(text, [](char c) { return mail::is_let_dig(c) || c == '_'; });
}

// VALCHAR, white space between, and UTF-8's octets
bool is_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return is_space(c) || (c > 0x20 && c < 0x7f) || (c & 0x80) != 0; });
}

int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::expected<TagList, std::string_view> TagList::parse(std::string_view text) {
  TagList list;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(';', at), text.size());
    const std::string_view spec = text.substr(at, end - at);
    if (end == text.size() && !list.tags_.empty() && trimmed(spec).empty()) break;  // the one ";" that may end a list
    const size_t equals = spec.find('=');
    if (equals == std::string_view::npos) return std::unexpected("a tag without \"=\"");
    const Tag tag{.name = trimmed(spec.substr(0, equals)),
                  .value = trimmed(spec.substr(equals + 1)),
                  .from = at + equals + 1,
                  .to = end};
    if (!is_name(tag.name)) return std::unexpected("a malformed tag name");
    if (!is_value(tag.value)) return std::unexpected("a tag's value has control characters");
    if (list.find(tag.name) != nullptr) return std::unexpected("a tag stands there twice");
    if (list.tags_.size() == kMostTags) return std::unexpected("too many tags");
    list.tags_.push_back(tag);
    at = end + 1;
  }
  if (list.tags_.empty()) return std::unexpected("no tags");
  return list;
}

const Tag* TagList::find(std::string_view name) const {
  const auto at = std::ranges::find(tags_, name, &Tag::name);
  return at == tags_.end() ? nullptr : &*at;
}

std::optional<std::string_view> TagList::value(std::string_view name) const {
  const Tag* tag = find(name);
  if (tag == nullptr) return std::nullopt;
  return tag->value;
}

std::optional<std::string> base64_octets(std::string_view value) {
  std::string octets;
  octets.reserve(value.size() / 4 * 3 + 3);
  uint32_t bits = 0;
  unsigned count = 0, padding = 0;
  for (const char c : value) {
    if (is_space(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int six = sextet(c);
    if (six < 0 || padding != 0) return std::nullopt;
    bits = (bits << 6) | static_cast<uint32_t>(six);
    if (++count % 4 == 0) {
      octets += static_cast<char>(bits >> 16);
      octets += static_cast<char>(bits >> 8);
      octets += static_cast<char>(bits);
    }
  }
  const unsigned rest = count % 4;
  if (rest == 1 || (padding != 0 && padding != (4 - rest) % 4)) return std::nullopt;
  if (rest >= 2) octets += static_cast<char>(rest == 2 ? bits >> 4 : bits >> 10);
  if (rest == 3) octets += static_cast<char>(bits >> 2);
  return octets;
}

std::string base64_text(std::string_view octets) {
  std::string text((octets.size() + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(octets.data()), static_cast<int>(octets.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

std::optional<uint64_t> decimal(std::string_view value) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return number;
}

std::vector<std::string_view> colon_list(std::string_view value) {
  std::vector<std::string_view> entries;
  for (size_t at = 0; at <= value.size();) {
    const size_t end = std::min(value.find(':', at), value.size());
    entries.push_back(trimmed(value.substr(at, end - at)));
    at = end + 1;
  }
  return entries;
}

}  // namespace doorward::mailauth
