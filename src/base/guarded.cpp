#include "base/guarded.h"

#include "base/log.h"
#include "base/metrics.h"

namespace doorward {

void report_exception(std::string_view where, const std::exception& thrown) noexcept {
  try {
    metrics::counter("doorward_exceptions_total", "Pieces of work that ended in an exception and were dropped",
                     {{"where", where}})
        .add();
    log::error("exception", {{"where", where}, {"what", thrown.what()}});
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): no memory to tell it with
  }
}

}  // namespace doorward
