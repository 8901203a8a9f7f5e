#include "store/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/handle.h"

namespace doorward::store {
namespace {

using Connection = Handle<sqlite3, sqlite3_close_v2>;
using Compiled = Handle<sqlite3_stmt, sqlite3_finalize>;

constexpr int kBusyMilliseconds = 10'000;  // another process (the command line) may hold the write lock that long
constexpr size_t kShownSql = 120;          // octets of the SQL text in an error's place

std::string shown(std::string_view sql) {
  std::string out;
  for (const char c : sql) {
    const bool blank = c == '\n' || c == ' ' || c == '\t';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
    if (out.size() >= kShownSql) return out + "…";
  }
  return out;
}

// What SQLite says, and for the cases that someone can mend, how.
std::unexpected<Error> failure(sqlite3* db, int code, const std::string& path, std::string_view sql) {
  std::string what = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      what = fmt::format("the file is damaged or not a Doorward database ({}): restore it from a backup", what);
      break;
    case SQLITE_FULL:
      what = fmt::format("no space is left for the database ({}): free some on its disk", what);
      break;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      what = fmt::format(
          "the database cannot be written ({}): check that its directory exists and belongs to the "
          "user that Doorward runs as",
          what);
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      what = fmt::format("the database is in use by another process ({}): try again", what);
      break;
    default:
      break;
  }
  std::string where = path;
  if (!sql.empty()) where += fmt::format(" [{}]", shown(sql));
  const bool environment = (code & 0xff) == SQLITE_FULL || (code & 0xff) == SQLITE_IOERR;
  return fail(std::move(what), std::move(where), environment ? Blame::environment : Blame::operator_);
}

}  // namespace

struct Statement::State {
  sqlite3* db = nullptr;
  Compiled compiled{};
  std::string path{};
  int bind_error = SQLITE_OK;

  // "$2" may stand before "$1" in the text, or twice: SQLite numbers by first appearance, so the name decides.
  int index(int position) const {
    return sqlite3_bind_parameter_index(compiled.get(), fmt::format("${}", position).c_str());
  }
  void note(int code) {
    if (bind_error == SQLITE_OK) bind_error = code;
  }
};

Statement::Statement(std::unique_ptr<State> state) : state_(std::move(state)) {}
Statement::~Statement() = default;
Statement::Statement(Statement&&) noexcept = default;
Statement& Statement::operator=(Statement&&) noexcept = default;

Statement& Statement::bind(int position, int64_t value) {
  state_->note(sqlite3_bind_int64(state_->compiled.get(), state_->index(position), value));
  return *this;
}

Statement& Statement::bind(int position, double value) {
  state_->note(sqlite3_bind_double(state_->compiled.get(), state_->index(position), value));
  return *this;
}

Statement& Statement::bind(int position, std::string_view text) {
  const char* data = text.data() != nullptr ? text.data() : "";  // a null pointer would bind NULL
  state_->note(sqlite3_bind_text64(state_->compiled.get(), state_->index(position), data, text.size(), SQLITE_TRANSIENT,
                                   SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_blob(int position, std::string_view bytes) {
  const char* data = bytes.data() != nullptr ? bytes.data() : "";
  state_->note(
      sqlite3_bind_blob64(state_->compiled.get(), state_->index(position), data, bytes.size(), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind_null(int position) {
  state_->note(sqlite3_bind_null(state_->compiled.get(), state_->index(position)));
  return *this;
}

Result<bool> Statement::step() {
  if (state_->bind_error != SQLITE_OK) {
    const int code = std::exchange(state_->bind_error, SQLITE_OK);
    const char* sql = sqlite3_sql(state_->compiled.get());
    if (code == SQLITE_RANGE) return fail("a parameter is bound that the statement does not have", shown(sql));
    return failure(nullptr, code, state_->path, sql);
  }
  const int code = sqlite3_step(state_->compiled.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  auto error = failure(state_->db, code, state_->path, sqlite3_sql(state_->compiled.get()));
  reset();
  return error;
}

void Statement::reset() {
  sqlite3_reset(state_->compiled.get());
  sqlite3_clear_bindings(state_->compiled.get());
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(state_->compiled.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(state_->compiled.get(), column); }

std::string Statement::text(int column) const {
  const void* data = sqlite3_column_blob(state_->compiled.get(), column);
  const int size = sqlite3_column_bytes(state_->compiled.get(), column);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

bool Statement::is_null(int column) const { return sqlite3_column_type(state_->compiled.get(), column) == SQLITE_NULL; }

struct Database::State {
  Connection db{};
  std::string path{};
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  sqlite3* raw = nullptr;
  // One thread at a time uses a connection (the contract), so SQLite need not lock.
  const int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  state->db.reset(raw);
  if (code != SQLITE_OK) return failure(raw, code, path, {});
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // SQLite opens what it may not write for reading, and would say so only at the first change.
  if (sqlite3_db_readonly(raw, "main") == 1) return failure(nullptr, SQLITE_READONLY, path, {});
  std::unique_ptr<Database> database(new Database(std::move(state)));
  // The first statement that reads the file finds out whether it is a database at all.
  for (const char* sql : {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON",
                          "PRAGMA trusted_schema = OFF", "SELECT count(*) FROM sqlite_master"}) {
    if (auto done = database->execute(sql); !done) return std::unexpected(done.error());
  }
  return database;
}

Result<void> Database::execute(std::string_view sql) {
  const std::string text(sql);
  const int code = sqlite3_exec(state_->db.get(), text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(state_->db.get(), code, state_->path, sql);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(state_->db.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return failure(state_->db.get(), code, state_->path, sql);
  if (raw == nullptr) return fail("the statement is empty", state_->path);
  auto state = std::make_unique<Statement::State>();
  state->db = state_->db.get();
  state->compiled.reset(raw);
  state->path = state_->path;
  return Statement(std::move(state));
}

Result<void> Database::transaction(const std::function<Result<void>()>& work) {
  // IMMEDIATE takes the write lock now: a reader that turns writer half-way would fail without waiting.
  if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return begun;
  const auto roll_back = [this] {
    // A full disk may have rolled back already; that is what was wanted.
    if (sqlite3_get_autocommit(state_->db.get()) == 0) (void)execute("ROLLBACK");
  };
  Result<void> done;
  try {
    done = work();
  } catch (...) {
    roll_back();
    throw;
  }
  if (!done) {
    roll_back();
    return done;
  }
  if (auto committed = execute("COMMIT"); !committed) {
    roll_back();
    return committed;
  }
  return {};
}

int64_t Database::last_id() const { return sqlite3_last_insert_rowid(state_->db.get()); }
const std::string& Database::path() const { return state_->path; }

}  // namespace doorward::store
