#include "mailauth/result.h"

namespace doorward::mailauth {

std::string_view text(Result result) {
  switch (result) {
    case Result::none:
      return "none";
    case Result::pass:
      return "pass";
    case Result::fail:
      return "fail";
    case Result::softfail:
      return "softfail";
    case Result::neutral:
      return "neutral";
    case Result::policy:
      return "policy";
    case Result::temperror:
      return "temperror";
    case Result::permerror:
      return "permerror";
  }
  return "none";
}

}  // namespace doorward::mailauth
