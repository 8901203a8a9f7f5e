// One JSON line per event: {"time":…,"level":…,"event":…, fields…}. Call it with the event's name and its fields:
//   log::info("session.closed", {{"id", id}, {"mails", count}});
// Event names are ROOM.WHAT and stable: people search for them. Addresses and content are data, never format strings.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.h"

namespace doorward::log {

enum class Level { debug, info, warning, error };

// A field's value; views must live until the call returns.
class Value {
 public:
  Value(std::string_view text) : kind_(Kind::text), text_(text) {}
  Value(const char* text) : Value(std::string_view(text)) {}
  Value(const std::string& text) : Value(std::string_view(text)) {}
  Value(bool flag) : kind_(Kind::boolean), integer_(flag) {}
  template <std::integral T>
  Value(T number) : kind_(Kind::integer), integer_(static_cast<int64_t>(number)) {}
  Value(double number) : kind_(Kind::real), real_(number) {}
  void append_json(std::string& out) const;

 private:
  enum class Kind { text, boolean, integer, real };
  Kind kind_;
  std::string_view text_{};
  int64_t integer_ = 0;
  double real_ = 0;
};

struct Field {
  std::string_view name;
  Value value;
};
using Fields = std::initializer_list<Field>;

// Where lines go: "stderr", "stdout", "off", or a file's path (reopened by reopen(), for log rotation). Default stderr.
// A file that cannot be opened is an error, and lines go on to where they went before.
Result<void> set_target(const std::string& target, Level lowest = Level::info);
Result<void> reopen();
bool enabled(Level level);
void write(Level level, std::string_view event, Fields fields);
void flush();

inline void debug(std::string_view event, Fields fields = {}) { write(Level::debug, event, fields); }
inline void info(std::string_view event, Fields fields = {}) { write(Level::info, event, fields); }
inline void warning(std::string_view event, Fields fields = {}) { write(Level::warning, event, fields); }
inline void error(std::string_view event, Fields fields = {}) { write(Level::error, event, fields); }

}  // namespace doorward::log

namespace doorward {

// Appends `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace doorward
