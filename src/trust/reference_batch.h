// What gateways and the centre of the fingerprint service send each other (D6): many questions, answers or reports at
// once. docs/centre.md describes it for others.
//
//   questions   1 octet: 1; then for each: its length in 1 octet, a reference id
//   answers     1 octet: 1; then for each question, in order, 10 octets: what is known (1: anything), likelihood of
//   bulk,
//               spam and outbreak in percent, class of the number of domains, class of the number of gateways,
//               first seen in minutes since 1970 (4 octets, the highest first; 0: never)
//   reports     1 octet: 1; then for each: what is reported in 1 octet, length in 1 octet, a reference id
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace doorward::trust {

inline constexpr size_t kMostInBatch = 256;
inline constexpr size_t kMostReferenceBatch = 1 + kMostInBatch * (2 + 255);  // octets

// Numbers are told in classes, so that nobody learns that exactly one other has the same mail.
enum class Breadth : uint8_t { few, three, ten, fifty, many };  // fewer than 3; from 3, 10, 50, 250 on
Breadth breadth_of(double count);
unsigned least_of(Breadth breadth);  // 0, 3, 10, 50, 250

struct ReferenceAnswer {
  double bulk = 0, spam = 0, outbreak = 0;  // likelihoods, from 0 to 1, in hundredths
  Breadth domains = Breadth::few;           // that sent the same, besides the one asked about
  Breadth gateways = Breadth::few;          // that called the same spam or worse
  SystemTime since{};                       // first seen, to the minute; meaningless where nothing is known
  bool known = false;
};

enum class Report : uint8_t {
  seen = 1,   // from several domains
  spam,       // as the filters have it, without what the centre said
  user_spam,  // as a person has it
  not_spam,   // likewise
  malicious,  // a virus, or what a person knows to be one
};
inline constexpr uint8_t kReports = 5;

struct ReportedReference {
  Report what = Report::seen;
  std::string id;
};

std::string questions_text(const std::vector<std::string>& ids);
std::string answers_text(const std::vector<ReferenceAnswer>& answers);
std::string reports_text(const std::vector<ReportedReference>& reports);

// The ids are not looked into; views into `text`. What is malformed, or too much, fails as a whole with Blame::peer.
Result<std::vector<std::string_view>> parse_questions(std::string_view text);
Result<std::vector<ReferenceAnswer>> parse_answers(std::string_view text);
Result<std::vector<ReportedReference>> parse_reports(std::string_view text);

}  // namespace doorward::trust
