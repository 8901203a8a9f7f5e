#include "trust/word_statistics.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <mutex>
#include <utility>

#include "trust/features.h"
#include "trust/statistics_store.h"
#include "trust/statistics_table.h"

namespace doorward::trust {
namespace {

// The constants of the method; the decision record has the measurements behind them.
constexpr double kRate = 14;         // of the linear model, before the mail's length and the entry's age slow it
constexpr double kHamCost = 2.5;     // a good mail taken for spam teaches this much more than the reverse
constexpr double kEnough = 0.03;     // a family's linear error that small teaches it nothing
constexpr double kTogether = 0.3;    // how much of a family's error is that of all families together
constexpr size_t kShort = 64;        // a family counts as this many features more than it has
constexpr double kThick = 5;         // the counts are taught until the mail is this clear
constexpr double kCountShare = 1;    // of the counts' log-odds, beside the linear model's
constexpr float kPrior = 1.4F;       // times a feature must be seen until its counts are half believed
constexpr double kYouth = 5;         // mails of the rarer label after which an opinion has half its strength
constexpr size_t kAhead = 12;        // entries fetched before they are needed
constexpr uint64_t kKnownBase = 20;  // mails of each label before the base's opinion counts
constexpr uint64_t kKnownOwn = 10;   // the same of a customer's
constexpr double kHalfOwn = 100;     // mails of the rarer label at which a customer's own part has half its say
constexpr double kMostOwn = 0.7;     // its say is never more: what all see stays of use to everyone

constexpr size_t kSteps = 4096;

// ln((1 + c) / (1 - c)) for a confidence c, in steps.
const std::array<float, kSteps + 1>& log_odds_of_confidence() {
  static const auto table = [] {
    std::array<float, kSteps + 1> odds{};
    for (size_t step = 0; step <= kSteps; ++step) {
      const double confidence = std::min(static_cast<double>(step) / kSteps, 0.9999);
      odds[step] = static_cast<float>(std::log((1 + confidence) / (1 - confidence)));
    }
    return odds;
  }();
  return table;
}

// By which a family's sum is divided: as if its features were independent, and so that one of few features is not heard
// as loudly as one of many.
double length_of(size_t size) { return std::sqrt(static_cast<double>(size + kShort)); }
// And the sum over the families.
const double kLengthOfAll = std::sqrt(static_cast<double>(Features::kFamilies));

double sigmoid(double log_odds) { return 1 / (1 + std::exp(-log_odds)); }

// The features of a customer lie beside those of the base, under hashes of their own.
uint64_t salt_of(uint64_t customer) {
  if (customer == 0) return 0;
  uint64_t salt = (customer + 0x9E3779B97F4A7C15ull) * 0xBF58476D1CE4E5B9ull;
  salt ^= salt >> 29;
  salt *= 0x94D049BB133111EBull;
  return (salt ^ (salt >> 32)) | 1;
}
uint64_t owned(uint64_t hash, uint64_t salt) {
  if (salt == 0) return hash;
  const uint64_t mixed = (hash ^ salt) * 0x9E3779B97F4A7C15ull;
  return mixed ^ (mixed >> 32);
}

struct Scores {
  std::array<double, Features::kFamilies> families{};  // log-odds of each family's linear model
  double linear = 0;                                   // of all of them
  double counts = 0;                                   // of the counts
};

// What two models that know little are sure of is chance: a young opinion is a weak one, or the first mails' scores
// would stand among the highest for good.
double opinion_of(const Scores& scores, const LearntTotals::Totals& totals) {
  const auto rarer = static_cast<double>(std::min(totals.ham_learnt, totals.spam_learnt));
  return (scores.linear + kCountShare * scores.counts) / 2 * rarer / (rarer + kYouth);
}

// How surely one entry's counts speak for spam (positive) or ham: the difference of the two classes' shares, cubed,
// and less where it was seen seldom (after CRM114's confidence factor).
class CountModel {
 public:
  explicit CountModel(const LearntTotals::Totals& totals)
      : spam_(static_cast<float>(totals.ham_trained)), ham_(static_cast<float>(totals.spam_trained)) {}
  float log_odds(const Entry& entry) const {
    const uint32_t seen = entry.spam + entry.ham;
    if (seen == 0) return 0;
    const float spam = static_cast<float>(entry.spam) * spam_, ham = static_cast<float>(entry.ham) * ham_;
    const float sum = spam + ham;
    if (sum <= 0) return 0;
    const float share = (spam - ham) / sum;
    const float times = static_cast<float>(seen);
    const float confidence = std::abs(share) * share * share * (times / (times + kPrior));
    const float odds = odds_[static_cast<size_t>(confidence * kSteps)];
    return share > 0 ? odds : -odds;
  }

 private:
  float spam_, ham_;  // each class's counts are weighed by the other's size
  const std::array<float, kSteps + 1>& odds_ = log_odds_of_confidence();
};

}  // namespace

struct WordStatistics::State {
  Loaded loaded;
  std::unique_ptr<StatisticsStore> store;
  std::mutex learning;
  std::vector<uint32_t> changed;  // places, each once
  std::vector<bool> is_changed;   // by place
  std::vector<uint64_t> changed_owners;

  StatisticsTable& table() const { return *loaded.table; }
  void mark_changed(uint32_t place) {
    if (!store) return;
    if (is_changed.empty()) is_changed.resize(table().size());
    if (is_changed[place]) return;
    is_changed[place] = true;
    changed.push_back(place);
  }

  Scores score(const Features& features, uint64_t customer, const LearntTotals::Totals& totals) const {
    Scores scores;
    const uint64_t salt = salt_of(customer);
    const CountModel counts(totals);
    const std::vector<uint64_t>& hashes = features.hashes;
    size_t at = 0;
    for (size_t which = 0; which < Features::kFamilies; ++which) {
      const size_t size = features.family(which).size(), end = at + size;
      int64_t weight = 0;
      float odds = 0;
      for (; at < end; ++at) {
        if (at + kAhead < hashes.size()) table().prefetch(owned(hashes[at + kAhead], salt));
        const Entry entry = table().find(owned(hashes[at], salt));
        if (entry.tag == 0) continue;
        weight += entry.weight;
        odds += counts.log_odds(entry);
      }
      const double length = length_of(size);
      scores.families[which] = static_cast<double>(weight) * Entry::kWeightUnit / length;
      scores.linear += scores.families[which] / kLengthOfAll;
      scores.counts += static_cast<double>(odds) / (length * kLengthOfAll);
    }
    return scores;
  }

  void learn_by(const Features& features, uint64_t owner, Label label);
};

namespace {

// Adds one to a count; both are halved before one overflows, so that their ratio stays.
void count_one(Entry& entry, bool spam) {
  uint32_t& count = spam ? entry.spam : entry.ham;
  if (count == Entry::kMostCount) {
    entry.spam /= 2;
    entry.ham /= 2;
  }
  ++count;
}

}  // namespace

void WordStatistics::State::learn_by(const Features& features, uint64_t owner, Label label) {
  const bool spam = label == Label::spam;
  auto totals = loaded.totals->of(owner);
  const Scores scores = score(features, owner, totals);
  const bool count = (spam ? scores.counts : -scores.counts) < kThick;
  ++(spam ? totals.spam_learnt : totals.ham_learnt);
  if (count) ++(spam ? totals.spam_trained : totals.ham_trained);
  if (!loaded.totals->put(totals)) return;  // more customers than there is room for learn the base alone
  changed_owners.push_back(owner);

  const double right = spam ? 1 : 0;
  const uint64_t salt = salt_of(owner);
  for (size_t which = 0; which < Features::kFamilies; ++which) {
    const auto hashes = features.family(which);
    // Each family learns to judge alone, so that it has an opinion when the others are deceived.
    const double judged = (1 - kTogether) * scores.families[which] + kTogether * scores.linear;
    const double error = right - sigmoid(judged);
    const bool step = std::abs(error) >= kEnough;
    if (!step && !count) continue;
    const double change =
        step ? kRate * error * (spam ? 1 : kHamCost) / (length_of(hashes.size()) * Entry::kWeightUnit) : 0;
    for (size_t at = 0; at < hashes.size(); ++at) {
      if (at + kAhead < hashes.size()) table().prefetch(owned(hashes[at + kAhead], salt));
      const uint64_t hash = owned(hashes[at], salt);
      const size_t place = table().place(hash);
      Entry entry = table().at(place);
      entry.tag = StatisticsTable::tag_of(hash);
      // Entries that were taught often move slower (the fourth root keeps them from freezing).
      const double age = std::sqrt(std::sqrt(1.0 + entry.spam + entry.ham));
      entry.weight = std::clamp(entry.weight + static_cast<int32_t>(std::lround(change / age)), -Entry::kMostWeight,
                                Entry::kMostWeight);
      if (count) count_one(entry, spam);
      table().put(place, entry.pack());
      mark_changed(static_cast<uint32_t>(place));
    }
  }
  for (const uint32_t place : table().aged()) mark_changed(place);
  table().aged().clear();
}

WordStatistics::WordStatistics(std::unique_ptr<State> state) : state_(std::move(state)) {}

WordStatistics::~WordStatistics() {
  if (state_) static_cast<void>(flush());
}

Result<std::unique_ptr<WordStatistics>> WordStatistics::open(Options options) {
  if (!std::has_single_bit(options.table_entries) || options.table_entries < StatisticsTable::kBucket ||
      options.table_entries > size_t{1} << 31) {
    return fail("the table's size must be a power of two from 8 to 2^31 entries");
  }
  auto state = std::make_unique<State>();
  if (options.directory.empty()) {
    state->loaded.table = std::make_unique<StatisticsTable>(options.table_entries);
    state->loaded.totals = std::make_unique<LearntTotals>();
  } else {
    auto store = StatisticsStore::open({.directory = options.directory,
                                        .entries = options.table_entries,
                                        .read_only = options.read_only,
                                        .log = options.log},
                                       state->loaded);
    if (!store) return std::unexpected(store.error());
    if (!options.read_only) state->store = std::move(*store);
  }
  return std::unique_ptr<WordStatistics>(new WordStatistics(std::move(state)));
}

WordStatistics::Opinion WordStatistics::judge(const Features& features, uint64_t customer) const {
  const auto base = state_->loaded.totals->of(0);
  Opinion opinion{.ham_learnt = base.ham_learnt, .spam_learnt = base.spam_learnt};
  opinion.log_odds = opinion_of(state_->score(features, 0, base), base);
  opinion.known = std::min(base.ham_learnt, base.spam_learnt) >= kKnownBase;
  opinion.spam = sigmoid(opinion.log_odds);
  return customer == 0 ? opinion : judge(features, customer, opinion);
}

WordStatistics::Opinion WordStatistics::judge(const Features& features, uint64_t customer, const Opinion& base) const {
  const auto own = state_->loaded.totals->of(customer);
  const uint64_t rarer = std::min(own.ham_learnt, own.spam_learnt);
  Opinion opinion = base;
  opinion.ham_learnt = own.ham_learnt;
  opinion.spam_learnt = own.spam_learnt;
  opinion.known = rarer >= kKnownOwn;
  if (!opinion.known) return opinion;
  const double say = kMostOwn * static_cast<double>(rarer) / (static_cast<double>(rarer) + kHalfOwn);
  opinion.log_odds = (1 - say) * base.log_odds + say * opinion_of(state_->score(features, customer, own), own);
  opinion.spam = sigmoid(opinion.log_odds);
  return opinion;
}

void WordStatistics::learn(const Features& features, uint64_t customer, Label label) {
  const std::lock_guard guard(state_->learning);
  state_->learn_by(features, 0, label);
  if (customer != 0) state_->learn_by(features, customer, label);
}

Result<void> WordStatistics::flush() {
  const std::lock_guard guard(state_->learning);
  if (!state_->store) return {};
  auto& places = state_->changed;
  auto& owners = state_->changed_owners;
  if (places.empty() && owners.empty()) return {};
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  std::vector<LearntTotals::Totals> totals;
  totals.reserve(owners.size());
  for (const uint64_t owner : owners) totals.push_back(state_->loaded.totals->of(owner));
  if (auto kept = state_->store->append(state_->loaded, places, totals); !kept) return kept;
  for (const uint32_t place : places) state_->is_changed[place] = false;
  places.clear();
  owners.clear();
  return {};
}

std::vector<Word> WordStatistics::strongest(const mime::Message& message, Label label, size_t most) const {
  const CountModel counts(state_->loaded.totals->of(0));
  std::vector<Word> best;  // strongest first, each feature once
  for_each_named_feature(message, [&](const NamedFeature& feature) {
    const Entry entry = state_->table().find(feature.hash);
    if (entry.tag == 0) return;
    const double weight = entry.weight * Entry::kWeightUnit + kCountShare * static_cast<double>(counts.log_odds(entry));
    if ((label == Label::spam) != (weight > 0) || weight == 0) return;
    const auto weaker = std::find_if(best.begin(), best.end(),
                                     [&](const Word& word) { return std::abs(word.weight) < std::abs(weight); });
    if (weaker == best.end() && best.size() >= most) return;
    if (std::any_of(best.begin(), best.end(), [&](const Word& word) { return word.hash == feature.hash; })) return;
    best.insert(weaker, {feature.text(), feature.hash, entry.spam, entry.ham, weight});
    if (best.size() > most) best.pop_back();
  });
  return best;
}

WordStatistics::Fill WordStatistics::fill() const {
  Fill fill{.entries = state_->table().size(), .used = 0, .evicted = state_->table().evicted()};
  for (size_t place = 0; place < fill.entries; ++place) fill.used += state_->table().packed(place) != 0;
  return fill;
}

}  // namespace doorward::trust
