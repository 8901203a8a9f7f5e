// The tables of the policy. One SQL text serves SQLite and PostgreSQL.
#pragma once

#include <span>

#include "store/database.h"

namespace doorward::policy {

std::span<const store::Migration> migrations();

}  // namespace doorward::policy
