#include "vault/importer.h"

namespace doorward::vault {

Source source_of(spool::Spool& spool) {
  return {.take = [&spool] { return spool.take(spool::Spool::For::vault); },
          .read = [&spool](const spool::Mail& mail) { return spool.read(mail); },
          .report =
              [&spool](const spool::Job& job, std::vector<spool::Outcome> outcomes) {
                spool.report(job, std::move(outcomes), spool::Health::unknown);
              }};
}

}  // namespace doorward::vault
