#include <fmt/format.h>

#include <algorithm>

#include "config/option_value.h"
#include "config/quantity.h"
#include "policy/file.h"
#include "policy/file_options.h"
#include "policy/names.h"
#include "policy/options.h"

namespace doorward::policy {
namespace {

class Writer {
 public:
  std::string write(const Policy& policy);

 private:
  void heading(std::string_view path) { out_ += fmt::format("{}[[{}]]\n", out_.empty() ? "" : "\n", path); }
  void line(std::string_view key, std::string_view toml) { out_ += fmt::format("{} = {}\n", key, toml); }
  // Left out where it is what the file's reader would assume.
  void value(const config::OptionInfo& option, std::string_view canonical) {
    if (canonical != option.default_value) line(option.name, config::to_toml(option, canonical));
  }
  void settings(const SettingMap& settings);
  void setting(const std::string& key, const std::string& text);
  void rules(const std::vector<WrittenRule>& rules, const std::string& path);
  void entries(const std::vector<filter::Entry>& entries, const std::string& path);
  void tenant(const Tenant& tenant, const std::string& path, const std::string& reseller);
  void backend(const Backend& backend);
  void word_list(const filter::WordList& list);

  std::string out_;
};

template <class List>
std::string lines(const List& list) {
  std::vector<std::string> texts;
  texts.reserve(list.size());
  for (const auto& item : list) texts.push_back(item.text());
  return config::join(texts);
}

void Writer::setting(const std::string& key, const std::string& text) {
  const int index = option_index(key);
  if (index < 0) return;  // of a filter that this program no longer has
  const bool number = key == "threshold" && text.find_first_not_of("-0123456789") == std::string::npos;
  line(key, number ? text : config::to_toml(options()[static_cast<size_t>(index)], text));
}

void Writer::settings(const SettingMap& settings) {
  std::vector<std::string> locked;
  for (const auto& option : options()) {
    const auto found = settings.find(option.name);
    if (found == settings.end()) continue;
    setting(found->first, found->second.value);
    if (found->second.locked) locked.push_back(found->first);
  }
  if (!locked.empty()) line("locked", config::quoted_list(locked));
}

void Writer::rules(const std::vector<WrittenRule>& rules, const std::string& path) {
  for (const WrittenRule& rule : rules) {
    heading(path);
    line("name", config::quoted(rule.name));
    if (rule.direction) value(file::kDirection, name(*rule.direction));
    value(file::kNetworks, lines(rule.networks));
    value(file::kSender, rule.sender);
    value(file::kRecipient, rule.recipient);
    line("mode", config::quoted(name(rule.mode)));
    if (!rule.threshold.empty()) setting("threshold", rule.threshold);
    for (const auto& [key, text] : rule.filters) setting("filter." + key, text);
  }
}

void Writer::entries(const std::vector<filter::Entry>& entries, const std::string& path) {
  for (const filter::Entry& entry : entries) {
    heading(path);
    value(file::kKind, name(entry.kind));
    line(entry.pass ? "pass" : "block", config::quoted(entry.pattern));
    if (entry.recorded_network) line("network", config::quoted(entry.recorded_network->text()));
    value(file::kNote, entry.note);
  }
}

void Writer::backend(const Backend& backend) {
  heading("backend");
  line("name", config::quoted(backend.name));
  value(file::kAddresses, lines(backend.addresses));
  line("protocol", config::quoted(name(backend.protocol)));
  line("tls", config::quoted(name(backend.tls)));
  value(file::kTlsName, backend.tls_name);
  value(file::kMaxConnections, fmt::format("{}", backend.max_connections));
  value(file::kTimeout, config::format_duration(backend.timeout));
}

void Writer::word_list(const filter::WordList& list) {
  heading("word_list");
  line("name", config::quoted(list.name));
  for (const filter::WordEntry& entry : list.entries) {
    heading("word_list.entry");
    line("pattern", config::quoted(entry.pattern));
    line("points", entry.points.text());
    value(file::kPart, name(entry.where));
    value(file::kSpelling, name(entry.spelling));
    value(file::kPatternKind, name(entry.kind));
  }
}

void Writer::tenant(const Tenant& tenant, const std::string& path, const std::string& reseller) {
  heading(path);
  line(tenant.level == Level::mailbox ? "address" : "name", config::quoted(tenant.name));
  if (!reseller.empty()) line("reseller", config::quoted(reseller));
  if (!tenant.aliases.empty()) line("aliases", config::quoted_list(tenant.aliases));
  settings(tenant.settings);
  for (const Consent& consent : tenant.consents) {
    heading(path + ".consent");
    line("mode", config::quoted(name(consent.mode)));
    line("who", config::quoted(consent.who));
    line("when", config::quoted(consent.when));
    line("text", config::quoted(consent.text));
  }
  rules(tenant.rules, path + ".rule");
  entries(tenant.entries, path + ".entry");
  for (const Tenant& below : tenant.below) {
    if (below.level == Level::domain || below.level == Level::mailbox) {
      this->tenant(below, fmt::format("{}.{}", path, name(below.level)), "");
    }
  }
}

std::string Writer::write(const Policy& policy) {
  const Tenant& provider = policy.provider;
  if (!provider.settings.empty()) {
    out_ += "[provider]\n";
    settings(provider.settings);
  }
  for (const Backend& made : policy.backends) backend(made);
  for (const WrittenWordList& written : policy.word_lists) word_list(written.list);
  for (const RuleSet& set : policy.rule_sets) {
    heading("rule_set");
    line("name", config::quoted(set.name));
    rules(set.rules, "rule_set.rule");
  }
  rules(provider.rules, "rule");
  entries(provider.entries, "entry");
  for (const Tenant& below : provider.below) {
    if (below.level == Level::reseller) tenant(below, "reseller", "");
  }
  for (const Tenant& below : provider.below) {
    if (below.level == Level::customer) tenant(below, "customer", "");
    for (const Tenant& customer : below.below) {
      if (customer.level == Level::customer) tenant(customer, "customer", below.name);
    }
  }
  return std::move(out_);
}

}  // namespace

std::string to_file(const Policy& policy) {
  Policy sorted = policy;
  sorted.sort();
  return Writer().write(sorted);
}

}  // namespace doorward::policy
