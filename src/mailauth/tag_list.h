// The tag=value lists that signatures and key records are made of (RFC 6376 §3.2), read to the letter, and the forms
// of value that occur in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::mailauth {

struct Tag {
  std::string_view name, value;  // the value without white space around it
  size_t from = 0, to = 0;       // all between the "=" and the ";" or the end, as offsets in the text
};

class TagList {
 public:
  // The error says what is wrong: an empty tag, a name given twice, an octet that may not be there … Names and values
  // are views into `text`. At most 64 tags. Octets of UTF-8 may be in values (RFC 8616 §5).
  static std::expected<TagList, std::string_view> parse(std::string_view text);

  const std::vector<Tag>& tags() const { return tags_; }
  const Tag* find(std::string_view name) const;  // names are compared with case
  std::optional<std::string_view> value(std::string_view name) const;

 private:
  std::vector<Tag> tags_;
};

std::string_view trimmed(std::string_view text);  // of blanks, tabs and line ends
// Octets from Base64 with white space anywhere (RFC 6376 §2.10); padding may be left out, but not wrong.
std::optional<std::string> base64_octets(std::string_view value);
std::string base64_text(std::string_view octets);
std::optional<uint64_t> decimal(std::string_view value);  // digits alone; none where it does not fit
// The entries of a list with colons, white space around them removed; empty ones stay.
std::vector<std::string_view> colon_list(std::string_view value);

}  // namespace doorward::mailauth
