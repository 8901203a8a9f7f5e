// SQLite behind small RAII types; one SQL text serves SQLite and PostgreSQL ($1, ON CONFLICT, RETURNING).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace doorward::store {

// A prepared statement: bind by position from 1, step, read columns from 0.
class Statement {
 public:
  ~Statement();
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  Statement& bind(int position, int64_t value);
  Statement& bind(int position, double value);
  Statement& bind(int position, std::string_view text);
  Statement& bind_blob(int position, std::string_view bytes);
  Statement& bind_null(int position);
  Result<bool> step();  // true: a row is there; false: done (and reset, so that it can be bound again)
  void reset();
  int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  struct State;
  explicit Statement(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// One connection; used by one thread at a time. WAL, synchronous=NORMAL for sheets, FULL where a 250 depends on it.
class Database {
 public:
  static Result<std::unique_ptr<Database>> open(const std::string& path);  // ":memory:" for tests
  ~Database();
  Result<void> execute(std::string_view sql);  // one or more statements without results
  Result<Statement> prepare(std::string_view sql);
  // Commits when `work` returns success, else rolls back.
  Result<void> transaction(const std::function<Result<void>()>& work);
  int64_t last_id() const;
  const std::string& path() const;

 private:
  struct State;
  explicit Database(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct Migration {
  int version;  // 1, 2, 3 … without gaps, per schema
  std::string_view sql;
};
// Brings `schema` ("policy", "sheets") to the newest version, each step in a transaction of its own; a newer database
// than the program knows is an error that says so.
Result<void> migrate(Database& database, std::string_view schema, std::span<const Migration> migrations);

}  // namespace doorward::store
