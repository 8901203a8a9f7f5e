#include "filter/word_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>

#include "filter/evidence.h"
#include "trust/word_statistics.h"

namespace doorward::filter {
namespace {

constexpr double kSilent = 0.05;  // strengths below are no finding
constexpr double kNamed = 0.3;    // from here on the words that spoke most against the mail are named: naming costs a
                                  // second reading of it, and it is refusals that have to be explained
constexpr size_t kMostWords = 5;

// 2p - 1 for a probability p: 0 for an even chance, ±1 for certainty. From the log-odds, since p itself is rounded
// to 1.
double strength_of(double log_odds) { return std::tanh(log_odds / 2); }

std::string evidence_of(const Case& mail, const trust::WordStatistics::Opinion& opinion, double strength) {
  std::string text = fmt::format("spam probability {:.1f} %", 100 * opinion.spam);
  if (strength < kNamed) return text;
  const char* separator = ": ";
  for (const auto& word : mail.input.statistics->strongest(mail.message, trust::Label::spam, kMostWords)) {
    fmt::format_to(std::back_inserter(text), "{}{} (spam {}, ham {})", separator, printable(word.text, 40), word.spam,
                   word.ham);
    separator = "; ";
  }
  return text;
}

class WordStatistics final : public Filter {
 public:
  const FilterInfo& info() const override {
    static const FilterInfo info{
        .name = "word_statistics",
        .sentence =
            "Compares the mail's words, and how they stand together, with the good mails and the spam learnt so far.",
        .scope = Scope::tenant,
        .cost = Cost::cpu,
        .lowest = -1,
        .highest = 1,
        .default_weight = 5.5,
        .default_cap = 6,
        .symbols = {
            {"words_spam", "The mail's words are those of spam."},
            {"words_ham", "The mail's words are those of good mail."},
            {"own_words_spam", "What you taught makes the mail look more like spam than others' mails do."},
            {"own_words_ham", "What you taught makes the mail look more like good mail than others' mails do."}}};
    return info;
  }

  void judge(const Case& mail, sheet::Findings& findings) const override {
    if (mail.input.statistics == nullptr || mail.input.features == nullptr) return;
    const trust::Features& features = *mail.input.features;
    const auto base = mail.input.statistics->judge(features, 0);
    const double common = base.known ? strength_of(base.log_odds) : 0;
    if (std::abs(common) >= kSilent) add(mail, findings, base, common, common, 0);
    // A customer's own finding is the difference to the common one: both together are its whole opinion.
    for (const uint64_t customer : mail.input.customers) {
      if (customer == 0) continue;
      const auto own = mail.input.statistics->judge(features, customer, base);
      if (!own.known) continue;
      const double whole = strength_of(own.log_odds);
      const double difference = whole - (std::abs(common) >= kSilent ? common : 0);
      if (std::abs(difference) >= kSilent) add(mail, findings, own, difference, whole, customer);
    }
  }

 private:
  static void add(const Case& mail, sheet::Findings& findings, const trust::WordStatistics::Opinion& opinion,
                  double strength, double whole, uint64_t owner) {
    sheet::Finding finding{.filter = "word_statistics",
                           .symbol = owner == 0 ? (strength > 0 ? "words_spam" : "words_ham")
                                                : (strength > 0 ? "own_words_spam" : "own_words_ham")};
    finding.strength = strength;
    finding.owner = owner;
    finding.evidence = owner == 0 ? evidence_of(mail, opinion, whole)
                                  : fmt::format("with your own mails: spam probability {:.1f} %", 100 * opinion.spam);
    findings.push_back(std::move(finding));
  }
};

}  // namespace

const Filter& word_statistics() {
  static const WordStatistics filter;
  return filter;
}

}  // namespace doorward::filter
