// Reads the policy file's tables. References between them are validate()'s affair.
#pragma once

#include <span>

#include "config/problems.h"
#include "config/table.h"
#include "policy/model.h"

namespace doorward::policy {

class FileReader {
 public:
  FileReader(Policy& policy, config::Problems& problems) : policy_(policy), problems_(problems) {}
  void read(const config::Value& root);

 private:
  void read_backend(const config::Value& value);
  void read_word_list(const config::Value& value);
  void read_rule_set(const config::Value& value);
  void read_customer(const config::Value& value);
  Tenant read_domain(const config::Value& value);
  Tenant read_mailbox(const config::Value& value, const Tenant& domain);
  std::vector<WrittenRule> read_rules(config::Table& table);
  WrittenRule read_rule(const config::Value& value);
  std::vector<filter::Entry> read_entries(config::Table& table);
  filter::Entry read_entry(const config::Value& value);
  Consent read_consent(const config::Value& value);
  // What every tenant may have: rules, entries, locks and settings; the table's other keys must be taken before.
  void read_common(config::Table& table, Tenant& tenant);
  void read_setting(const std::string& key, const config::Value& value, SettingMap& settings,
                    std::span<const std::string_view> other_keys);
  std::string name_in(config::Table& table, const config::OptionInfo& option);

  Policy& policy_;
  config::Problems& problems_;
};

}  // namespace doorward::policy
