#include "filter/fuzzy_checksums.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "filter/shown_address.h"

namespace doorward::filter {
namespace {

// How many other domains it takes to be worth a finding, and what share of a whole finding it is then worth. Answers
// quote what they answer; mailing services' customers share templates; icons and logos travel in signatures.
struct Measure {
  trust::Likeness kind;
  std::string_view symbol;
  std::string_view words;  // of the evidence
  double least, least_in_answer, least_in_proven_bulk;
  double share;
};
constexpr double kNever = 1e9;
constexpr std::array kMeasures = {
    Measure{trust::Likeness::text, "text_seen_elsewhere", "the same text", 3, 6, 5, 1},
    Measure{trust::Likeness::structure, "html_seen_elsewhere", "HTML of the same structure", 6, 12, kNever, 0.4},
    Measure{trust::Likeness::attachment, "attachment_seen_elsewhere", "the same attachment", 2, 4, 5, 1},
    Measure{trust::Likeness::image, "image_seen_elsewhere", "the same image", 8, 16, kNever, 0.4},
};
// Doubling the other domains adds as much each time; so many of them are a whole finding.
constexpr double kWhole = 63;
constexpr double kMostCounted = 250;

bool has(const mime::Message& message, std::string_view field) { return message.headers().find(field) != nullptr; }

std::string evidence_of(const Measure& measure, const trust::Sighting& seen, SystemTime now) {
  const std::string count =
      seen.others > kMostCounted ? fmt::format("more than {:.0f}", kMostCounted) : fmt::format("{:.0f}", seen.others);
  const bool today = std::chrono::floor<std::chrono::days>(seen.since) == std::chrono::floor<std::chrono::days>(now);
  const auto since = std::chrono::floor<std::chrono::seconds>(seen.since);
  return fmt::format("{} came from {} other domains since {} UTC", measure.words, count,
                     today ? fmt::format("{:%H:%M}", since) : fmt::format("{:%Y-%m-%d %H:%M}", since));
}

class FuzzyChecksums final : public Filter {
 public:
  const FilterInfo& info() const override {
    static const FilterInfo info{
        .name = "fuzzy_checksums",
        .sentence = "Counts the other domains that lately sent the same text, HTML, attachments or images.",
        .scope = Scope::mail,
        .cost = Cost::cpu,
        .lowest = 0,
        .highest = 2.8,
        .default_weight = 5,
        .default_cap = 6,
        .symbols = {{"text_seen_elsewhere", "Other domains sent the same text, or nearly the same, lately."},
                    {"html_seen_elsewhere", "Other domains sent HTML of the same structure lately."},
                    {"attachment_seen_elsewhere", "Other domains sent the same attachment lately."},
                    {"image_seen_elsewhere", "Other domains sent the same image lately."}}};
    return info;
  }

  void judge(const Case& mail, sheet::Findings& findings) const override {
    const Input& input = mail.input;
    if (input.sightings == nullptr || input.fingerprint == nullptr || input.fingerprint->empty()) return;
    if (mail.direction != sheet::Direction::inbound || is_report(mail.message)) return;
    const trust::Sender sender = counted_sender(mail.facts, mail.envelope, mail.message);
    const auto seen = input.sightings->look_up(*input.fingerprint, sender, mail.now);
    const bool bulk = is_proven_bulk(mail), answer = is_answer(mail);
    for (const Measure& measure : kMeasures) {
      const trust::Sighting& one = seen[static_cast<size_t>(measure.kind)];
      const double least =
          std::max({measure.least, answer ? measure.least_in_answer : 0, bulk ? measure.least_in_proven_bulk : 0});
      if (one.own || std::round(one.others) < least) continue;
      sheet::Finding finding{.filter = "fuzzy_checksums", .symbol = measure.symbol};
      finding.strength = measure.share * std::min(1.0, std::log2(1 + one.others) / std::log2(1 + kWhole));
      finding.evidence = evidence_of(measure, one, mail.now);
      findings.push_back(std::move(finding));
    }
  }
};

}  // namespace

const Filter& fuzzy_checksums() {
  static const FuzzyChecksums filter;
  return filter;
}

bool is_proven_bulk(const Case& mail) {
  return mail.facts.proves_somebody() && (has(mail.message, "List-Id") || has(mail.message, "List-Unsubscribe"));
}

bool is_answer(const Case& mail) { return has(mail.message, "In-Reply-To") || has(mail.message, "References"); }

trust::Sender counted_sender(const Facts& facts, const mail::Envelope& envelope, const mime::Message& message) {
  const ShownAddress from = first_address(message.headers().text("From"));
  const std::string_view shown = from.domain();
  const std::string_view path = envelope.from.null ? std::string_view() : envelope.from.mailbox.domain.key();
  const bool shown_counts = facts.proves(shown) || path.empty();
  return trust::Sender::of_domain(owner_domain(shown_counts ? shown : path));
}

bool is_report(const mime::Message& message) {
  return !message.parts().empty() && message.parts()[0].type == "multipart" && message.parts()[0].subtype == "report";
}

}  // namespace doorward::filter
