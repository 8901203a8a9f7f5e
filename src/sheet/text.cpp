// The score sheet for a person in a terminal: what was found, what it cost, what was decided, and what would change it.
#include <fmt/format.h>

#include <ctime>

#include "sheet/sheet.h"

namespace doorward::sheet {
namespace {

// One line of foreign text: no controls (a mail must not drive the terminal), and not endless.
std::string shown(std::string_view text, size_t most = 120) {
  std::string out;
  for (const char c : text) {
    if (out.size() >= most) {
      // Not in the middle of a UTF-8 sequence.
      while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
      if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
      return out + "…";
    }
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  }
  return out;
}

std::string time_text(SystemTime time) {
  const std::time_t seconds = time.time_since_epoch().count() / 1000;
  std::tm broken{};
  gmtime_r(&seconds, &broken);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &broken);
  return text;
}

std::string remark(const GroupVerdict& group) {
  if (group.bypassed) return " (emergency bypass: not judged)";
  if (!group.observed) return "";
  return fmt::format(" (only observed; else: {})", name(group.intended));
}

std::string why(const GroupVerdict& group) {
  const auto scl = group.priced.scl.level();
  if (group.priced.stance == Stance::block) return "a block of the recipient's own decides, whatever the points";
  if (group.priced.stance == Stance::pass) return "a pass of the recipient's own decides, whatever the points";
  if (group.klass == Class::spam) {
    // The SCL is rounded down: anything under threshold + 1 passes.
    const Points surplus = group.priced.total + -Points::of(static_cast<double>(group.threshold) + 1);
    return fmt::format(
        "SCL {} exceeds the threshold {}; with threshold {}, or more than {} points fewer, it would pass", scl,
        group.threshold, scl, surplus.text());
  }
  const Points missing = Points::of(static_cast<double>(group.threshold) + 1) + -group.priced.total;
  return fmt::format("SCL {} does not exceed the threshold {}; {} points more would make it spam", scl, group.threshold,
                     missing.text());
}

void append_findings(std::string& out, const ScoreSheet& sheet, const GroupVerdict& group) {
  bool any = false;
  for (size_t i = 0; i < sheet.findings.size() && i < group.priced.points.size(); ++i) {
    if (!group.priced.counted[i]) continue;
    const Finding& finding = sheet.findings[i];
    out += fmt::format("    {:>8}  {:<20} {:<28} {}\n", group.priced.points[i].text(), finding.filter, finding.symbol,
                       shown(finding.evidence));
    any = true;
  }
  if (!any) out += "              nothing was found for or against it\n";
}

}  // namespace

std::string to_text(const ScoreSheet& sheet) {
  std::string out = fmt::format("mail {}  {}  {} octets\n", sheet.id, time_text(sheet.time), sheet.size);
  out += fmt::format("  from <{}>{}{}\n", shown(sheet.sender), sheet.client_ip.empty() ? "" : " by " + sheet.client_ip,
                     sheet.helo.empty() ? "" : " (" + shown(sheet.helo) + ")");
  out += fmt::format("  subject {}\n", shown(sheet.subject));
  for (const auto& group : sheet.groups) {
    std::string recipients;
    for (const auto& recipient : group.recipients) recipients += (recipients.empty() ? "" : ", ") + shown(recipient);
    out += fmt::format("  {}{} → {}{}, rule \"{}\"\n", recipients.empty() ? "" : "to " + recipients + ": ",
                       name(group.klass), name(group.disposition), remark(group), group.rule);
    out += fmt::format("    {:>8}  in all: {}\n", group.priced.total.text(), why(group));
    append_findings(out, sheet, group);
    if (group.reply_code != 0)
      out += fmt::format("    the sender was told: {} {}\n", group.reply_code, shown(group.reply_text, 300));
  }
  for (const auto& lookup : sheet.lookups) {
    out += fmt::format("  asked: {} → {} ({})\n", shown(lookup.question), lookup.answer,
                       lookup.cached ? "known" : fmt::format("{:.1f} ms", lookup.microseconds / 1000.0));
  }
  for (const auto& skipped : sheet.skipped) out += fmt::format("  not run: {}\n", shown(skipped));
  return out;
}

}  // namespace doorward::sheet
