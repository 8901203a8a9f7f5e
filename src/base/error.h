// Expected failures: what went wrong, where, and who must act. Broken invariants throw instead.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace doorward {

// Who can mend it: decides whether a failure is logged, alarmed, or told to the peer.
enum class Blame { peer, operator_, environment };

struct Error {
  std::string what;   // one sentence: what is wrong and, where it helps, how to mend it
  std::string where;  // file:line, table, host … whatever finds the place; may be empty
  Blame blame = Blame::operator_;

  Error(std::string what_text, std::string where_text = {}, Blame who = Blame::operator_)
      : what(std::move(what_text)), where(std::move(where_text)), blame(who) {}

  std::string text() const { return where.empty() ? what : where + ": " + what; }
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string what, std::string where = {}, Blame who = Blame::operator_) {
  return std::unexpected<Error>(std::in_place, std::move(what), std::move(where), who);
}

}  // namespace doorward
