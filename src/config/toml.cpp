#include "config/toml.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "base/handle.h"

namespace doorward::config {
namespace {

constexpr size_t kLargestFile = 256'000'000;
// A dotted key makes a table of each of its parts, and the library walks nested tables by recursion.
constexpr size_t kMostDotsInLine = 1000;

Value convert(const toml::node& node);

Value convert_table(const toml::table& table) {
  struct Placed {
    toml::source_position at;
    const toml::key* key;
    const toml::node* node;
  };
  std::vector<Placed> placed;
  for (auto&& [key, node] : table) placed.push_back({key.source().begin, &key, &node});
  std::ranges::sort(placed, [](const Placed& a, const Placed& b) { return a.at < b.at; });
  Value value;
  value.members.reserve(placed.size());
  for (const Placed& member : placed) {
    value.members.push_back({std::string(member.key->str()), convert(*member.node)});
    if (const uint32_t line = member.at.line; line != 0) value.members.back().value.line = line;
  }
  return value;
}

template <class T>
std::string written(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

Value convert(const toml::node& node) {
  Value value;
  switch (node.type()) {
    case toml::node_type::table:
      value = convert_table(*node.as_table());
      break;
    case toml::node_type::array:
      value.kind = Value::Kind::list;
      value.items.reserve(node.as_array()->size());
      for (const toml::node& item : *node.as_array()) value.items.push_back(convert(item));
      break;
    case toml::node_type::integer:
      value.kind = Value::Kind::integer;
      value.integer = node.as_integer()->get();
      break;
    case toml::node_type::floating_point:
      value.kind = Value::Kind::number;
      value.number = node.as_floating_point()->get();
      break;
    case toml::node_type::boolean:
      value.kind = Value::Kind::boolean;
      value.boolean = node.as_boolean()->get();
      break;
    case toml::node_type::string:
      value.kind = Value::Kind::text;
      value.text = node.as_string()->get();
      break;
    case toml::node_type::date:
      value.kind = Value::Kind::text;
      value.text = written(node.as_date()->get());
      break;
    case toml::node_type::time:
      value.kind = Value::Kind::text;
      value.text = written(node.as_time()->get());
      break;
    case toml::node_type::date_time:
      value.kind = Value::Kind::text;
      value.text = written(node.as_date_time()->get());
      break;
    case toml::node_type::none:
      break;
  }
  value.line = node.source().begin.line;
  return value;
}

// The first line with more dots than any honest one, or 0.
size_t overlong_line(std::string_view text) {
  size_t line = 1, dots = 0;
  for (const char c : text) {
    if (c == '\n') {
      ++line;
      dots = 0;
    } else if (c == '.' && ++dots > kMostDotsInLine) {
      return line;
    }
  }
  return 0;
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string_view Value::kind_name() const {
  switch (kind) {
    case Kind::table:
      return "a table";
    case Kind::list:
      return "a list";
    case Kind::text:
      return "a text";
    case Kind::integer:
      return "a whole number";
    case Kind::number:
      return "a number";
    case Kind::boolean:
      return "true or false";
  }
  return "nothing";
}

Result<Value> parse_toml(std::string_view text, const std::string& file_name) {
  if (text.size() > kLargestFile)
    return fail(fmt::format("the file is larger than {} octets", kLargestFile), file_name);
  if (const size_t line = overlong_line(text); line != 0) {
    return fail(fmt::format("more than {} dots in one line: divide it", kMostDotsInLine),
                fmt::format("{}:{}", file_name, line));
  }
  try {
    return convert(toml::parse(text, std::string_view(file_name)));
  } catch (const toml::parse_error& error) {
    return fail(std::string(error.description()), fmt::format("{}:{}", file_name, error.source().begin.line));
  }
}

Result<std::string> read_file(const std::string& path) {
  const Handle<std::FILE, std::fclose> file(std::fopen(path.c_str(), "rb"));
  if (!file) return fail(fmt::format("the file cannot be read: {}", std::strerror(errno)), path);
  std::string bytes;
  char block[1 << 16];
  while (const size_t got = std::fread(block, 1, sizeof block, file.get())) {
    bytes.append(block, got);
    if (bytes.size() > kLargestFile) return fail(fmt::format("the file is larger than {} octets", kLargestFile), path);
  }
  if (std::ferror(file.get()) != 0) return fail(fmt::format("the file cannot be read: {}", std::strerror(errno)), path);
  return bytes;
}

}  // namespace doorward::config
