#include "policy/schema.h"

#include <array>

namespace doorward::policy {
namespace {

// Ids come from one counter, so that an id names one thing among tenants, lists, sets and backends. 1 is the base word
// list, 2 the provider, 3 the customer of mail without one; up to 99 is reserved.
constexpr std::string_view kFirst = R"sql(
CREATE TABLE ids (next BIGINT NOT NULL);
INSERT INTO ids (next) VALUES (100);

CREATE TABLE tenants (
  id BIGINT PRIMARY KEY,
  parent_id BIGINT REFERENCES tenants (id),
  level TEXT NOT NULL CHECK (level IN ('provider', 'reseller', 'customer', 'domain', 'mailbox')),
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  UNIQUE (level, name_key),
  CHECK ((level = 'provider') = (parent_id IS NULL))
);
CREATE INDEX tenants_by_parent ON tenants (parent_id);
INSERT INTO tenants (id, parent_id, level, name, name_key) VALUES (2, NULL, 'provider', '', '');

CREATE TABLE aliases (
  address_key TEXT PRIMARY KEY,
  address TEXT NOT NULL,
  tenant_id BIGINT NOT NULL REFERENCES tenants (id)
);
CREATE INDEX aliases_by_tenant ON aliases (tenant_id);

CREATE TABLE settings (
  tenant_id BIGINT NOT NULL REFERENCES tenants (id),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  locked BIGINT NOT NULL CHECK (locked IN (0, 1)),
  PRIMARY KEY (tenant_id, key)
);

CREATE TABLE consents (
  tenant_id BIGINT NOT NULL REFERENCES tenants (id),
  position BIGINT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('quarantine', 'discard')),
  given_by TEXT NOT NULL,
  given_at TEXT NOT NULL,
  agreed TEXT NOT NULL,
  PRIMARY KEY (tenant_id, position)
);

CREATE TABLE backends (
  id BIGINT PRIMARY KEY,
  tenant_id BIGINT NOT NULL REFERENCES tenants (id),
  name TEXT NOT NULL UNIQUE,
  protocol TEXT NOT NULL CHECK (protocol IN ('smtp', 'lmtp')),
  addresses TEXT NOT NULL,
  tls TEXT NOT NULL CHECK (tls IN ('off', 'opportunistic', 'required', 'required-verified')),
  tls_name TEXT NOT NULL,
  max_connections BIGINT NOT NULL,
  timeout_seconds BIGINT NOT NULL
);

CREATE TABLE rule_sets (
  id BIGINT PRIMARY KEY,
  tenant_id BIGINT NOT NULL REFERENCES tenants (id),
  name TEXT NOT NULL,
  UNIQUE (tenant_id, name)
);
CREATE TABLE rules (
  set_id BIGINT NOT NULL REFERENCES rule_sets (id),
  position BIGINT NOT NULL,
  name TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('', 'inbound', 'outbound')),
  networks TEXT NOT NULL,
  sender TEXT NOT NULL,
  recipient TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('reject', 'pass', 'check')),
  threshold TEXT NOT NULL,
  PRIMARY KEY (set_id, position)
);
CREATE TABLE rule_filters (
  set_id BIGINT NOT NULL REFERENCES rule_sets (id),
  position BIGINT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (set_id, position, key)
);

CREATE TABLE word_lists (
  id BIGINT PRIMARY KEY,
  tenant_id BIGINT NOT NULL REFERENCES tenants (id),
  name TEXT NOT NULL UNIQUE
);
CREATE TABLE word_entries (
  list_id BIGINT NOT NULL REFERENCES word_lists (id),
  position BIGINT NOT NULL,
  pattern TEXT NOT NULL,
  milli_points BIGINT NOT NULL CHECK (milli_points BETWEEN -10000 AND 10000),
  part TEXT NOT NULL CHECK (part IN ('subject', 'body', 'both')),
  spelling TEXT NOT NULL CHECK (spelling IN ('exact', 'similar')),
  kind TEXT NOT NULL CHECK (kind IN ('words', 'regex')),
  PRIMARY KEY (list_id, position)
);

CREATE TABLE entries (
  tenant_id BIGINT NOT NULL REFERENCES tenants (id),
  position BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('sender', 'sender-domain', 'network', 'file-name', 'subject-part', 'body-part')),
  pattern TEXT NOT NULL,
  pass BIGINT NOT NULL CHECK (pass IN (0, 1)),
  recorded_network TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (tenant_id, position)
);
)sql";

constexpr std::array<store::Migration, 1> kMigrations{{{1, kFirst}}};

}  // namespace

std::span<const store::Migration> migrations() { return kMigrations; }

}  // namespace doorward::policy
