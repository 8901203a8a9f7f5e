#include "trust/kept.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace doorward::trust {

Result<std::unique_ptr<Kept>> Kept::open(Options options) {
  std::unique_ptr<Kept> kept(new Kept());
  const size_t buckets =
      std::clamp<size_t>((options.entries + KeptTable::kBucket - 1) / KeptTable::kBucket, 1, size_t{1} << 28);
  if (options.directory.empty()) {
    kept->table_ = std::make_unique<KeptTable>(buckets);
  } else {
    const KeptStore::Shape shape{.name = options.name,
                                 .buckets = buckets,
                                 .version = options.version,
                                 .parameter = options.parameter,
                                 .read_only = options.read_only,
                                 .log = options.log};
    auto store = KeptStore::open(options.directory, shape, kept->table_);
    if (!store) return std::unexpected(store.error());
    kept->store_ = std::move(*store);
  }
  kept->options_ = std::move(options);
  return kept;
}

Kept::~Kept() {
  if (options_.read_only) return;
  if (auto flushed = flush(); !flushed) {
    log::warning("kept.not_written", {{"what", options_.name}, {"reason", flushed.error().text()}});
  }
}

Result<void> Kept::flush() {
  if (store_ == nullptr) changed_.clear();
  if (changed_.empty()) return {};
  std::ranges::sort(changed_);
  const auto repeated = std::ranges::unique(changed_);
  changed_.erase(repeated.begin(), repeated.end());
  auto written = store_->append(*table_, changed_);
  if (written) changed_.clear();
  return written;
}

Kept::Fill Kept::fill() const {
  Fill fill{.entries = table_->buckets() * KeptTable::kBucket, .used = 0, .evicted = table_->evicted()};
  for (size_t bucket = 0; bucket < table_->buckets(); ++bucket) {
    for (size_t entry = 0; entry < KeptTable::kBucket; ++entry) {
      fill.used += table_->cell(bucket * KeptTable::kCells + entry) != 0;
    }
  }
  return fill;
}

}  // namespace doorward::trust
