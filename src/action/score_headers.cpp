#include "action/score_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "action/encoded_text.h"
#include "action/foreign_fields.h"

namespace doorward::action {
namespace {

constexpr size_t kShownFindings = 12;

// "structure:html_only=0.3 word_list:word_hit=4": those that count, the heaviest first.
std::string heaviest(const sheet::ScoreSheet& sheet, const sheet::Priced& priced) {
  std::vector<std::pair<int64_t, size_t>> weights;
  for (size_t i = 0; i < sheet.findings.size() && i < priced.points.size(); ++i) {
    const int64_t milli = priced.points[i].milli();
    if (milli != 0) weights.emplace_back(milli < 0 ? milli : -milli, i);
  }
  std::ranges::sort(weights);
  std::string text;
  for (size_t n = 0; n < weights.size() && n < kShownFindings; ++n) {
    const auto& finding = sheet.findings[weights[n].second];
    text += fmt::format(" {}:{}={}", finding.filter, finding.symbol, priced.points[weights[n].second].text());
  }
  return text;
}

class ScoreHeaders final : public Action {
 public:
  const ActionInfo& info() const override {
    static const ActionInfo info{
        .name = "score_headers",
        .sentence =
            "Writes the score and the reference into the header of inbound mail, and removes such fields of strangers.",
        .phase = Phase::verdict,
        .options = {{.name = "score_header",
                     .type = config::OptionType::boolean,
                     .unit = "",
                     .default_value = "true",
                     .sentence = "Write X-Doorward-Score and X-Doorward-Ref."},
                    {.name = "spam_headers",
                     .type = config::OptionType::boolean,
                     .unit = "",
                     .default_value = "false",
                     .sentence = "Write X-Spam-Flag and X-Spam-Status too, for mail programs that sort by them."}}};
    return info;
  }

  void on_verdict(const Verdicted& mail, MessageOutcome& outcome) const override {
    const bool inbound = mail.sheet.direction == sheet::Direction::inbound;
    remove_foreign_fields(
        mail.message,
        {.spam = mail.settings.spam_headers, .authserv_id = inbound ? mail.host_name : std::string_view()},
        outcome.edits);
    if (!inbound) return;
    const auto& verdict = mail.verdict;
    const std::string points = verdict.priced.total.text();
    std::string fields;
    if (mail.settings.score_header) {
      fields += header_field(
          "X-Doorward-Score",
          fmt::format("{} scl={} threshold={} class={}{}", points, verdict.priced.scl.level(), verdict.threshold,
                      sheet::name(verdict.klass), heaviest(mail.sheet, verdict.priced)));
      fields += header_field("X-Doorward-Ref", mail.sheet.id);
    }
    if (mail.settings.spam_headers) {
      const bool spam = verdict.klass == sheet::Class::spam;
      fields += header_field("X-Spam-Flag", spam ? "YES" : "NO");
      // Others say "spam from"; our threshold is what must be exceeded.
      fields += header_field("X-Spam-Status", fmt::format("{}, score={} required={}.0", spam ? "Yes" : "No", points,
                                                          verdict.threshold + 1));
    }
    if (!fields.empty()) outcome.edits.prepend(std::move(fields));
  }
};

}  // namespace

const Action& score_headers() {
  static const ScoreHeaders action;
  return action;
}

}  // namespace doorward::action
