#include "mime/html_attributes.h"

#include "mime/chars.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMaxAttributes = 100;

void keep(std::string_view name, std::string_view value, Attributes& attributes) {
  const Attribute id = kAttributeNames.find(name, name_hash(name));
  if (id == Attribute::unknown) {
    if (name.size() > 3 && istarts_with(name, "on")) ++attributes.events;
    return;
  }
  if (attributes.has(id)) return;  // the first counts
  attributes.values[static_cast<size_t>(id)] = value;
  attributes.given[static_cast<size_t>(id)] = true;
}

}  // namespace

std::string_view read_tag_name(std::string_view html, size_t at) {
  size_t end = at;
  while (end < html.size() && !is_space(html[end]) && html[end] != '/' && html[end] != '>') ++end;
  return html.substr(at, end - at);
}

Attributes AttributeReader::read(std::string_view html, size_t& at) {
  Attributes attributes;
  for (size_t count = 0;; ++count) {
    while (at < html.size() && (is_space(html[at]) || html[at] == '/')) ++at;
    if (at >= html.size()) return attributes;
    if (html[at] == '>') {
      ++at;
      return attributes;
    }
    const size_t begin = at++;  // an attribute may begin with "="
    while (at < html.size() && !is_space(html[at]) && html[at] != '/' && html[at] != '>' && html[at] != '=') ++at;
    const std::string_view name = html.substr(begin, at - begin);
    size_t equals = at;
    while (equals < html.size() && is_space(html[equals])) ++equals;
    std::string_view value;
    if (equals < html.size() && html[equals] == '=') {
      at = equals + 1;
      value = read_value(html, at);
    }
    if (count < kMaxAttributes) keep(name, value, attributes);
  }
}

std::string_view AttributeReader::read_value(std::string_view html, size_t& at) {
  while (at < html.size() && is_space(html[at])) ++at;
  if (at >= html.size()) return {};
  const char quote = html[at];
  if (quote == '"' || quote == '\'') {
    // Where no quote closes, the tag ends at its first ">": a browser would drop the rest of the document, others do
    // not. It is noted, lest every tag looks through the rest in vain.
    bool& none_behind = no_more_[in_conditional_ ? 1 : 0][quote == '"' ? 1 : 0];
    const size_t end = none_behind ? kNone : find_byte(html, quote, at + 1);
    if (end != kNone) {
      const std::string_view value = html.substr(at + 1, end - at - 1);
      at = end + 1;
      return value;
    }
    none_behind = true;
    ++at;
  }
  const size_t begin = at;
  while (at < html.size() && !is_space(html[at]) && html[at] != '>') ++at;
  return html.substr(begin, at - begin);
}

}  // namespace doorward::mime
