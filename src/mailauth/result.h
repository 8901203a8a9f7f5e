// What checking a mail's origin came to, in the words of RFC 8601 §2.7.
#pragma once

#include <cstdint>
#include <string_view>

namespace doorward::mailauth {

enum class Result : uint8_t {
  none,  // nothing was said: no record, no signature
  pass,
  fail,
  softfail,   // SPF alone (RFC 7208 §2.6.5)
  neutral,    // said, and says nothing; of DKIM: could not be understood (RFC 8601 §2.7.1)
  policy,     // it holds, and we do not accept it: too short a key, say
  temperror,  // may be otherwise later: a name server did not answer
  permerror,  // will not be otherwise until somebody mends a record
};
std::string_view text(Result result);

}  // namespace doorward::mailauth
