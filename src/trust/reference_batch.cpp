#include "trust/reference_batch.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace doorward::trust {
namespace {

constexpr char kVersion = 1;
constexpr size_t kAnswerOctets = 10;
constexpr std::array<unsigned, 5> kLeast{0, 3, 10, 50, 250};

using std::chrono::minutes;

std::unexpected<Error> refused(const char* what) { return fail(what, "batch of reference ids", Blame::peer); }

char percent(double likelihood) { return static_cast<char>(std::lround(100 * std::clamp(likelihood, 0.0, 1.0))); }

void append_id(std::string& text, std::string_view id) {
  text += static_cast<char>(id.size());
  text += id;
}

// Takes an octet, or an id with its length before it, from the front of what is left.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  bool take_version() {
    const bool known = rest_.starts_with(kVersion);
    if (known) rest_.remove_prefix(1);
    return known;
  }
  uint8_t octet() {
    const auto taken = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return taken;
  }
  // Empty where less is there.
  std::string_view id() {
    if (at_end()) return {};
    const size_t size = octet();
    if (rest_.size() < size) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

 private:
  std::string_view rest_;
};

}  // namespace

Breadth breadth_of(double count) {
  size_t of = 0;
  while (of + 1 < kLeast.size() && std::round(count) >= kLeast[of + 1]) ++of;
  return static_cast<Breadth>(of);
}

unsigned least_of(Breadth breadth) { return kLeast[static_cast<size_t>(breadth)]; }

std::string questions_text(const std::vector<std::string>& ids) {
  std::string text(1, kVersion);
  for (const auto& id : ids) append_id(text, id);
  return text;
}

std::string answers_text(const std::vector<ReferenceAnswer>& answers) {
  std::string text(1, kVersion);
  text.reserve(1 + answers.size() * kAnswerOctets);
  for (const auto& answer : answers) {
    text += static_cast<char>(answer.known);
    text += percent(answer.bulk);
    text += percent(answer.spam);
    text += percent(answer.outbreak);
    text += static_cast<char>(answer.domains);
    text += static_cast<char>(answer.gateways);
    const auto since = static_cast<uint32_t>(
        answer.known
            ? std::clamp<int64_t>(std::chrono::floor<minutes>(answer.since).time_since_epoch().count(), 0, UINT32_MAX)
            : 0);
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(since >> shift);
  }
  return text;
}

std::string reports_text(const std::vector<ReportedReference>& reports) {
  std::string text(1, kVersion);
  for (const auto& report : reports) {
    text += static_cast<char>(report.what);
    append_id(text, report.id);
  }
  return text;
}

Result<std::vector<std::string_view>> parse_questions(std::string_view text) {
  Reader reader(text);
  if (!reader.take_version()) return refused("of an unknown version");
  std::vector<std::string_view> ids;
  while (!reader.at_end()) {
    if (ids.size() == kMostInBatch) return refused("too many questions");
    const auto id = reader.id();
    if (id.empty()) return refused("cut off, or with an empty id");
    ids.push_back(id);
  }
  return ids;
}

Result<std::vector<ReferenceAnswer>> parse_answers(std::string_view text) {
  Reader reader(text);
  if (!reader.take_version()) return refused("of an unknown version");
  if ((text.size() - 1) % kAnswerOctets != 0) return refused("cut off");
  if ((text.size() - 1) / kAnswerOctets > kMostInBatch) return refused("too many answers");
  std::vector<ReferenceAnswer> answers;
  while (!reader.at_end()) {
    ReferenceAnswer answer;
    const uint8_t known = reader.octet();
    std::array<uint8_t, 3> percents{};
    for (auto& each : percents) each = reader.octet();
    const uint8_t domains = reader.octet(), gateways = reader.octet();
    uint32_t since = 0;
    for (int octet = 0; octet < 4; ++octet) since = since << 8 | reader.octet();
    if (known > 1 || domains >= kLeast.size() || gateways >= kLeast.size() || std::ranges::max(percents) > 100) {
      return refused("with a value out of its range");
    }
    answer.known = known != 0;
    answer.bulk = percents[0] / 100.0;
    answer.spam = percents[1] / 100.0;
    answer.outbreak = percents[2] / 100.0;
    answer.domains = static_cast<Breadth>(domains);
    answer.gateways = static_cast<Breadth>(gateways);
    answer.since = SystemTime(minutes(since));
    answers.push_back(answer);
  }
  return answers;
}

Result<std::vector<ReportedReference>> parse_reports(std::string_view text) {
  Reader reader(text);
  if (!reader.take_version()) return refused("of an unknown version");
  std::vector<ReportedReference> reports;
  while (!reader.at_end()) {
    if (reports.size() == kMostInBatch) return refused("too many reports");
    const uint8_t what = reader.octet();
    if (what == 0 || what > kReports) return refused("with an unknown report");
    const auto id = reader.id();
    if (id.empty()) return refused("cut off, or with an empty id");
    reports.push_back({static_cast<Report>(what), std::string(id)});
  }
  return reports;
}

}  // namespace doorward::trust
