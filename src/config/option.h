// One description of each option feeds the configuration file, the policy, the manual, the portal and the metrics.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::config {

enum class OptionType { boolean, integer, number, text, duration, size, choice, list };

struct OptionInfo {
  std::string_view name;
  OptionType type;
  std::string_view unit;           // "points", "mails", … or empty; durations and sizes carry theirs in the value
  std::string_view default_value;  // as a user would write it
  std::string_view sentence;       // one plain sentence, ending in a full stop
  double lowest = 0;               // for integer, number and duration (in seconds); equal bounds mean: any
  double highest = 0;
  std::vector<std::string_view> choices{};  // for choice
};

}  // namespace doorward::config
