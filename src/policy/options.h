// Every setting of the tenants, described once: file, store, manual and portal read it here.
#pragma once

#include <span>
#include <string_view>

#include "base/error.h"
#include "config/option.h"

namespace doorward::policy {

// All settings, in the order in which they are listed; those of the filters (filter.NAME.on …) come last.
std::span<const config::OptionInfo> options();
// The position in options(); none: -1.
int option_index(std::string_view key);
// What its type does not say: a threshold's words, an address, a rewrite's form; and what this release cannot do yet.
Result<void> check_setting(std::string_view key, std::string_view canonical);

// "normal" → 4, "7" → 7. Precondition: check_setting() passed.
int threshold_of(std::string_view text);

// The names of the filters, as the settings know them.
std::span<const std::string_view> filter_names();

}  // namespace doorward::policy
