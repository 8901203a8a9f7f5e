// Writing mails in tests: lines joined by CRLF, and what was noted about them.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "mime/message.h"

namespace doorward::mime::testing {

inline std::string lines(std::initializer_list<std::string_view> all) {
  std::string result;
  for (const std::string_view line : all) result.append(line).append("\r\n");
  return result;
}

inline bool odd(const Message& message, std::string_view name) {
  return std::ranges::any_of(message.oddities(), [&](const Oddity& oddity) { return oddity.name == name; });
}

// All visible text, a line end between two texts.
inline std::string shown(const Message& message) {
  std::string all;
  for (const Text& text : message.texts()) all.append(all.empty() ? "" : "\n").append(text.visible);
  return all;
}

inline std::string repeated(std::string_view piece, size_t bytes) {
  std::string all;
  all.reserve(bytes + piece.size());
  while (all.size() < bytes) all.append(piece);
  return all;
}

}  // namespace doorward::mime::testing
