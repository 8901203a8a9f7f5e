// The id of a mail, of a session, of anything: a ULID (48 bits of milliseconds, 80 random bits, Crockford base 32).
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace doorward {

// 26 characters; ids made later sort later. Safe from any thread.
std::string new_id(SystemTime now);

// Whether `text` has the form of an id (26 characters of Crockford's alphabet, first one 0 to 7), in either case.
bool is_id(std::string_view text);

// When the id was made. Precondition: is_id(id).
SystemTime id_time(std::string_view id);

}  // namespace doorward
