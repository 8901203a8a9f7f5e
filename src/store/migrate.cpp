#include <fmt/format.h>

#include "store/database.h"

namespace doorward::store {
namespace {

Result<int> version_of(Database& database, std::string_view schema) {
  auto select = database.prepare("SELECT version FROM schema_versions WHERE schema = $1");
  if (!select) return std::unexpected(select.error());
  auto row = select->bind(1, schema).step();
  if (!row) return std::unexpected(row.error());
  return *row ? static_cast<int>(select->integer(0)) : 0;
}

Result<void> take_step(Database& database, std::string_view schema, const Migration& migration) {
  return database.transaction([&]() -> Result<void> {
    // Another process may have taken this step while we waited for the lock.
    auto present = version_of(database, schema);
    if (!present) return std::unexpected(present.error());
    if (*present >= migration.version) return {};
    if (auto done = database.execute(migration.sql); !done) return done;
    auto note = database.prepare(
        "INSERT INTO schema_versions (schema, version) VALUES ($1, $2) "
        "ON CONFLICT (schema) DO UPDATE SET version = excluded.version");
    if (!note) return std::unexpected(note.error());
    auto noted = note->bind(1, schema).bind(2, int64_t{migration.version}).step();
    if (!noted) return std::unexpected(noted.error());
    return {};
  });
}

}  // namespace

Result<void> migrate(Database& database, std::string_view schema, std::span<const Migration> migrations) {
  for (size_t i = 0; i < migrations.size(); ++i) {
    if (migrations[i].version != static_cast<int>(i) + 1) {
      return fail(
          fmt::format("the migrations of schema '{}' have a gap before version {}", schema, migrations[i].version));
    }
  }
  if (auto made = database.execute("CREATE TABLE IF NOT EXISTS schema_versions (schema TEXT PRIMARY KEY, "
                                   "version BIGINT NOT NULL)");
      !made) {
    return made;
  }
  auto present = version_of(database, schema);
  if (!present) return std::unexpected(present.error());
  const int newest = static_cast<int>(migrations.size());
  if (*present > newest) {
    return fail(fmt::format("schema '{}' has version {}, but this Doorward knows versions up to {} only: "
                            "start the newer Doorward that made it, or restore the backup from before it",
                            schema, *present, newest),
                database.path());
  }
  for (const Migration& migration : migrations) {
    if (migration.version <= *present) continue;
    if (auto done = take_step(database, schema, migration); !done) return done;
  }
  return {};
}

}  // namespace doorward::store
