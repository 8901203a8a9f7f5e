// For threads that must go on whatever one piece of work does: an exception that leaves a thread ends the process.
#pragma once

#include <exception>
#include <string_view>
#include <utility>

#include "base/task.h"

namespace doorward {

// Logs what was thrown and counts it (doorward_exceptions_total). `where` is a word of the program's own.
void report_exception(std::string_view where, const std::exception& thrown) noexcept;

// Runs `work`; false when it threw, which is reported: memory that ran out, or a broken invariant.
template <class Work>
bool guarded(std::string_view where, Work&& work) {
  try {
    work();
    return true;
  } catch (const std::exception& thrown) {
    report_exception(where, thrown);
    return false;
  }
}

// The same for what is spawned: spawn(guarded_task("where", work())).
inline Task<void> guarded_task(std::string_view where, Task<void> work) {
  try {
    co_await std::move(work);
  } catch (const std::exception& thrown) {
    report_exception(where, thrown);
  }
}

}  // namespace doorward
