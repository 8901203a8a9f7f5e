#include "policy/effective.h"

#include <stdexcept>
#include <string>

#include "policy/options.h"

namespace doorward::policy {
namespace {

size_t position(std::string_view key) {
  const int index = option_index(key);
  if (index < 0) throw std::logic_error("no such setting: " + std::string(key));
  return static_cast<size_t>(index);
}

}  // namespace

Effective::Effective() : locked_(options().size()) {
  values_.reserve(options().size());
  for (const auto& option : options()) values_.push_back(option.default_value);
}

Effective Effective::below(const SettingMap& settings) const {
  Effective lower = *this;
  for (const auto& [key, setting] : settings) {
    const int index = option_index(key);
    // A store may hold settings of a filter that this program no longer has.
    if (index < 0 || locked_[static_cast<size_t>(index)]) continue;
    lower.values_[static_cast<size_t>(index)] = setting.value;
    lower.locked_[static_cast<size_t>(index)] = setting.locked;
  }
  return lower;
}

std::string_view Effective::operator[](std::string_view key) const { return values_[position(key)]; }
bool Effective::locked(std::string_view key) const { return locked_[position(key)]; }

std::string Effective::signature() const {
  std::string all;
  for (const std::string_view value : values_) {
    all += value;
    all += '\0';
  }
  return all;
}

}  // namespace doorward::policy
