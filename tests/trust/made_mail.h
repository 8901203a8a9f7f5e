// Made-up mails of two kinds, enough to learn from.
#pragma once

#include <fmt/format.h>

#include <array>
#include <random>
#include <string>

#include "mime/message.h"
#include "trust/word_statistics.h"

namespace doorward::trust {

inline constexpr std::array kGoodWords = {"meeting", "invoice", "project", "schedule", "regards", "minutes", "review"};
inline constexpr std::array kBadWords = {"winner", "lottery", "pills", "casino", "urgent", "million", "discount"};

// A mail of ten words of its kind and ten of neither, other ones for each number.
inline std::string made_mail(Label label, unsigned number) {
  std::minstd_rand random(number * 2 + (label == Label::spam ? 1 : 0) + 1);
  const auto& words = label == Label::spam ? kBadWords : kGoodWords;
  std::string text = fmt::format("From: a{}@example.org\r\nTo: b@example.com\r\nSubject: note {}\r\n\r\n",
                                 random() % 50, random() % 100);
  for (int count = 0; count < 10; ++count) {
    text += fmt::format("{} thing{} ", words[random() % words.size()], random() % 500);
  }
  return text + "\r\n";
}

inline Features made_features(Label label, unsigned number) {
  const std::string raw = made_mail(label, number);
  return features_of(mime::Message::parse(raw));
}

inline void teach(WordStatistics& statistics, unsigned mails, uint64_t customer = 0, unsigned first = 0) {
  for (unsigned number = first; number < first + mails; ++number) {
    for (const Label label : {Label::ham, Label::spam}) {
      statistics.learn(made_features(label, number), customer, label);
    }
  }
}

}  // namespace doorward::trust
