// The path and parameters of MAIL and RCPT: esmtp-param of RFC 5321 §4.1.2.
#pragma once

#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include "smtp/reply.h"

namespace doorward::smtp {

struct Parameter {
  std::string_view keyword;
  std::optional<std::string_view> value;  // not empty where it stands
};

// What stands after the path. Refused with 501 5.5.4: malformed ones, and a keyword that stands twice.
std::expected<std::vector<Parameter>, Reply> parse_parameters(std::string_view text);

}  // namespace doorward::smtp
