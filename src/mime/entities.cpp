#include "mime/entities.h"

#include <array>
#include <charconv>
#include <vector>

#include "mime/chars.h"
#include "mime/charset.h"

namespace doorward::mime {

namespace {

constexpr std::string_view kNames =
#include "mime/entity_names.inc"
    ;
constexpr size_t kLongestName = 32;

struct Entity {
  std::string_view name;
  bool legacy;
  std::string_view codes;
};

// Views into the table above, cut once: a table of views would cost a relocation each at every start.
const std::vector<Entity>& entities() {
  static const std::vector<Entity> kEntities = [] {
    std::vector<Entity> all;
    all.reserve(2300);
    for (size_t at = 0; at < kNames.size();) {
      const size_t end = kNames.find(' ', at);
      const std::string_view entry = kNames.substr(at, end - at);
      const size_t mark = entry.find_first_of("!:");
      all.push_back({entry.substr(0, mark), entry[mark] == '!', entry.substr(mark + 1)});
      at = end + 1;
    }
    return all;
  }();
  return kEntities;
}

const Entity* find_entity(std::string_view name) {
  const auto& all = entities();
  const auto at = std::ranges::lower_bound(all, name, {}, &Entity::name);
  return at != all.end() && at->name == name ? &*at : nullptr;
}

void append_codes(std::string_view codes, std::string& out) {
  while (!codes.empty()) {
    uint32_t code = 0;
    const auto [end, error] = std::from_chars(codes.data(), codes.data() + codes.size(), code, 16);
    append_code_point(code, out);
    codes.remove_prefix(static_cast<size_t>(end - codes.data()));
    if (!codes.empty()) codes.remove_prefix(1);
  }
}

// Numbers 0x80–0x9f mean windows-1252, as all browsers have it.
void append_number(uint32_t code, std::string& out) {
  if (code >= 0x80 && code < 0xa0) {
    append_utf8(std::string(1, static_cast<char>(code)), "windows-1252", out);
  } else {
    append_code_point(code == 0 ? 0xfffd : code, out);
  }
}

size_t read_number(std::string_view html, size_t at, std::string& out) {
  size_t i = at + 2;
  const bool hex = i < html.size() && lower(html[i]) == 'x';
  if (hex) ++i;
  const size_t digits = i;
  uint32_t code = 0;
  for (; i < html.size(); ++i) {
    const int value = hex_value(html[i]);
    if (value < 0 || (!hex && value > 9)) break;
    if (code < 0x110000) code = code * (hex ? 16 : 10) + static_cast<uint32_t>(value);
  }
  if (i == digits) {
    out.push_back('&');
    return at + 1;
  }
  append_number(code, out);
  return i < html.size() && html[i] == ';' ? i + 1 : i;
}

}  // namespace

size_t read_entity(std::string_view html, size_t at, bool in_attribute, std::string& out) {
  if (at + 1 < html.size() && html[at + 1] == '#') return read_number(html, at, out);
  size_t end = at + 1;
  while (end < html.size() && end - at <= kLongestName && is_alnum(html[end])) ++end;
  const std::string_view name = html.substr(at + 1, end - at - 1);
  if (!name.empty() && end < html.size() && html[end] == ';') {
    if (name == "nbsp") {
      out.append("\xc2\xa0");
      return end + 1;
    }
    if (const Entity* entity = find_entity(name)) {
      append_codes(entity->codes, out);
      return end + 1;
    }
  }
  // The longest old name that may lack its semicolon; those have two to six letters.
  for (size_t length = std::min<size_t>(name.size(), 6); length >= 2; --length) {
    const Entity* entity = find_entity(name.substr(0, length));
    if (entity == nullptr || !entity->legacy) continue;
    const size_t next = at + 1 + length;
    if (in_attribute && next < html.size() && (html[next] == '=' || is_alnum(html[next]))) break;
    append_codes(entity->codes, out);
    return next;
  }
  out.push_back('&');
  return at + 1;
}

std::string decode_attribute(std::string_view value) {
  std::string result;
  result.reserve(value.size());
  for (size_t at = 0; at < value.size();) {
    const size_t amp = std::min(find_byte(value, '&', at), value.size());
    result.append(value.substr(at, amp - at));
    at = amp < value.size() ? read_entity(value, amp, true, result) : amp;
  }
  return result;
}

}  // namespace doorward::mime
