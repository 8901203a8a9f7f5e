#include "filter/fingerprint_service.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "filter/fuzzy_checksums.h"

namespace doorward::filter {
namespace {

constexpr double kLeastLikely = 0.5;
constexpr double kSure = 0.8;        // an outbreak
constexpr double kBulkShare = 0.25;  // of a whole finding: that many send the same says little by itself

std::string how_widely(const trust::ReferenceAnswer& answer) {
  std::string text;
  if (const unsigned domains = trust::least_of(answer.domains); domains > 0) {
    text += fmt::format(", from {} domains or more", domains);
  }
  if (const unsigned gateways = trust::least_of(answer.gateways); gateways > 0) {
    text += fmt::format(", as {} gateways or more have it", gateways);
  }
  return text + fmt::format(", since {:%Y-%m-%d %H:%M} UTC", std::chrono::floor<std::chrono::minutes>(answer.since));
}

class FingerprintService final : public Filter {
 public:
  const FilterInfo& info() const override {
    static const FilterInfo info{
        .name = kFingerprintService,
        .sentence = "Asks a detection centre what other gateways saw of the same text and attachments.",
        .scope = Scope::mail,
        .cost = Cost::network,
        .lowest = 0,
        .highest = 2.25,
        .default_weight = 6,
        .default_cap = 9,
        .symbols = {{"spam_elsewhere", "Other gateways, or their users, found the same mail to be spam."},
                    {"bulk_elsewhere", "Many other domains sent the same mail."},
                    {"outbreak", "The same file or text spreads as malicious programs do, or is known to be one."}}};
    return info;
  }

  void judge(const Case& mail, sheet::Findings& findings) const override {
    if (!mail.facts.elsewhere || !mail.facts.elsewhere->known || mail.direction != sheet::Direction::inbound) return;
    const auto& answer = *mail.facts.elsewhere;
    const auto add = [&](std::string_view symbol, double likelihood, double share, std::string_view words) {
      findings.push_back({.filter = kFingerprintService,
                          .symbol = symbol,
                          .strength = likelihood * share,
                          .evidence = fmt::format("{:.0f} % {}{}", 100 * likelihood, words, how_widely(answer))});
    };
    if (answer.outbreak >= kLeastLikely) add("outbreak", answer.outbreak, 1, "likely an outbreak");
    if (answer.spam >= kLeastLikely) add("spam_elsewhere", answer.spam, 1, "likely spam");
    // What newsletters and answers share with others is no fault of theirs.
    if (answer.domains >= trust::Breadth::ten && !is_proven_bulk(mail) && !is_answer(mail)) {
      add("bulk_elsewhere", answer.bulk, kBulkShare, "likely bulk");
    }
  }
};

}  // namespace

const Filter& fingerprint_service() {
  static const FingerprintService filter;
  return filter;
}

bool is_outbreak(const sheet::Finding& finding) {
  return finding.filter == kFingerprintService && finding.symbol == "outbreak" && finding.strength >= kSure;
}

}  // namespace doorward::filter
