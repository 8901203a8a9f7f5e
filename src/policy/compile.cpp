#include "policy/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/log.h"
#include "config/option_value.h"
#include "config/quantity.h"
#include "filter/base_words.h"
#include "mail/ascii.h"
#include "policy/effective.h"
#include "policy/legal.h"
#include "policy/moment.h"
#include "policy/names.h"
#include "policy/options.h"

namespace doorward::policy {
namespace {

double number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::chrono::minutes minutes_of(std::string_view text) {
  return std::chrono::ceil<std::chrono::minutes>(config::parse_duration(text).value_or(std::chrono::minutes(1)));
}

// What one level hands down to those below.
struct Context {
  Effective effective{};
  std::vector<const std::vector<WrittenRule>*> rules{};  // nearest first
  std::vector<const filter::Entries*> entries{};         // nearest first
  uint64_t customer = Policy::kDefaultCustomerId;
  const Tenant* domain = nullptr;
};

class Compiler {
 public:
  Compiler(const Policy& policy, Compiled& into) : policy_(policy), into_(into) {
    for (const Backend& backend : policy.backends) {
      into.backends.push_back(std::make_shared<Backend>(backend));
      backends_[backend.name] = into.backends.back();
    }
    for (const RuleSet& set : policy.rule_sets) rule_sets_[set.name] = &set.rules;
    lists_["base"] = Policy::kBaseListId;
    for (const WrittenWordList& written : policy.word_lists) lists_[written.list.name] = written.list.id;
    for (size_t i = 0; i < options().size(); ++i) {
      if (options()[i].name.starts_with("filter.")) filter_options_.push_back(i);
    }
  }

  Result<void> run();

 private:
  Result<Context> descend(const Context& above, const Tenant& tenant);
  Result<void> add_relay_networks(const Context& context, const Tenant& customer);
  Result<void> add_below(const Context& context, const Tenant& tenant);
  Result<void> add_domain(const Context& context, const Tenant& domain);
  Result<void> add_mailboxes(const Context& context, const Tenant& domain, const std::shared_ptr<const Settings>& own);
  std::shared_ptr<const Settings> settings_of(const Context& context) const;
  action::Settings actions_of(const Effective& effective) const;
  std::vector<std::shared_ptr<const Rule>> rules_of(const Context& context) const;
  std::shared_ptr<const Rule> rule_of(const WrittenRule& written, const Effective& effective,
                                      const std::string& prices) const;

  const Policy& policy_;
  Compiled& into_;
  std::map<std::string, std::shared_ptr<const Backend>, std::less<>> backends_;
  std::map<std::string, const std::vector<WrittenRule>*, std::less<>> rule_sets_;
  std::map<std::string, uint64_t, std::less<>> lists_;
  std::vector<size_t> filter_options_;
  const WrittenRule default_rule_{.name = "default"};
  // Most tenants change nothing of a rule: those share it.
  mutable std::map<std::string, std::shared_ptr<const Rule>> rules_;
  struct AddedDomain {
    const Tenant* tenant;
    Context context;
    std::shared_ptr<const Settings> settings;
  };
  std::vector<AddedDomain> domains_;
};

Result<Context> Compiler::descend(const Context& above, const Tenant& tenant) {
  Context context = above;
  context.effective = above.effective.below(tenant.settings);
  if (!tenant.rules.empty()) context.rules.insert(context.rules.begin(), &tenant.rules);
  if (!tenant.entries.empty()) {
    auto compiled = filter::Entries::compile(tenant.id, tenant.entries);
    if (!compiled) return fail(compiled.error().what, fmt::format("{} {}", name(tenant.level), tenant.name));
    context.entries.insert(context.entries.begin(), compiled->get());
    into_.entries.push_back(std::move(*compiled));
  }
  if (tenant.level == Level::customer) context.customer = tenant.id;
  if (tenant.level == Level::domain) context.domain = &tenant;
  return context;
}

std::shared_ptr<const Rule> Compiler::rule_of(const WrittenRule& written, const Effective& effective,
                                              const std::string& prices) const {
  const std::string_view threshold = written.threshold.empty() ? effective["threshold"] : written.threshold;
  auto& kept = rules_[fmt::format("{} {} {}", static_cast<const void*>(&written), threshold, prices)];
  if (kept) return kept;
  auto rule = std::make_shared<Rule>();
  rule->name = written.name;
  rule->direction = written.direction;
  rule->networks = written.networks;
  rule->sender = pattern_key(written.sender);
  rule->recipient = pattern_key(written.recipient);
  rule->mode = written.mode;
  rule->threshold = threshold_of(threshold);
  for (const std::string_view filter : filter_names()) {
    const auto value = [&](std::string_view what) -> std::string_view {
      const auto own = written.filters.find(fmt::format("{}.{}", filter, what));
      return own != written.filters.end() ? own->second : effective[fmt::format("filter.{}.{}", filter, what)];
    };
    rule->prices.emplace(filter, sheet::FilterPrice{.on = value("on") == "true",
                                                    .weight = number(value("weight")),
                                                    .cap = sheet::Points::of(number(value("cap")))});
  }
  kept = std::move(rule);
  return kept;
}

std::vector<std::shared_ptr<const Rule>> Compiler::rules_of(const Context& context) const {
  std::string prices;
  for (const size_t option : filter_options_) {
    prices += context.effective.at(option);
    prices += ' ';
  }
  std::vector<std::shared_ptr<const Rule>> made;
  const auto add = [&](const std::vector<WrittenRule>& rules) {
    for (const WrittenRule& rule : rules) made.push_back(rule_of(rule, context.effective, prices));
  };
  for (const auto* rules : context.rules) add(*rules);
  for (const std::string& set : config::items(context.effective["rule_sets"])) {
    if (const auto found = rule_sets_.find(set); found != rule_sets_.end()) add(*found->second);
  }
  made.push_back(rule_of(default_rule_, context.effective, prices));
  return made;
}

action::Settings Compiler::actions_of(const Effective& effective) const {
  action::Settings made;
  for (const std::string& rewrite : config::items(effective["rewrites"])) {
    const size_t arrow = rewrite.find(" -> ");
    if (arrow != std::string::npos) made.rewrites.push_back({rewrite.substr(0, arrow), rewrite.substr(arrow + 4)});
  }
  made.secret_suffix = effective["secret_suffix"];
  made.subject_tag_spam = effective["subject_tag.spam"];
  made.subject_tag_content = effective["subject_tag.content"];
  made.subject_tag_newsletter = effective["subject_tag.newsletter"];
  made.score_header = effective["score_header"] == "true";
  made.authentication_results = effective["authentication_results"] == "true";
  made.spam_headers = effective["spam_headers"] == "true";
  made.train = effective["train"] == "true";
  made.train_ham_at_most = static_cast<int>(number(effective["train_ham_at_most"]));
  made.train_spam_from = static_cast<int>(number(effective["train_spam_from"]));
  return made;
}

std::shared_ptr<const Settings> Compiler::settings_of(const Context& context) const {
  const Effective& effective = context.effective;
  auto made = std::make_shared<Settings>();
  made->customer = context.customer;
  if (context.domain != nullptr) {
    made->domain = context.domain->id;
    made->domain_name = context.domain->name;
  }
  made->delivery = value_of<DeliveryMode>(effective["delivery"]).value_or(DeliveryMode::proxy);
  const auto wanted = value_of<LegalMode>(effective["legal"]).value_or(LegalMode::refuse_only);
  made->legal = context.domain != nullptr ? lawful(wanted, context.domain->consents) : lawful(wanted, {});
  made->operation = value_of<Operation>(effective["operation"]).value_or(Operation::normal);
  made->bypass_until = parse_moment(effective["bypass_until"]).value_or(SystemTime{});
  if (const auto backend = backends_.find(effective["backend"]); backend != backends_.end()) {
    made->backend = backend->second;
  }
  made->keep_days = static_cast<int>(number(effective["quarantine.keep_days"]));
  made->any_sender = effective["relay_senders"] == "any";
  made->arc_seal = effective["arc_seal"] == "true";
  for (const std::string& item : config::items(effective["reports_address"])) {
    if (const auto address = mail::parse_mailbox(item)) made->report_addresses.push_back(address->key());
  }
  made->sender_domain = effective["sender_domain"] == "true";
  made->defer_on_dns_failure = effective["dns_failure"] == "defer";
  made->greylist_catch_all = effective["greylist.catch_all"] == "true";
  if (const auto& from = effective["greylist.suspicious_from"]; from != "off") {
    made->greylist_suspicious_from = threshold_of(from);
  }
  made->greylist_catch_all_delay = minutes_of(effective["greylist.catch_all_delay"]);
  made->greylist_suspicious_delay = minutes_of(effective["greylist.suspicious_delay"]);
  for (const std::string& words : config::items(effective["trust.stop_words"])) {
    made->trust_stop_words.push_back(mail::lowered(words));
  }
  made->size_limit = config::parse_size(effective["size_limit"]).value_or(made->size_limit);
  made->rules = rules_of(context);
  made->outcomes.fill(sheet::Disposition::deliver);
  for (const auto klass : {sheet::Class::spam, sheet::Class::virus, sheet::Class::content, sheet::Class::newsletter,
                           sheet::Class::unsure}) {
    const auto chosen = sheet::disposition_of(effective[fmt::format("outcome.{}", sheet::name(klass))]);
    made->outcomes[static_cast<size_t>(klass)] =
        allowed(made->legal, klass, chosen.value_or(sheet::Disposition::deliver));
  }
  made->outcomes[static_cast<size_t>(sheet::Class::sanity)] = sheet::Disposition::refuse;
  made->actions = actions_of(effective);
  made->entries = context.entries;
  for (const std::string& list : config::items(effective["word_lists"])) {
    if (const auto found = lists_.find(list); found != lists_.end()) made->word_lists.push_back(found->second);
  }
  std::ranges::sort(made->word_lists);
  made->owners = made->word_lists;
  made->owners.push_back(context.customer);
  for (const filter::Entries* entries : context.entries) made->owners.push_back(entries->owner());
  std::ranges::sort(made->owners);
  made->owners.erase(std::ranges::unique(made->owners).begin(), made->owners.end());
  return made;
}

Result<void> Compiler::add_domain(const Context& context, const Tenant& domain) {
  const auto parsed = mail::parse_domain(domain.name);
  if (!parsed) return fail(parsed.error().what, fmt::format("domain {}", domain.name));
  const Effective& effective = context.effective;
  const auto legal = value_of<LegalMode>(effective["legal"]).value_or(LegalMode::refuse_only);
  if (const LegalMode holds = lawful(legal, domain.consents); holds != legal) {
    log::warning("policy.consent_missing", {{"domain", domain.name}, {"legal", name(legal)}, {"holds", name(holds)}});
  }
  DomainOptions made;
  made.settings = settings_of(context);
  made.listed_only = effective["recipients"] == "listed";
  made.delimiter = effective["recipient_delimiter"].empty() ? '\0' : effective["recipient_delimiter"].front();
  if (!effective["catch_all"].empty()) {
    const auto mailbox = mail::parse_mailbox(effective["catch_all"]);
    if (!mailbox) return fail(mailbox.error().what, fmt::format("domain {}, catch_all", domain.name));
    made.catch_all = *mailbox;
  }
  domains_.push_back({&domain, context, made.settings});
  if (!into_.directory.add_domain(*parsed, std::move(made))) {
    return fail("the domain is there twice", fmt::format("domain {}", domain.name));
  }
  return {};
}

Result<void> Compiler::add_mailboxes(const Context& context, const Tenant& domain,
                                     const std::shared_ptr<const Settings>& own) {
  std::map<std::string, std::shared_ptr<const Settings>> different;  // by signature: equal settings are one object
  const std::string plain = context.effective.signature();
  for (const Tenant& mailbox : domain.below) {
    const auto address = mail::parse_mailbox(mailbox.name);
    if (!address) return fail(address.error().what, fmt::format("mailbox {}", mailbox.name));
    std::vector<mail::Mailbox> aliases;
    for (const std::string& text : mailbox.aliases) {
      const auto alias = mail::parse_mailbox(text);
      if (!alias) return fail(alias.error().what, fmt::format("alias {} of {}", text, mailbox.name));
      aliases.push_back(*alias);
    }
    std::shared_ptr<const Settings> settings = own;
    if (!mailbox.settings.empty() || !mailbox.rules.empty() || !mailbox.entries.empty()) {
      auto below = descend(context, mailbox);
      if (!below) return std::unexpected(below.error());
      std::string signature = below->effective.signature();
      if (!mailbox.rules.empty() || !mailbox.entries.empty()) signature += mailbox.name;
      if (signature != plain) {
        auto& kept = different[signature];
        if (!kept) kept = settings_of(*below);
        settings = kept;
      }
    }
    into_.directory.add_mailbox(*address, aliases, std::move(settings));
  }
  return {};
}

Result<void> Compiler::add_relay_networks(const Context& context, const Tenant& customer) {
  std::shared_ptr<const Settings> settings;
  for (const std::string& item : config::items(context.effective["relay_networks"])) {
    const auto network = mail::Network::parse(item);
    if (!network) return fail(fmt::format("{} is no network", item), fmt::format("customer {}", customer.name));
    if (!settings) settings = settings_of(context);
    if (!into_.relay_networks.add(*network, settings)) {
      return fail(fmt::format("another customer has the relay network {} too", item),
                  fmt::format("customer {}", customer.name));
    }
  }
  return {};
}

Result<void> Compiler::add_below(const Context& context, const Tenant& tenant) {
  for (const Tenant& below : tenant.below) {
    auto own = descend(context, below);
    if (!own) return std::unexpected(own.error());
    auto done = below.level == Level::domain ? add_domain(*own, below) : add_below(*own, below);
    if (below.level == Level::customer) {
      into_.notice_languages.emplace(below.id, own->effective["notice_language"]);
      into_.trusted_sealers.emplace(below.id, config::items(own->effective["trusted_sealers"]));
    }
    if (done && below.level == Level::customer) done = add_relay_networks(*own, below);
    if (!done) return done;
  }
  return {};
}

// A policy with one customer only: mail without a protected recipient is judged as theirs.
const Tenant* only_customer(const Tenant& provider) {
  const Tenant* only = nullptr;
  size_t count = 0;
  const auto look = [&](const Tenant& tenant) {
    if (tenant.level == Level::customer) {
      only = &tenant;
      ++count;
    }
  };
  for (const Tenant& tenant : provider.below) {
    look(tenant);
    for (const Tenant& below : tenant.below) look(below);
  }
  return count == 1 ? only : nullptr;
}

Result<void> Compiler::run() {
  auto top = descend(Context{}, policy_.provider);
  if (!top) return std::unexpected(top.error());
  if (const Tenant* only = only_customer(policy_.provider)) top->customer = only->id;
  into_.fallback = settings_of(*top);
  top->customer = Policy::kDefaultCustomerId;
  if (auto done = add_below(*top, policy_.provider); !done) return done;
  // Aliases may be in a domain that comes later, so the domains go first.
  for (const AddedDomain& added : domains_) {
    if (auto done = add_mailboxes(added.context, *added.tenant, added.settings); !done) return done;
  }
  into_.directory.finish();
  return {};
}

}  // namespace

std::string pattern_key(std::string_view pattern) {
  std::string key(pattern);
  const size_t at = pattern.rfind('@');
  if (at != std::string_view::npos && pattern.find_first_of("*?", at) == std::string_view::npos) {
    if (const auto domain = mail::parse_domain(pattern.substr(at + 1))) key = key.substr(0, at + 1) + domain->key();
  }
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return key;
}

Result<Compiled> compile(const Policy& policy, const std::string& cache_directory) {
  Compiled compiled;
  std::vector<filter::WordList> lists{filter::base_word_list()};
  lists.front().id = Policy::kBaseListId;
  for (const WrittenWordList& written : policy.word_lists) lists.push_back(written.list);
  auto words = filter::WordAutomaton::compile(std::move(lists), cache_directory);
  if (!words) return std::unexpected(words.error());
  compiled.words = std::move(*words);
  if (auto done = Compiler(policy, compiled).run(); !done) return std::unexpected(done.error());
  return compiled;
}

}  // namespace doorward::policy
