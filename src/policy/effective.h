// The values of all settings at one level of the tenants, after inheritance from above.
#pragma once

#include <string_view>
#include <vector>

#include "policy/model.h"

namespace doorward::policy {

// Views into the options' defaults and into the policy it was made from, which must outlive it.
class Effective {
 public:
  Effective();  // the defaults

  // One level further down: `settings` replace what no level above has locked.
  Effective below(const SettingMap& settings) const;

  std::string_view operator[](std::string_view key) const;
  std::string_view at(size_t option) const { return values_[option]; }  // by position in options()
  bool locked(std::string_view key) const;
  // Equal signatures mean equal values.
  std::string signature() const;

 private:
  std::vector<std::string_view> values_;
  std::vector<bool> locked_;
};

}  // namespace doorward::policy
