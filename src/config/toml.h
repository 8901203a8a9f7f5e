// A TOML file as a tree of values that know their lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace doorward::config {

struct Member;

struct Value {
  enum class Kind : uint8_t { table, list, text, integer, number, boolean };
  Kind kind = Kind::table;
  bool boolean = false;
  uint32_t line = 0;  // from 1; of the key, where the value has one
  int64_t integer = 0;
  double number = 0;
  std::string text;  // dates and times too, as TOML writes them
  std::vector<Value> items;
  std::vector<Member> members;  // of a table, in the file's order

  const Value* find(std::string_view key) const;
  std::string_view kind_name() const;  // "a table", "a text" …
};

struct Member {
  std::string key;
  Value value;
};

// Syntax errors name file and line. Files of more than 256 MB are refused.
Result<Value> parse_toml(std::string_view text, const std::string& file_name);
Result<std::string> read_file(const std::string& path);

}  // namespace doorward::config
