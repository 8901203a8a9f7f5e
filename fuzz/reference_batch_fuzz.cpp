// Batches of reference ids, as gateways and centre get them: what is taken is bounded, and says the same when it is
// written again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "trust/reference_batch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace doorward::trust;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto questions = parse_questions(text)) {
    if (questions->size() > kMostInBatch) abort();
    if (questions_text({questions->begin(), questions->end()}) != text) abort();
  }
  if (const auto reports = parse_reports(text); reports && reports_text(*reports) != text) abort();
  if (const auto answers = parse_answers(text)) {
    if (answers->size() > kMostInBatch) abort();
    const auto again = parse_answers(answers_text(*answers));
    if (!again || again->size() != answers->size()) abort();
    for (size_t at = 0; at < answers->size(); ++at) {
      if ((*again)[at].spam != (*answers)[at].spam || (*again)[at].known != (*answers)[at].known) abort();
    }
  }
  return 0;
}
