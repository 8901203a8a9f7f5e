// Dates as header fields have them.
#pragma once

#include <string>

#include "base/clock.h"

namespace doorward::mail {

// RFC 5322 §3.3, in UTC: "Mon, 23 Nov 2026 09:00:00 +0000". Of years from 1970 to 9999; others become the nearest.
std::string date_time(SystemTime time);

}  // namespace doorward::mail
