// Secrets of 32 octets as people copy them: tokens of reporters, the gateways' common key.
#pragma once

#include <string>
#include <string_view>

namespace doorward::centre {

std::string new_secret();  // base64url without padding (RFC 4648 §5), 43 characters
// Under which a token is kept, so that a copy of the database lets nobody in.
std::string token_hash(std::string_view token);

}  // namespace doorward::centre
