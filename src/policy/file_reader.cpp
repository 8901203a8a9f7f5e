#include "policy/file_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "config/option_value.h"
#include "config/quantity.h"
#include "policy/file.h"
#include "policy/file_options.h"
#include "policy/moment.h"
#include "policy/names.h"
#include "policy/options.h"
#include "policy/validate.h"

namespace doorward::policy {
namespace {

using config::Member;
using config::Problems;
using config::Table;
using config::Value;

template <class Enum>
Enum take_enum(Table& table, const config::OptionInfo& option) {
  return value_of<Enum>(table.take(option)).value_or(Enum{});
}

template <class Number>
Number take_number(Table& table, const config::OptionInfo& option) {
  const std::string text = table.take(option);
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string FileReader::name_in(Table& table, const config::OptionInfo& option) {
  std::string name = table.take(option);
  if (name.empty()) problems_.add(table.line(), fmt::format("{} is missing", option.name));
  return name;
}

void FileReader::read_backend(const Value& value) {
  Table table(value, problems_);
  Backend backend;
  backend.line = value.line;
  backend.name = name_in(table, file::kName);
  for (const std::string& address : config::items(table.take(file::kAddresses))) {
    if (auto endpoint = net::Endpoint::parse(address, 25)) {
      backend.addresses.push_back(*endpoint);
    } else {
      table.problem("address", endpoint.error().text());
    }
  }
  if (backend.addresses.empty()) problems_.add(table.line(), "the backend has no address");
  backend.protocol = take_enum<BackendProtocol>(table, file::kProtocol);
  backend.tls = take_enum<BackendTls>(table, file::kTls);
  backend.tls_name = table.take(file::kTlsName);
  if (backend.tls == BackendTls::required_verified && backend.tls_name.empty()) {
    table.problem("tls", "required-verified needs tls_name, the name to verify");
  }
  backend.max_connections = take_number<unsigned>(table, file::kMaxConnections);
  const auto timeout = config::parse_duration(table.take(file::kTimeout));
  if (timeout) backend.timeout = std::chrono::duration_cast<std::chrono::seconds>(*timeout);
  if (backend.timeout < std::chrono::seconds(1)) table.problem("timeout", "at least 1s");
  table.finish();
  policy_.backends.push_back(std::move(backend));
}

void FileReader::read_word_list(const Value& value) {
  Table table(value, problems_);
  WrittenWordList written;
  written.line = value.line;
  written.list.name = name_in(table, file::kName);
  for (const Value* item : table.take_tables("entry")) {
    Table entry(*item, problems_);
    filter::WordEntry word;
    word.pattern = name_in(entry, file::kPattern);
    word.points = sheet::Points::of(take_number<double>(entry, file::kPoints));
    word.where = take_enum<filter::Where>(entry, file::kPart);
    word.spelling = take_enum<filter::Spelling>(entry, file::kSpelling);
    word.kind = take_enum<filter::PatternKind>(entry, file::kPatternKind);
    if (!word.pattern.empty()) {
      if (auto fine = filter::WordAutomaton::check(word); !fine) entry.problem("pattern", fine.error().what);
    }
    entry.finish();
    written.list.entries.push_back(std::move(word));
  }
  table.finish();
  policy_.word_lists.push_back(std::move(written));
}

void FileReader::read_rule_set(const Value& value) {
  Table table(value, problems_);
  RuleSet set;
  set.line = value.line;
  set.name = name_in(table, file::kName);
  set.rules = read_rules(table);
  table.finish();
  policy_.rule_sets.push_back(std::move(set));
}

std::vector<WrittenRule> FileReader::read_rules(Table& table) {
  std::vector<WrittenRule> rules;
  for (const Value* item : table.take_tables("rule")) rules.push_back(read_rule(*item));
  return rules;
}

WrittenRule FileReader::read_rule(const Value& value) {
  Table table(value, problems_);
  WrittenRule rule;
  rule.name = name_in(table, file::kName);
  rule.direction = value_of<sheet::Direction>(table.take(file::kDirection));
  for (const std::string& text : config::items(table.take(file::kNetworks))) {
    if (const auto network = mail::Network::parse(text)) {
      rule.networks.push_back(*network);
    } else {
      table.problem("networks", fmt::format("\"{}\" is not an address or network such as 192.0.2.0/24", text));
    }
  }
  rule.sender = table.take(file::kSender);
  rule.recipient = table.take(file::kRecipient);
  if (rule.sender.empty()) table.problem("sender", "an empty pattern matches nothing: <> is the null sender, * any");
  if (rule.recipient.empty()) table.problem("recipient", "an empty pattern matches nothing: * is any");
  rule.mode = take_enum<RuleMode>(table, file::kMode);
  SettingMap own;
  if (const Value* threshold = table.take("threshold")) read_setting("threshold", *threshold, own, {});
  if (const Value* filters = table.take("filter")) read_setting("filter", *filters, own, {});
  table.finish();
  for (const auto& [key, setting] : own) {
    if (key == "threshold") {
      rule.threshold = setting.value;
    } else {
      rule.filters[key.substr(std::string_view("filter.").size())] = setting.value;
    }
  }
  return rule;
}

std::vector<filter::Entry> FileReader::read_entries(Table& table) {
  std::vector<filter::Entry> entries;
  for (const Value* item : table.take_tables("entry")) entries.push_back(read_entry(*item));
  return entries;
}

filter::Entry FileReader::read_entry(const Value& value) {
  Table table(value, problems_);
  filter::Entry entry{};
  entry.kind = take_enum<filter::EntryKind>(table, file::kKind);
  const std::string block = table.take(file::kBlock);
  const std::string pass = table.take(file::kPass);
  if (block.empty() == pass.empty()) problems_.add(table.line(), "an entry has either block or pass, with a pattern");
  entry.pass = !pass.empty();
  entry.pattern = entry.pass ? pass : block;
  if (entry.kind == filter::EntryKind::network && !mail::Network::parse(entry.pattern)) {
    table.problem(entry.pass ? "pass" : "block", fmt::format("\"{}\" is not an address or network", entry.pattern));
  }
  if (const std::string network = table.take(file::kNetwork); !network.empty()) {
    entry.recorded_network = mail::Network::parse(network);
    if (!entry.recorded_network) table.problem("network", fmt::format("\"{}\" is not an address or network", network));
    if (!entry.pass) table.problem("network", "only a pass is recorded with a network");
  }
  entry.note = table.take(file::kNote);
  table.finish();
  return entry;
}

Consent FileReader::read_consent(const Value& value) {
  Table table(value, problems_);
  Consent consent;
  consent.mode = value_of<LegalMode>(table.take(file::kConsentMode)).value_or(LegalMode::quarantine);
  consent.who = name_in(table, file::kWho);
  consent.when = name_in(table, file::kWhen);
  if (!consent.when.empty() && !parse_moment(consent.when)) {
    table.problem("when", fmt::format("\"{}\" is not a time such as 2026-01-31 or 2026-01-31T12:00:00Z", consent.when));
  }
  consent.text = name_in(table, file::kText);
  table.finish();
  return consent;
}

void FileReader::read_setting(const std::string& key, const Value& value, SettingMap& settings,
                              std::span<const std::string_view> other_keys) {
  if (const int index = option_index(key); index >= 0) {
    const config::OptionInfo& option = options()[static_cast<size_t>(index)];
    // A threshold is a word or a number, and a person writes the number without quotes.
    const bool number = key == "threshold" && value.kind == Value::Kind::integer;
    auto canonical = number ? config::check(option, fmt::format("{}", value.integer)) : config::check(option, value);
    if (canonical) {
      if (auto fine = check_setting(key, *canonical); !fine) canonical = std::unexpected(fine.error());
    }
    if (!canonical) return problems_.add(value.line, fmt::format("{}: {}", key, canonical.error().what));
    settings[key] = {*canonical, false, value.line};
    return;
  }
  const std::string prefix = key + ".";
  const bool is_group =
      std::ranges::any_of(options(), [&](const auto& option) { return option.name.starts_with(prefix); });
  if (is_group && value.kind == Value::Kind::table) {
    for (const Member& member : value.members) read_setting(prefix + member.key, member.value, settings, other_keys);
    return;
  }
  std::vector<std::string_view> known(other_keys.begin(), other_keys.end());
  for (const auto& option : options()) {
    known.push_back(option.name);
    if (const size_t dot = option.name.rfind('.'); dot != std::string_view::npos)
      known.push_back(option.name.substr(0, dot));
  }
  problems_.unknown(value.line, "key", key, known);
}

void FileReader::read_common(Table& table, Tenant& tenant) {
  tenant.line = table.line();
  tenant.rules = read_rules(table);
  tenant.entries = read_entries(table);
  const auto locked = config::items(table.take(file::kLocked));
  static constexpr std::string_view kOthers[] = {"name",    "reseller", "address", "aliases", "domain",
                                                 "mailbox", "consent",  "locked",  "rule",    "entry"};
  for (const Member* member : table.rest()) read_setting(member->key, member->value, tenant.settings, kOthers);
  for (const std::string& key : locked) {
    const auto setting = tenant.settings.find(key);
    if (setting != tenant.settings.end()) {
      setting->second.locked = true;
    } else {
      table.problem("locked", fmt::format("\"{}\" is not set here: what is locked needs a value", key));
    }
  }
}

Tenant FileReader::read_mailbox(const Value& value, const Tenant& domain) {
  Table table(value, problems_);
  Tenant mailbox;
  mailbox.level = Level::mailbox;
  const auto whole = [&](std::string text, std::string_view key) {
    if (!text.empty() && !mail::parse_mailbox(text)) table.problem(key, fmt::format("\"{}\" is not an address", text));
    return text;
  };
  mailbox.name = whole(name_in(table, file::kAddress), "address");
  if (const auto parsed = mail::parse_mailbox(mailbox.name)) {
    const auto own = mail::parse_domain(domain.name);
    if (own && !(parsed->domain == *own))
      table.problem("address", fmt::format("it is not in the domain {}", domain.name));
  }
  for (const std::string& alias : config::items(table.take(file::kAliases))) {
    mailbox.aliases.push_back(whole(alias, "aliases"));
  }
  read_common(table, mailbox);
  return mailbox;
}

Tenant FileReader::read_domain(const Value& value) {
  Table table(value, problems_);
  Tenant domain;
  domain.level = Level::domain;
  domain.name = name_in(table, file::kName);
  if (const auto parsed = mail::parse_domain(domain.name); !domain.name.empty() && (!parsed || parsed->is_literal())) {
    table.problem("name", fmt::format("\"{}\" is not a domain name", domain.name));
  }
  for (const Value* item : table.take_tables("consent")) domain.consents.push_back(read_consent(*item));
  for (const Value* item : table.take_tables("mailbox")) domain.below.push_back(read_mailbox(*item, domain));
  read_common(table, domain);
  return domain;
}

void FileReader::read_customer(const Value& value) {
  Table table(value, problems_);
  Tenant customer;
  customer.level = Level::customer;
  customer.name = name_in(table, file::kName);
  const std::string reseller = table.take(file::kReseller);
  for (const Value* item : table.take_tables("domain")) customer.below.push_back(read_domain(*item));
  read_common(table, customer);
  if (reseller.empty()) {
    policy_.provider.below.push_back(std::move(customer));
    return;
  }
  for (Tenant& tenant : policy_.provider.below) {
    if (tenant.level != Level::reseller || tenant.name != reseller) continue;
    tenant.below.push_back(std::move(customer));
    return;
  }
  table.problem("reseller", fmt::format("there is no reseller \"{}\"", reseller));
}

void FileReader::read(const Value& root) {
  Table table(root, problems_);
  if (const Value* provider = table.take("provider")) {
    Table own(*provider, problems_);
    read_common(own, policy_.provider);
  }
  for (const Value* item : table.take_tables("backend")) read_backend(*item);
  for (const Value* item : table.take_tables("word_list")) read_word_list(*item);
  for (const Value* item : table.take_tables("rule_set")) read_rule_set(*item);
  for (WrittenRule& rule : read_rules(table)) policy_.provider.rules.push_back(std::move(rule));
  for (filter::Entry& entry : read_entries(table)) policy_.provider.entries.push_back(std::move(entry));
  for (const Value* item : table.take_tables("reseller")) {
    Table own(*item, problems_);
    Tenant reseller;
    reseller.level = Level::reseller;
    reseller.name = name_in(own, file::kName);
    read_common(own, reseller);
    policy_.provider.below.push_back(std::move(reseller));
  }
  for (const Value* item : table.take_tables("customer")) read_customer(*item);
  table.finish();
}

Result<Policy> parse_file(std::string_view text, const std::string& file_name) {
  const auto root = config::parse_toml(text, file_name);
  if (!root) return std::unexpected(root.error());
  Policy policy;
  Problems problems(file_name);
  FileReader(policy, problems).read(*root);
  validate(policy, problems);
  if (!problems.none()) return std::unexpected(problems.error());
  policy.sort();
  return policy;
}

}  // namespace doorward::policy
