// All filters, in the order in which they run and are listed.
#include <array>

#include "filter/blocklists.h"
#include "filter/blocks_and_passes.h"
#include "filter/client.h"
#include "filter/filter.h"
#include "filter/fingerprint_service.h"
#include "filter/fuzzy_checksums.h"
#include "filter/level_of_trust.h"
#include "filter/own_domain.h"
#include "filter/sender_authentication.h"
#include "filter/structure.h"
#include "filter/word_list.h"
#include "filter/word_statistics.h"

#define FILTER(name) &name()

namespace doorward::filter {

std::span<const Filter* const> all() {
  static const std::array filters{
      FILTER(blocks_and_passes), FILTER(blocklists),          FILTER(client),         FILTER(sender_authentication),
      FILTER(own_domain),        FILTER(structure),           FILTER(word_list),      FILTER(word_statistics),
      FILTER(fuzzy_checksums),   FILTER(fingerprint_service), FILTER(level_of_trust),
  };
  return filters;
}

const Filter* find(std::string_view name) {
  for (const Filter* filter : all()) {
    if (filter->info().name == name) return filter;
  }
  return nullptr;
}

}  // namespace doorward::filter
