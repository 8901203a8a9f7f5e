#include "action/encoded_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace doorward::action {
namespace {

constexpr size_t kWordBytes = 45;  // of text in one encoded word: 60 of base64 and 12 around it
constexpr size_t kLine = 78;

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string made;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = group << 8U | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (size_t j = 0; j < 4; ++j) made += j <= count ? kDigits[group >> (18 - 6 * j) & 0x3FU] : '=';
  }
  return made;
}

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }

}  // namespace

std::string encoded_text(std::string_view utf8, size_t most) {
  std::string text;
  for (const char c : utf8) {
    if (static_cast<unsigned char>(c) >= 32 && c != 127) text += c;
  }
  if (text.size() > most) {
    size_t end = most;
    while (end > 0 && !begins_character(text[end])) --end;
    text.resize(end);
  }
  if (std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 128; }) && !text.contains("=?"))
    return text;
  std::string made;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(begin + kWordBytes, text.size());
    while (end < text.size() && end > begin + 1 && !begins_character(text[end])) --end;
    if (!made.empty()) made += ' ';
    made += "=?UTF-8?B?" + base64(std::string_view(text).substr(begin, end - begin)) + "?=";
    begin = end;
  }
  return made;
}

std::string header_field(std::string_view name, std::string_view value) {
  std::string made(name);
  made += ':';
  size_t line = made.size();
  while (!value.empty()) {
    const size_t space = value.find(' ');
    const auto word = value.substr(0, space);
    value.remove_prefix(space == std::string_view::npos ? value.size() : space + 1);
    if (word.empty()) continue;
    if (line + 1 + word.size() > kLine && line > name.size() + 1) {
      made += "\r\n";
      line = 0;
    }
    made += ' ';
    made += word;
    line += 1 + word.size();
  }
  return made + "\r\n";
}

}  // namespace doorward::action
