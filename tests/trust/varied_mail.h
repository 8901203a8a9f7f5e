// Mails that are nearly the same, or not at all.
#pragma once

#include <fmt/format.h>

#include <array>
#include <random>
#include <string>
#include <string_view>

#include "mime/message.h"
#include "trust/fingerprint.h"

namespace doorward::trust {

// Words that no two texts share by chance: a text of 120 of them for each number.
inline std::string text_of(unsigned number, size_t words = 120) {
  constexpr std::array kSyllables = {"ba", "ce", "di", "fo", "gu", "ha", "ke",
                                     "li", "mo", "nu", "pa", "re", "si", "to"};
  std::minstd_rand random(number * 7919 + 13);
  std::string text;
  for (size_t word = 0; word < words; ++word) {
    for (int syllable = 0; syllable < 3; ++syllable) text += kSyllables[random() % kSyllables.size()];
    text += word % 12 == 11 ? ".\r\n" : " ";
  }
  return text;
}

inline std::string plain_mail(std::string_view text, std::string_view fields = "") {
  return fmt::format("From: a@example.org\r\nSubject: x\r\n{}\r\n{}", fields, text);
}

inline Fingerprint fingerprint_of_raw(const std::string& raw) { return fingerprint_of(mime::Message::parse(raw)); }
inline Fingerprint fingerprint_of_text(std::string_view text) { return fingerprint_of_raw(plain_mail(text)); }

// Bands, or digests, that both have.
inline size_t shared(const Fingerprint& a, const Fingerprint& b, Likeness kind) {
  const auto first = a.of(kind), second = b.of(kind);
  size_t count = 0;
  for (size_t at = 0; at < std::min(first.size(), second.size()); ++at) count += first[at] == second[at];
  return count;
}

}  // namespace doorward::trust
