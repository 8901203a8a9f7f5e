#include "store/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace doorward::store {
namespace {

using testing::HasSubstr;

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "doorward-store-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::unique_ptr<Database> memory() {
  auto opened = Database::open(":memory:");
  EXPECT_TRUE(opened) << opened.error().text();
  return std::move(*opened);
}

int64_t count(Database& database, const std::string& sql) {
  auto statement = database.prepare(sql);
  EXPECT_TRUE(statement) << statement.error().text();
  EXPECT_TRUE(statement->step().value());
  return statement->integer(0);
}

TEST(Database, BindsAndReadsEveryKindOfValue) {
  auto database = memory();
  ASSERT_TRUE(database->execute("CREATE TABLE t (a BIGINT, b DOUBLE PRECISION, c TEXT, d BLOB, e TEXT)"));
  auto insert = database->prepare("INSERT INTO t VALUES ($1, $2, $3, $4, $5)");
  ASSERT_TRUE(insert);
  const std::string bytes("a\0b", 3);
  insert->bind(1, int64_t{1} << 60).bind(2, 0.5).bind(3, "grün").bind_blob(4, bytes).bind_null(5);
  ASSERT_FALSE(insert->step().value());
  auto select = database->prepare("SELECT a, b, c, d, e FROM t");
  ASSERT_TRUE(select->step().value());
  EXPECT_EQ(select->integer(0), int64_t{1} << 60);
  EXPECT_EQ(select->real(1), 0.5);
  EXPECT_EQ(select->text(2), "grün");
  EXPECT_EQ(select->text(3), bytes);
  EXPECT_TRUE(select->is_null(4));
  EXPECT_FALSE(select->step().value());
}

TEST(Database, EmptyTextIsNotNull) {
  auto database = memory();
  auto select = database->prepare("SELECT $1 IS NULL");
  ASSERT_TRUE(select->bind(1, std::string_view{}).step().value());
  EXPECT_EQ(select->integer(0), 0);
}

TEST(Database, ParametersGoByNumberNotByPlace) {
  auto database = memory();
  auto select = database->prepare("SELECT $2, $1, $2");
  ASSERT_TRUE(select->bind(1, "one").bind(2, "two").step().value());
  EXPECT_EQ(select->text(0), "two");
  EXPECT_EQ(select->text(1), "one");
  EXPECT_EQ(select->text(2), "two");
}

TEST(Database, StatementCanBeUsedAgainAndForgetsItsParameters) {
  auto database = memory();
  auto select = database->prepare("SELECT $1");
  ASSERT_TRUE(select->bind(1, "x").step().value());
  ASSERT_FALSE(select->step().value());
  ASSERT_TRUE(select->step().value());
  EXPECT_TRUE(select->is_null(0));
}

TEST(Database, UnknownParameterIsAnError) {
  auto database = memory();
  auto select = database->prepare("SELECT $1");
  select->bind(2, int64_t{1});
  EXPECT_FALSE(select->step());
}

TEST(Database, ErrorsNameTheStatement) {
  auto database = memory();
  auto bad = database->prepare("SELECT  nothing\n FROM nowhere");
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().text(), HasSubstr("nowhere"));
  EXPECT_THAT(bad.error().text(), HasSubstr("[SELECT nothing FROM nowhere]"));
}

TEST(Database, ForeignKeysHold) {
  auto database = memory();
  ASSERT_TRUE(database->execute("CREATE TABLE a (id BIGINT PRIMARY KEY); CREATE TABLE b (a BIGINT REFERENCES a (id))"));
  EXPECT_FALSE(database->execute("INSERT INTO b VALUES (7)"));
}

TEST(Database, TransactionCommitsSuccessAndRollsBackFailureAndExceptions) {
  auto database = memory();
  ASSERT_TRUE(database->execute("CREATE TABLE t (a BIGINT)"));
  ASSERT_TRUE(database->transaction([&] { return database->execute("INSERT INTO t VALUES (1)"); }));
  const auto failed = database->transaction([&]() -> Result<void> {
    EXPECT_TRUE(database->execute("INSERT INTO t VALUES (2)"));
    return fail("changed my mind");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().what, "changed my mind");
  EXPECT_THROW((void)database->transaction([&]() -> Result<void> {
    EXPECT_TRUE(database->execute("INSERT INTO t VALUES (3)"));
    throw std::runtime_error("broken");
  }),
               std::runtime_error);
  EXPECT_EQ(count(*database, "SELECT count(*) FROM t"), 1);
}

TEST(Database, KeepsWhatWasCommitted) {
  const Folder folder;
  {
    auto database = Database::open(folder.file("a.db"));
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->execute("CREATE TABLE t (a BIGINT); INSERT INTO t VALUES (41), (42)"));
  }
  auto again = Database::open(folder.file("a.db"));
  ASSERT_TRUE(again);
  EXPECT_EQ(count(**again, "SELECT max(a) FROM t"), 42);
  auto mode = (*again)->prepare("PRAGMA journal_mode");
  ASSERT_TRUE(mode->step().value());
  EXPECT_EQ(mode->text(0), "wal");
}

TEST(Database, ReadsWhileAnotherConnectionWrites) {
  const Folder folder;
  auto writer = Database::open(folder.file("a.db"));
  auto reader = Database::open(folder.file("a.db"));
  ASSERT_TRUE(writer && reader);
  ASSERT_TRUE((*writer)->execute("CREATE TABLE t (a BIGINT)"));
  ASSERT_TRUE((*writer)->transaction([&]() -> Result<void> {
    EXPECT_TRUE((*writer)->execute("INSERT INTO t VALUES (1)"));
    EXPECT_EQ(count(**reader, "SELECT count(*) FROM t"), 0);
    return {};
  }));
  EXPECT_EQ(count(**reader, "SELECT count(*) FROM t"), 1);
}

TEST(Database, SaysThatTheFileIsNoDatabase) {
  const Folder folder;
  std::ofstream(folder.file("a.db")) << std::string(5000, 'x');
  auto opened = Database::open(folder.file("a.db"));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().text(), HasSubstr("damaged or not a Doorward database"));
  EXPECT_THAT(opened.error().text(), HasSubstr("a.db"));
}

TEST(Database, SaysThatTheFolderIsMissing) {
  const Folder folder;
  auto opened = Database::open(folder.file("none/a.db"));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().text(), HasSubstr("check that its directory exists"));
}

TEST(Database, FullDiskIsAClearErrorAndNothingIsHalfWritten) {
  const Folder folder;
  auto opened = Database::open(folder.file("a.db"));
  ASSERT_TRUE(opened);
  Database& database = **opened;
  ASSERT_TRUE(database.execute("CREATE TABLE t (a TEXT); PRAGMA max_page_count = 20"));
  const auto done = database.transaction([&]() -> Result<void> {
    auto insert = database.prepare("INSERT INTO t VALUES ($1)");
    for (int i = 0; i < 1000; ++i) {
      auto stepped = insert->bind(1, std::string(1000, 'x')).step();
      if (!stepped) return std::unexpected(stepped.error());
    }
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("no space is left"));
  EXPECT_EQ(done.error().blame, Blame::environment);
  EXPECT_EQ(count(database, "SELECT count(*) FROM t"), 0);
  EXPECT_TRUE(database.execute("INSERT INTO t VALUES ('small')"));
}

constexpr Migration kSteps[] = {
    {1, "CREATE TABLE m (a BIGINT); INSERT INTO m VALUES (1)"},
    {2, "ALTER TABLE m ADD COLUMN b TEXT"},
    {3, "INSERT INTO m VALUES (3, 'three')"},
};

TEST(Migrate, TakesEachStepOnce) {
  auto database = memory();
  ASSERT_TRUE(migrate(*database, "things", std::span(kSteps, 1)));
  EXPECT_EQ(count(*database, "SELECT count(*) FROM m"), 1);
  ASSERT_TRUE(migrate(*database, "things", kSteps));
  ASSERT_TRUE(migrate(*database, "things", kSteps));
  EXPECT_EQ(count(*database, "SELECT count(*) FROM m"), 2);
  EXPECT_EQ(count(*database, "SELECT version FROM schema_versions WHERE schema = 'things'"), 3);
}

TEST(Migrate, SchemasOfOneDatabaseCountByThemselves) {
  auto database = memory();
  ASSERT_TRUE(migrate(*database, "things", kSteps));
  constexpr Migration other[] = {{1, "CREATE TABLE o (a BIGINT)"}};
  ASSERT_TRUE(migrate(*database, "others", other));
  EXPECT_EQ(count(*database, "SELECT version FROM schema_versions WHERE schema = 'others'"), 1);
}

TEST(Migrate, RefusesANewerDatabase) {
  auto database = memory();
  ASSERT_TRUE(migrate(*database, "things", kSteps));
  const auto older = migrate(*database, "things", std::span(kSteps, 2));
  ASSERT_FALSE(older);
  EXPECT_THAT(older.error().what, HasSubstr("has version 3, but this Doorward knows versions up to 2"));
}

TEST(Migrate, AFailedStepLeavesTheVersionBeforeIt) {
  auto database = memory();
  constexpr Migration broken[] = {{1, "CREATE TABLE m (a BIGINT)"}, {2, "CREATE TABLE n (a BIGINT); NONSENSE"}};
  EXPECT_FALSE(migrate(*database, "things", broken));
  EXPECT_EQ(count(*database, "SELECT version FROM schema_versions WHERE schema = 'things'"), 1);
  EXPECT_EQ(count(*database, "SELECT count(*) FROM sqlite_master WHERE name = 'n'"), 0);
}

TEST(Migrate, AGapIsRefused) {
  auto database = memory();
  constexpr Migration gap[] = {{1, "CREATE TABLE m (a BIGINT)"}, {3, "CREATE TABLE n (a BIGINT)"}};
  EXPECT_FALSE(migrate(*database, "things", gap));
}

}  // namespace
}  // namespace doorward::store
