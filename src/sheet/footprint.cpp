#include "sheet/sheet.h"

namespace doorward::sheet {
namespace {

size_t octets(const std::vector<std::string>& texts) {
  size_t sum = 0;
  for (const auto& text : texts) sum += sizeof(std::string) + text.capacity();
  return sum;
}

}  // namespace

size_t footprint(const ScoreSheet& sheet) {
  size_t sum = sizeof sheet + sheet.id.capacity() + sheet.client_ip.capacity() + sheet.helo.capacity() +
               sheet.sender.capacity() + sheet.subject.capacity() + sheet.message_id.capacity() + octets(sheet.skipped);
  for (const auto& finding : sheet.findings) sum += sizeof finding + finding.evidence.capacity();
  for (const auto& lookup : sheet.lookups) {
    sum += sizeof lookup + lookup.question.capacity() + lookup.answer.capacity();
  }
  for (const auto& group : sheet.groups) {
    sum += sizeof group + group.rule.capacity() + group.reply_text.capacity() + octets(group.recipients) +
           group.priced.points.capacity() * sizeof(Points) + group.priced.counted.capacity() / 8;
  }
  return sum;
}

}  // namespace doorward::sheet
