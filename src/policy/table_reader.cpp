#include "policy/table_reader.h"

#include "config/option_value.h"
#include "policy/names.h"

namespace doorward::policy {
namespace {

uint64_t id_of(const store::Statement& row, int column) { return static_cast<uint64_t>(row.integer(column)); }

// The tables' CHECKs keep other words out.
template <class Enum>
Enum enum_of(const store::Statement& row, int column, Enum otherwise) {
  return value_of<Enum>(row.text(column)).value_or(otherwise);
}

}  // namespace

Result<void> TableReader::each(std::string_view sql, const Row& row) {
  auto statement = database_.prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  for (;;) {
    auto there = statement->step();
    if (!there) return std::unexpected(there.error());
    if (!*there) return {};
    row(*statement);
  }
}

Tenant* TableReader::tenant(int64_t id) {
  const auto found = tenants_.find(static_cast<uint64_t>(id));
  return found == tenants_.end() ? nullptr : found->second;
}

void TableReader::index(Tenant& tenant) {
  tenants_[tenant.id] = &tenant;
  for (Tenant& below : tenant.below) index(below);
}

Result<void> TableReader::read_tenants() {
  // Level by level: a tenant's address holds once its siblings are all there. Customers stand beside resellers, so
  // those of the provider, whose id is the lowest, come last.
  for (const Level level : {Level::reseller, Level::customer, Level::domain, Level::mailbox}) {
    tenants_.clear();
    index(policy_.provider);
    auto statement =
        database_.prepare("SELECT id, parent_id, name FROM tenants WHERE level = $1 ORDER BY parent_id DESC, name");
    if (!statement) return std::unexpected(statement.error());
    statement->bind(1, name(level));
    for (;;) {
      auto there = statement->step();
      if (!there) return std::unexpected(there.error());
      if (!*there) break;
      Tenant* parent = tenant(statement->integer(1));
      if (parent == nullptr) continue;
      Tenant made;
      made.level = level;
      made.id = id_of(*statement, 0);
      made.name = statement->text(2);
      parent->below.push_back(std::move(made));
    }
  }
  tenants_.clear();
  index(policy_.provider);
  return {};
}

Result<void> TableReader::read_shared() {
  auto done = each(
      "SELECT id, name, protocol, addresses, tls, tls_name, max_connections, timeout_seconds FROM backends ORDER BY "
      "name",
      [&](store::Statement& row) {
        Backend backend;
        backend.id = id_of(row, 0);
        backend.name = row.text(1);
        backend.protocol = enum_of(row, 2, BackendProtocol::smtp);
        for (const std::string& address : config::items(row.text(3))) {
          if (auto parsed = net::Endpoint::parse(address, 25)) backend.addresses.push_back(*parsed);
        }
        backend.tls = enum_of(row, 4, BackendTls::opportunistic);
        backend.tls_name = row.text(5);
        backend.max_connections = static_cast<unsigned>(row.integer(6));
        backend.timeout = std::chrono::seconds(row.integer(7));
        policy_.backends.push_back(std::move(backend));
      });
  if (!done) return done;
  return each(
      "SELECT l.id, l.name, e.pattern, e.milli_points, e.part, e.spelling, e.kind FROM word_lists l "
      "LEFT JOIN word_entries e ON e.list_id = l.id ORDER BY l.name, e.position",
      [&](store::Statement& row) {
        const uint64_t id = id_of(row, 0);
        auto& lists = policy_.word_lists;
        if (lists.empty() || lists.back().list.id != id) lists.push_back({{id, row.text(1), {}}, 0});
        if (row.is_null(2)) return;
        lists.back().list.entries.push_back(
            {row.text(2), sheet::Points::from_milli(row.integer(3)), enum_of(row, 4, filter::Where::both),
             enum_of(row, 5, filter::Spelling::exact), enum_of(row, 6, filter::PatternKind::words)});
      });
}

Result<void> TableReader::read_rules() {
  // A set without a name is its tenant's own; the others are shared ones of the provider.
  std::unordered_map<uint64_t, std::vector<WrittenRule>*> own;
  std::unordered_map<uint64_t, size_t> shared;
  auto done = each("SELECT id, tenant_id, name FROM rule_sets ORDER BY name", [&](store::Statement& row) {
    if (!row.text(2).empty()) {
      shared[id_of(row, 0)] = policy_.rule_sets.size();
      policy_.rule_sets.push_back({id_of(row, 0), row.text(2), {}, 0});
    } else if (Tenant* of = tenant(row.integer(1))) {
      own[id_of(row, 0)] = &of->rules;
    }
  });
  if (!done) return done;
  const auto set_of = [&](uint64_t id) -> std::vector<WrittenRule>* {
    if (const auto found = shared.find(id); found != shared.end()) return &policy_.rule_sets[found->second].rules;
    const auto found = own.find(id);
    return found == own.end() ? nullptr : found->second;
  };
  done = each(
      "SELECT set_id, name, direction, networks, sender, recipient, mode, threshold FROM rules ORDER BY set_id, "
      "position",
      [&](store::Statement& row) {
        auto* rules = set_of(id_of(row, 0));
        if (rules == nullptr) return;
        WrittenRule rule;
        rule.name = row.text(1);
        rule.direction = value_of<sheet::Direction>(row.text(2));
        for (const std::string& network : config::items(row.text(3))) {
          if (auto parsed = mail::Network::parse(network)) rule.networks.push_back(*parsed);
        }
        rule.sender = row.text(4);
        rule.recipient = row.text(5);
        rule.mode = enum_of(row, 6, RuleMode::check);
        rule.threshold = row.text(7);
        rules->push_back(std::move(rule));
      });
  if (!done) return done;
  return each("SELECT set_id, position, key, value FROM rule_filters", [&](store::Statement& row) {
    auto* rules = set_of(id_of(row, 0));
    const auto position = static_cast<size_t>(row.integer(1));
    if (rules != nullptr && position < rules->size()) (*rules)[position].filters[row.text(2)] = row.text(3);
  });
}

Result<void> TableReader::read_owned() {
  auto done = each("SELECT tenant_id, key, value, locked FROM settings", [&](store::Statement& row) {
    if (Tenant* of = tenant(row.integer(0))) of->settings[row.text(1)] = {row.text(2), row.integer(3) != 0, 0};
  });
  if (!done) return done;
  done = each("SELECT tenant_id, address FROM aliases ORDER BY address", [&](store::Statement& row) {
    if (Tenant* of = tenant(row.integer(0))) of->aliases.push_back(row.text(1));
  });
  if (!done) return done;
  done =
      each("SELECT tenant_id, mode, given_by, given_at, agreed FROM consents ORDER BY tenant_id, position",
           [&](store::Statement& row) {
             if (Tenant* of = tenant(row.integer(0))) {
               of->consents.push_back({enum_of(row, 1, LegalMode::quarantine), row.text(2), row.text(3), row.text(4)});
             }
           });
  if (!done) return done;
  return each("SELECT tenant_id, kind, pattern, pass, recorded_network, note FROM entries ORDER BY tenant_id, position",
              [&](store::Statement& row) {
                Tenant* of = tenant(row.integer(0));
                if (of == nullptr) return;
                filter::Entry entry{};
                entry.kind = enum_of(row, 1, filter::EntryKind::sender);
                entry.pattern = row.text(2);
                entry.pass = row.integer(3) != 0;
                entry.recorded_network = mail::Network::parse(row.text(4));
                entry.note = row.text(5);
                of->entries.push_back(std::move(entry));
              });
}

Result<void> TableReader::run() {
  if (auto done = read_shared(); !done) return done;
  if (auto done = read_tenants(); !done) return done;
  if (auto done = read_rules(); !done) return done;
  return read_owned();
}

}  // namespace doorward::policy
