// docs/policy-settings.md, made from the settings' descriptions.
#pragma once

#include <string>

namespace doorward::policy {

std::string settings_reference();

}  // namespace doorward::policy
