#include "config/table.h"

#include <fmt/format.h>

#include "config/option_value.h"

namespace doorward::config {

Table::Table(const Value& value, Problems& problems)
    : value_(&value), problems_(&problems), taken_(value.members.size()) {
  if (value.kind != Value::Kind::table)
    problems.add(value.line, fmt::format("a table is wanted, not {}", value.kind_name()));
}

const Value* Table::take(std::string_view key) {
  asked_.push_back(key);
  for (size_t i = 0; i < value_->members.size(); ++i) {
    if (value_->members[i].key != key) continue;
    taken_[i] = true;
    return &value_->members[i].value;
  }
  return nullptr;
}

std::string Table::take(const OptionInfo& option) {
  const Value* value = take(option.name);
  if (value == nullptr) return std::string(option.default_value);
  auto canonical = check(option, *value);
  if (canonical) return std::move(*canonical);
  problems_->add(value->line, fmt::format("{}: {}", option.name, canonical.error().what));
  return std::string(option.default_value);
}

std::vector<const Value*> Table::take_tables(std::string_view key) {
  std::vector<const Value*> tables;
  const Value* list = take(key);
  if (list == nullptr) return tables;
  if (list->kind != Value::Kind::list) {
    problems_->add(list->line, fmt::format("{} is written with double brackets, as [[{}]]", key, key));
    return tables;
  }
  for (const Value& item : list->items) {
    if (item.kind == Value::Kind::table) {
      tables.push_back(&item);
    } else {
      problems_->add(item.line, fmt::format("{} is a list of tables: write [[{}]]", key, key));
    }
  }
  return tables;
}

std::vector<const Member*> Table::rest() const {
  std::vector<const Member*> left;
  for (size_t i = 0; i < value_->members.size(); ++i) {
    if (!taken_[i]) left.push_back(&value_->members[i]);
  }
  return left;
}

void Table::finish(std::span<const std::string_view> more) {
  const auto left = rest();
  if (left.empty()) return;
  std::vector<std::string_view> known = asked_;
  known.insert(known.end(), more.begin(), more.end());
  for (const Member* member : left) problems_->unknown(member->value.line, "key", member->key, known);
}

void Table::problem(std::string_view key, const std::string& what) {
  const Value* value = value_->find(key);
  problems_->add(value != nullptr ? value->line : value_->line, fmt::format("{}: {}", key, what));
}

}  // namespace doorward::config
