// A mail for a filter's test, with all that a Case points to.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "filter/filter.h"

namespace doorward::filter {

struct TestMail {
  explicit TestMail(std::string text) : raw(with_crlf(text)), message(mime::Message::parse(raw)) {}

  sheet::Findings judged_by(const Filter& filter) const {
    sheet::Findings findings;
    filter.judge(Case{message, client, envelope, direction, now, facts, input}, findings);
    for (const auto& finding : findings) {
      const auto& symbols = filter.info().symbols;
      const bool known = std::ranges::any_of(symbols, [&](const auto& info) { return info.symbol == finding.symbol; });
      if (!known || finding.filter != filter.info().name) unknown.push_back(std::string(finding.symbol));
    }
    return findings;
  }
  bool has(const Filter& filter, std::string_view symbol) const {
    return std::ranges::any_of(judged_by(filter), [&](const auto& finding) { return finding.symbol == symbol; });
  }
  static std::string with_crlf(const std::string& text) {
    std::string made;
    for (const char c : text) {
      if (c == '\n' && (made.empty() || made.back() != '\r')) made += '\r';
      made += c;
    }
    return made;
  }

  std::string raw;
  mime::Message message;
  mail::Client client;
  mail::Envelope envelope;
  sheet::Direction direction = sheet::Direction::inbound;
  SystemTime now{};
  Facts facts;
  Input input;
  mutable std::vector<std::string> unknown;  // symbols that the filter emitted and does not describe
};

}  // namespace doorward::filter
