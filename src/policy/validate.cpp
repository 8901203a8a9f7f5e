#include "policy/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/option_value.h"
#include "policy/effective.h"
#include "policy/keys.h"
#include "policy/names.h"

namespace doorward::policy {
namespace {

class Validator {
 public:
  Validator(const Policy& policy, config::Problems& problems) : policy_(policy), problems_(problems) {}

  void run() {
    names("backend", policy_.backends, backends_, [](const Backend& backend) { return backend.name; });
    names("rule_set", policy_.rule_sets, sets_, [](const RuleSet& set) { return set.name; });
    lists_.push_back("base");
    names("word_list", policy_.word_lists, lists_, [](const WrittenWordList& written) { return written.list.name; });
    collect(policy_.provider, nullptr);
    look(policy_.provider, Effective{});
  }

 private:
  template <class List, class NameOf>
  void names(std::string_view what, const List& list, std::vector<std::string>& into, const NameOf& name_of) {
    for (const auto& item : list) {
      const std::string name = name_of(item);
      for (const std::string& other : into) {
        if (other == name) problems_.add(item.line, fmt::format("there is another {} of the name \"{}\"", what, name));
      }
      into.push_back(name);
    }
  }

  // Every name of a tenant and every address, once.
  void collect(const Tenant& tenant, const Tenant* customer) {
    if (tenant.level == Level::customer) customer = &tenant;
    if (tenant.level == Level::domain) customers_.emplace(name_key(tenant.level, tenant.name), customer);
    if (tenant.level != Level::provider) claim(tenant.level, tenant.name, tenant.line);
    for (const std::string& alias : tenant.aliases) claim(Level::mailbox, alias, tenant.line);
    for (const Tenant& below : tenant.below) collect(below, customer);
  }
  void claim(Level level, const std::string& name_given, uint32_t line) {
    const auto [other, fresh] = claimed_.emplace(fmt::format("{} {}", name(level), name_key(level, name_given)), line);
    if (fresh) return;
    problems_.add(line,
                  fmt::format("there is another {} {}{}", level == Level::mailbox ? "mailbox or alias" : name(level),
                              name_given, other->second != 0 ? fmt::format(", at line {}", other->second) : ""));
  }

  void known(const Tenant& tenant, std::string_view key, std::string_view what, const std::vector<std::string>& names) {
    const auto setting = tenant.settings.find(key);
    if (setting == tenant.settings.end()) return;
    const std::vector<std::string_view> views(names.begin(), names.end());
    for (const std::string& item : config::items(setting->second.value)) {
      if (std::ranges::find(names, item) == names.end()) problems_.unknown(setting->second.line, what, item, views);
    }
  }

  void look(const Tenant& tenant, const Effective& above) {
    known(tenant, "backend", "backend", backends_);
    known(tenant, "rule_sets", "rule set", sets_);
    known(tenant, "word_lists", "word list", lists_);
    look_at_catch_all(tenant);
    look_at_relay_networks(tenant);
    for (const auto& [key, setting] : tenant.settings) {
      if (above.locked(key)) problems_.add(setting.line, fmt::format("{} is locked by a level above", key));
    }
    if (tenant.level == Level::mailbox && tenant.settings.empty() && tenant.aliases.empty()) return;
    const Effective own = above.below(tenant.settings);
    if (tenant.level == Level::domain) look_at_domain(tenant, own);
    for (const std::string& alias : tenant.aliases) look_at_alias(tenant, alias);
    for (const Tenant& below : tenant.below) look(below, own);
  }

  void look_at_domain(const Tenant& domain, const Effective& own) {
    if (own["backend"].empty()) problems_.add(domain.line, fmt::format("domain {} has no backend", domain.name));
    if (own["operation"] == "bypass" && own["bypass_until"].empty()) {
      problems_.add(domain.line, fmt::format("domain {} is bypassed without an end: set bypass_until", domain.name));
    }
    if (own["recipients"] != "listed" || !own["catch_all"].empty() || !domain.below.empty()) return;
    problems_.add(domain.line, fmt::format("domain {} knows listed recipients only, but lists none", domain.name));
  }

  // Anything else would be relaying.
  void look_at_catch_all(const Tenant& tenant) {
    const auto setting = tenant.settings.find("catch_all");
    if (setting == tenant.settings.end()) return;
    const auto parsed = mail::parse_mailbox(setting->second.value);
    if (!parsed || claimed_.contains(fmt::format("domain {}", parsed->domain.key()))) return;
    problems_.add(setting->second.line,
                  fmt::format("catch_all: {} is in a domain that is not protected", setting->second.value));
  }

  // Bound to one customer, or a network could send as all that inherit it.
  void look_at_relay_networks(const Tenant& tenant) {
    const auto setting = tenant.settings.find("relay_networks");
    if (setting == tenant.settings.end()) return;
    if (tenant.level != Level::customer) {
      problems_.add(setting->second.line,
                    fmt::format("relay_networks belong to a customer, not to a {}", name(tenant.level)));
      return;
    }
    for (const std::string& item : config::items(setting->second.value)) {
      const auto [other, fresh] = relay_networks_.emplace(item, tenant.name);
      if (fresh || other->second == tenant.name) continue;
      problems_.add(setting->second.line,
                    fmt::format("the relay network {} is the customer {}'s too", item, other->second));
    }
  }

  // Of its own customer's domains: else one customer could have the mail of another.
  void look_at_alias(const Tenant& mailbox, const std::string& alias) {
    const auto parsed = mail::parse_mailbox(alias);
    if (!parsed) return;
    const auto home = customers_.find(parsed->domain.key());
    if (home == customers_.end()) {
      problems_.add(mailbox.line, fmt::format("the alias {} is in a domain that is not protected", alias));
    } else if (home->second != customer_of(mailbox)) {
      problems_.add(mailbox.line, fmt::format("the alias {} is in a domain of another customer", alias));
    }
  }
  const Tenant* customer_of(const Tenant& mailbox) const {
    const auto parsed = mail::parse_mailbox(mailbox.name);
    const auto home = parsed ? customers_.find(parsed->domain.key()) : customers_.end();
    return home != customers_.end() ? home->second : nullptr;
  }

  const Policy& policy_;
  config::Problems& problems_;
  std::vector<std::string> backends_, sets_, lists_;
  std::unordered_map<std::string, uint32_t> claimed_;
  std::unordered_map<std::string, std::string> relay_networks_;  // whose
  std::unordered_map<std::string, const Tenant*> customers_;     // by domain
};

}  // namespace

void validate(const Policy& policy, config::Problems& problems) { Validator(policy, problems).run(); }

}  // namespace doorward::policy
