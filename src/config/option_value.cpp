#include "config/option_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "config/nearest.h"
#include "config/quantity.h"

namespace doorward::config {
namespace {

constexpr size_t kLongestText = 4096;
constexpr size_t kMostItems = 10'000;

std::string_view kind_wanted(OptionType type) {
  switch (type) {
    case OptionType::boolean:
      return "true or false";
    case OptionType::integer:
      return "a whole number";
    case OptionType::number:
      return "a number";
    case OptionType::text:
      return "a text in quotes";
    case OptionType::duration:
      return "a time with its unit in quotes, such as \"30s\"";
    case OptionType::size:
      return "a size with its unit in quotes, such as \"25MB\"";
    case OptionType::choice:
      return "one of the known words in quotes";
    case OptionType::list:
      return "a list of texts, such as [\"a\", \"b\"]";
  }
  return "another kind of value";
}

// `number`: of a duration, its seconds; `text` is how it is told.
Result<void> in_bounds(const OptionInfo& option, double number, std::string_view text) {
  if (option.lowest == option.highest || (number >= option.lowest && number <= option.highest)) return {};
  return fail(fmt::format("{} is outside of {}", text, bounds_text(option)));
}

template <class T>
Result<std::string> check_number(const OptionInfo& option, std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(static_cast<double>(number))) {
    return fail(fmt::format("'{}' is not {}", text.substr(0, 40), kind_wanted(option.type)));
  }
  if (auto fine = in_bounds(option, static_cast<double>(number), fmt::format("{}", number)); !fine)
    return std::unexpected(fine.error());
  return fmt::format("{}", number);
}

Result<std::string> check_choice(const OptionInfo& option, std::string_view text) {
  if (std::ranges::find(option.choices, text) != option.choices.end()) return std::string(text);
  std::string known;
  for (const std::string_view choice : option.choices)
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", choice);
  const std::string_view meant = nearest(text, option.choices);
  return fail(meant.empty() ? fmt::format("\"{}\" is not one of {}", text.substr(0, 40), known)
                            : fmt::format("\"{}\" is not one of {}; did you mean \"{}\"?", text, known, meant));
}

Result<std::string> check_line(std::string_view text) {
  if (text.size() > kLongestText) return fail(fmt::format("the text is longer than {} octets", kLongestText));
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return fail("control characters and line ends are not allowed");
  }
  return std::string(text);
}

}  // namespace

Result<std::string> check(const OptionInfo& option, std::string_view text) {
  switch (option.type) {
    case OptionType::boolean:
      if (text == "true" || text == "false") return std::string(text);
      return fail(fmt::format("'{}' is not true or false", text.substr(0, 40)));
    case OptionType::integer:
      return check_number<int64_t>(option, text);
    case OptionType::number:
      return check_number<double>(option, text);
    case OptionType::text:
      return check_line(text);
    case OptionType::duration: {
      const auto time = parse_duration(text);
      if (!time) return std::unexpected(time.error());
      const double seconds = std::chrono::duration<double>(*time).count();
      std::string canonical = format_duration(*time);
      if (auto fine = in_bounds(option, seconds, canonical); !fine) return std::unexpected(fine.error());
      return canonical;
    }
    case OptionType::size: {
      const auto octets = parse_size(text);
      if (!octets) return std::unexpected(octets.error());
      return format_size(*octets);
    }
    case OptionType::choice:
      return check_choice(option, text);
    case OptionType::list: {
      const auto all = items(text);
      if (all.size() > kMostItems) return fail(fmt::format("the list has more than {} items", kMostItems));
      for (const std::string& item : all) {
        if (auto fine = check_line(item); !fine) return fine;
        if (item.empty()) return fail("an item of the list is empty");
      }
      return std::string(text);
    }
  }
  return fail("the option has no type");
}

Result<std::string> check(const OptionInfo& option, const Value& value) {
  using Kind = Value::Kind;
  const auto wrong = [&] {
    return fail(fmt::format("{} is wanted, not {}", kind_wanted(option.type), value.kind_name()));
  };
  switch (option.type) {
    case OptionType::boolean:
      return value.kind == Kind::boolean ? Result<std::string>(value.boolean ? "true" : "false") : wrong();
    case OptionType::integer:
      return value.kind == Kind::integer ? check(option, fmt::format("{}", value.integer)) : wrong();
    case OptionType::number:
      if (value.kind == Kind::integer) return check(option, fmt::format("{}", value.integer));
      return value.kind == Kind::number ? check(option, fmt::format("{}", value.number)) : wrong();
    case OptionType::list: {
      if (value.kind != Kind::list) return wrong();
      std::vector<std::string> texts;
      for (const Value& item : value.items) {
        if (item.kind != Kind::text) return wrong();
        if (auto fine = check_line(item.text); !fine) return fine;
        texts.push_back(item.text);
      }
      return check(option, join(texts));
    }
    case OptionType::text:
    case OptionType::duration:
    case OptionType::size:
    case OptionType::choice:
      return value.kind == Kind::text ? check(option, value.text) : wrong();
  }
  return wrong();
}

std::string bounds_text(const OptionInfo& option) {
  if (option.lowest == option.highest) return {};
  if (option.type != OptionType::duration) return fmt::format("{} to {}", option.lowest, option.highest);
  const auto text = [](double seconds) {
    return format_duration(std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000)));
  };
  return fmt::format("{} to {}", text(option.lowest), text(option.highest));
}

std::string to_toml(const OptionInfo& option, std::string_view canonical) {
  switch (option.type) {
    case OptionType::boolean:
    case OptionType::integer:
    case OptionType::number:
      return std::string(canonical);
    case OptionType::list:
      return quoted_list(items(canonical));
    case OptionType::text:
    case OptionType::duration:
    case OptionType::size:
    case OptionType::choice:
      return quoted(canonical);
  }
  return quoted(canonical);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string quoted_list(std::span<const std::string> items) {
  std::string out = "[";
  for (const std::string& item : items) {
    if (out.size() > 1) out += ", ";
    out += quoted(item);
  }
  return out + "]";
}

std::vector<std::string> items(std::string_view canonical) {
  std::vector<std::string> found;
  while (!canonical.empty()) {
    const size_t end = std::min(canonical.find('\n'), canonical.size());
    found.emplace_back(canonical.substr(0, end));
    canonical.remove_prefix(std::min(end + 1, canonical.size()));
  }
  return found;
}

std::string join(std::span<const std::string> items) {
  std::string out;
  for (const std::string& item : items) {
    if (!out.empty()) out += '\n';
    out += item;
  }
  return out;
}

}  // namespace doorward::config
