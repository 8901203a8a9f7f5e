// Where score sheets are kept: a table a day, so that expiry is a drop; one writer, in batches. At most the last second
// of sheets is lost in a crash, never a mail. A writer that cannot write raises an alarm and lets the mail go on.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "sheet/sheet.h"

namespace doorward::sheet {

class Archive {
 public:
  struct Options {
    std::string path;  // of the database; ":memory:" for tests
    int keep_days = 30;
    std::chrono::milliseconds batch_every{500};
    size_t most_waiting = 50'000;            // sheets; beyond it they are dropped, counted and told …
    size_t most_octets = size_t{128} << 20;  // … likewise beyond this much memory
  };
  static Result<std::unique_ptr<Archive>> open(Options options, const Clock& clock);
  ~Archive();  // writes what waits

  void add(ScoreSheet sheet);  // from any thread; never blocks on the disk
  void flush();                // returns when everything added before is written, or has failed
  // The sheet of one mail by its reference, in either case. Opens its own connection: for the command line too.
  static Result<ScoreSheet> find(const std::string& path, std::string_view id);

 private:
  struct State;
  explicit Archive(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::sheet
