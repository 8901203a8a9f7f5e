// Strict reading of one table: what is asked for is taken, what was never asked for is an unknown key.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/option.h"
#include "config/problems.h"
#include "config/toml.h"

namespace doorward::config {

class Table {
 public:
  // Both must outlive it. A value that is no table counts as an empty one, with a problem.
  Table(const Value& value, Problems& problems);

  const Value* take(std::string_view key);
  // The value in the canonical form of `option`, whose name is the key; the option's default where it is not given or
  // wrong (then with a problem).
  std::string take(const OptionInfo& option);
  // The tables of [[key]].
  std::vector<const Value*> take_tables(std::string_view key);
  // Everything not taken yet.
  std::vector<const Member*> rest() const;
  // Calls each key that was not taken unknown; `more` names keys besides those asked for.
  void finish(std::span<const std::string_view> more = {});

  uint32_t line() const { return value_->line; }
  void problem(std::string_view key, const std::string& what);  // at the key's line, if it is there

 private:
  const Value* value_;
  Problems* problems_;
  std::vector<std::string_view> asked_;
  std::vector<bool> taken_;
};

}  // namespace doorward::config
