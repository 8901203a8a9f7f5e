// The form in which a tenant's name is compared.
#pragma once

#include <string>
#include <string_view>

#include "policy/model.h"

namespace doorward::policy {

// Of a domain its A-labels, of a mailbox Mailbox::key(), of the others lower case.
std::string name_key(Level level, std::string_view name);

}  // namespace doorward::policy
