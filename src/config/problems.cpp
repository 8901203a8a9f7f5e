#include "config/problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "config/nearest.h"

namespace doorward::config {
namespace {

constexpr size_t kMostShown = 50;

}  // namespace

void Problems::add(uint32_t line, std::string what) {
  if (lines_.size() < kMostShown) {
    lines_.push_back({line, std::move(what)});
  } else {
    ++more_;
  }
}

void Problems::unknown(uint32_t line, std::string_view what, std::string_view name,
                       std::span<const std::string_view> known) {
  const std::string_view meant = nearest(name, known);
  add(line, meant.empty() ? fmt::format("unknown {} '{}'", what, name.substr(0, 80))
                          : fmt::format("unknown {} '{}'; did you mean '{}'?", what, name, meant));
}

Error Problems::error() const {
  auto sorted = lines_;
  std::ranges::sort(sorted,
                    [](const Line& a, const Line& b) { return std::tie(a.line, a.what) < std::tie(b.line, b.what); });
  std::string text;
  for (const Line& line : sorted) {
    if (!text.empty()) text += '\n';
    text += line.line != 0 ? fmt::format("{}:{}: {}", file_, line.line, line.what)
                           : fmt::format("{}: {}", file_, line.what);
  }
  if (more_ != 0) text += fmt::format("\n{}: and {} more", file_, more_);
  return Error(std::move(text));
}

}  // namespace doorward::config
