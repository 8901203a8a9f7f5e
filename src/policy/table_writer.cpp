#include "policy/table_writer.h"

#include <optional>

#include "config/option_value.h"
#include "policy/keys.h"
#include "policy/names.h"

namespace doorward::policy {
namespace {

constexpr std::string_view kOwnRules = "own rules";

int64_t number(uint64_t id) { return static_cast<int64_t>(id); }

template <class List>
std::string lines(const List& list) {
  std::vector<std::string> texts;
  texts.reserve(list.size());
  for (const auto& item : list) texts.push_back(item.text());
  return config::join(texts);
}

}  // namespace

// Prepared once, run for every row. The first failure is kept, and later rows are not tried.
struct TableWriter::Statements {
  explicit Statements(store::Database& opened) : database(opened) {}

  void prepare(std::optional<store::Statement>& into, std::string_view sql) {
    if (!state) return;
    auto made = database.prepare(sql);
    if (made) {
      into.emplace(std::move(*made));
    } else {
      state = std::unexpected(made.error());
    }
  }
  void run(store::Statement& statement) {
    if (!state) return;
    if (auto done = statement.step(); !done) state = std::unexpected(done.error());
  }

  store::Database& database;
  Result<void> state{};
  std::optional<store::Statement> tenant{}, setting{}, alias{}, consent{}, entry{}, rule_set{}, rule{}, rule_filter{};
};

Result<void> TableWriter::learn_ids() {
  const auto learn = [&](std::string_view sql) -> Result<void> {
    auto rows = database_.prepare(sql);
    if (!rows) return std::unexpected(rows.error());
    for (;;) {
      auto there = rows->step();
      if (!there) return std::unexpected(there.error());
      if (!*there) return {};
      known_[{rows->text(0), rows->text(1)}] = static_cast<uint64_t>(rows->integer(2));
    }
  };
  for (const std::string_view sql :
       {"SELECT level, name_key, id FROM tenants", "SELECT 'backend', name, id FROM backends",
        "SELECT 'word list', name, id FROM word_lists", "SELECT 'rule set', name, id FROM rule_sets WHERE name <> ''",
        "SELECT 'own rules', CAST(tenant_id AS TEXT), id FROM rule_sets WHERE name = ''"}) {
    if (auto done = learn(sql); !done) return done;
  }
  return {};
}

Result<void> TableWriter::take_ids() {
  if (auto done = learn_ids(); !done) return done;
  auto select = database_.prepare("SELECT next FROM ids");
  if (!select) return std::unexpected(select.error());
  if (auto there = select->step(); !there || !*there) {
    return there ? fail("the table ids is empty", database_.path()) : std::unexpected(there.error());
  }
  auto next = static_cast<uint64_t>(select->integer(0));
  select->reset();
  const auto take = [&](std::string_view what, const std::string& name) {
    const auto found = known_.find({std::string(what), name});
    return found != known_.end() ? found->second : next++;
  };
  const auto take_below = [&](Tenant& tenant, const auto& self) -> void {
    if (tenant.level != Level::provider) tenant.id = take(name(tenant.level), name_key(tenant.level, tenant.name));
    if (!tenant.rules.empty()) own_sets_[tenant.id] = take(kOwnRules, std::to_string(tenant.id));
    for (Tenant& below : tenant.below) self(below, self);
  };
  policy_.provider.id = Policy::kProviderId;
  take_below(policy_.provider, take_below);
  for (Backend& backend : policy_.backends) backend.id = take("backend", backend.name);
  for (RuleSet& set : policy_.rule_sets) set.id = take("rule set", set.name);
  for (WrittenWordList& written : policy_.word_lists) written.list.id = take("word list", written.list.name);
  auto update = database_.prepare("UPDATE ids SET next = $1");
  if (!update) return std::unexpected(update.error());
  if (auto done = update->bind(1, number(next)).step(); !done) return std::unexpected(done.error());
  return {};
}

Result<void> TableWriter::write_rules(Statements& to, uint64_t set, uint64_t tenant, const std::string& set_name,
                                      const std::vector<WrittenRule>& rules) {
  to.run(to.rule_set->bind(1, number(set)).bind(2, number(tenant)).bind(3, set_name));
  int64_t position = 0;
  for (const WrittenRule& rule : rules) {
    to.rule->bind(1, number(set)).bind(2, position).bind(3, rule.name);
    to.rule->bind(4, rule.direction ? name(*rule.direction) : std::string_view{}).bind(5, lines(rule.networks));
    to.run(to.rule->bind(6, rule.sender).bind(7, rule.recipient).bind(8, name(rule.mode)).bind(9, rule.threshold));
    for (const auto& [key, value] : rule.filters) {
      to.run(to.rule_filter->bind(1, number(set)).bind(2, position).bind(3, key).bind(4, value));
    }
    ++position;
  }
  return to.state;
}

Result<void> TableWriter::write_shared(Statements& to) {
  std::optional<store::Statement> backend, list, word;
  to.prepare(backend,
             "INSERT INTO backends (id, tenant_id, name, protocol, addresses, tls, tls_name, max_connections, "
             "timeout_seconds) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
  to.prepare(list, "INSERT INTO word_lists (id, tenant_id, name) VALUES ($1, $2, $3)");
  to.prepare(word,
             "INSERT INTO word_entries (list_id, position, pattern, milli_points, part, spelling, kind) "
             "VALUES ($1, $2, $3, $4, $5, $6, $7)");
  if (!to.state) return to.state;
  const int64_t provider = number(Policy::kProviderId);
  for (const Backend& made : policy_.backends) {
    backend->bind(1, number(made.id)).bind(2, provider).bind(3, made.name).bind(4, name(made.protocol));
    backend->bind(5, lines(made.addresses)).bind(6, name(made.tls)).bind(7, made.tls_name);
    to.run(backend->bind(8, int64_t{made.max_connections}).bind(9, static_cast<int64_t>(made.timeout.count())));
  }
  for (const WrittenWordList& written : policy_.word_lists) {
    to.run(list->bind(1, number(written.list.id)).bind(2, provider).bind(3, written.list.name));
    int64_t position = 0;
    for (const filter::WordEntry& entry : written.list.entries) {
      word->bind(1, number(written.list.id)).bind(2, position++).bind(3, entry.pattern).bind(4, entry.points.milli());
      to.run(word->bind(5, name(entry.where)).bind(6, name(entry.spelling)).bind(7, name(entry.kind)));
    }
  }
  for (const RuleSet& set : policy_.rule_sets) {
    if (auto done = write_rules(to, set.id, Policy::kProviderId, set.name, set.rules); !done) return done;
  }
  return to.state;
}

Result<void> TableWriter::write_owned(Statements& to, const Tenant& tenant) {
  for (const auto& [key, setting] : tenant.settings) {
    to.run(to.setting->bind(1, number(tenant.id)).bind(2, key).bind(3, setting.value).bind(4, int64_t{setting.locked}));
  }
  for (const std::string& alias : tenant.aliases) {
    to.run(to.alias->bind(1, name_key(Level::mailbox, alias)).bind(2, alias).bind(3, number(tenant.id)));
  }
  int64_t position = 0;
  for (const Consent& consent : tenant.consents) {
    to.consent->bind(1, number(tenant.id)).bind(2, position++).bind(3, name(consent.mode));
    to.run(to.consent->bind(4, consent.who).bind(5, consent.when).bind(6, consent.text));
  }
  position = 0;
  for (const filter::Entry& entry : tenant.entries) {
    to.entry->bind(1, number(tenant.id)).bind(2, position++).bind(3, name(entry.kind)).bind(4, entry.pattern);
    to.entry->bind(5, int64_t{entry.pass}).bind(6, entry.recorded_network ? entry.recorded_network->text() : "");
    to.run(to.entry->bind(7, entry.note));
  }
  if (tenant.rules.empty()) return to.state;
  return write_rules(to, own_sets_.at(tenant.id), tenant.id, "", tenant.rules);
}

Result<void> TableWriter::write_tenant(Statements& to, const Tenant& tenant, uint64_t parent) {
  if (tenant.level != Level::provider) {
    to.tenant->bind(1, number(tenant.id)).bind(2, number(parent)).bind(3, name(tenant.level)).bind(4, tenant.name);
    to.run(to.tenant->bind(5, name_key(tenant.level, tenant.name)));
  }
  if (auto done = write_owned(to, tenant); !done) return done;
  for (const Tenant& below : tenant.below) {
    if (auto done = write_tenant(to, below, tenant.id); !done) return done;
  }
  return {};
}

Result<void> TableWriter::run() {
  if (auto done = take_ids(); !done) return done;
  auto cleared = database_.execute(
      "DELETE FROM entries; DELETE FROM consents; DELETE FROM aliases; DELETE FROM settings; DELETE FROM rule_filters; "
      "DELETE FROM rules; DELETE FROM rule_sets; DELETE FROM word_entries; DELETE FROM word_lists; "
      "DELETE FROM backends; DELETE FROM tenants WHERE level = 'mailbox'; DELETE FROM tenants WHERE level = 'domain'; "
      "DELETE FROM tenants WHERE level = 'customer'; DELETE FROM tenants WHERE level = 'reseller'");
  if (!cleared) return cleared;
  Statements to(database_);
  to.prepare(to.tenant, "INSERT INTO tenants (id, parent_id, level, name, name_key) VALUES ($1, $2, $3, $4, $5)");
  to.prepare(to.setting, "INSERT INTO settings (tenant_id, key, value, locked) VALUES ($1, $2, $3, $4)");
  to.prepare(to.alias, "INSERT INTO aliases (address_key, address, tenant_id) VALUES ($1, $2, $3)");
  to.prepare(to.consent,
             "INSERT INTO consents (tenant_id, position, mode, given_by, given_at, agreed) "
             "VALUES ($1, $2, $3, $4, $5, $6)");
  to.prepare(to.entry,
             "INSERT INTO entries (tenant_id, position, kind, pattern, pass, recorded_network, note) "
             "VALUES ($1, $2, $3, $4, $5, $6, $7)");
  to.prepare(to.rule_set, "INSERT INTO rule_sets (id, tenant_id, name) VALUES ($1, $2, $3)");
  to.prepare(to.rule,
             "INSERT INTO rules (set_id, position, name, direction, networks, sender, recipient, mode, threshold) "
             "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
  to.prepare(to.rule_filter, "INSERT INTO rule_filters (set_id, position, key, value) VALUES ($1, $2, $3, $4)");
  if (auto done = write_shared(to); !done) return done;
  return write_tenant(to, policy_.provider, 0);
}

}  // namespace doorward::policy
