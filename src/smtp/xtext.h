// xtext of RFC 3461 §4 and its relatives of RFC 6533 §3.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace doorward::smtp {

// No value where `text` is malformed: "+" must be followed by two hexadecimal digits, "=" may not stand.
std::optional<std::string> decode_xtext(std::string_view text);

// The address of ORCPT=utf-8;… in any of its three forms: xtext, \x{…} escapes (utf-8-addr-xtext), or raw UTF-8
// (utf-8-addr-unitext), which only a transaction with SMTPUTF8 may use.
bool is_utf8_address(std::string_view text, bool raw_allowed);

}  // namespace doorward::smtp
