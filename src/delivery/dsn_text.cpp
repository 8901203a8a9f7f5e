#include "delivery/dsn_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "delivery/dsn_address.h"
#include "delivery/dsn_wording.h"
#include "mail/ascii.h"
#include "mail/utf8.h"
#include "mime/headers.h"

namespace doorward::delivery {
namespace {

constexpr size_t kWidth = 72;         // of a line; RFC 5322 §2.1.1 recommends at most 78
constexpr size_t kMostSubject = 200;  // octets
constexpr size_t kMostReply = 500;    // octets
constexpr std::string_view kDeep = "    ";

// RFC 3463 §3: the last two numbers say what it is about; the first only for how long.
Cause cause_of(const smtp::EnhancedStatus& status) {
  const auto is = [&](uint16_t subject, std::initializer_list<uint16_t> details) {
    return status.subject == subject && std::ranges::find(details, status.detail) != details.end();
  };
  if (is(1, {1, 3, 6})) return Cause::no_such_address;
  if (is(1, {2, 10}) || is(4, {4})) return Cause::no_such_domain;
  if (is(2, {1})) return Cause::mailbox_off;
  if (is(2, {2})) return Cause::mailbox_full;
  if (is(2, {3}) || is(3, {4})) return Cause::too_large;
  if (is(4, {6})) return Cause::circle;
  if (status.subject == 4) return Cause::unreachable;
  if (status.subject == 6) return Cause::form;
  if (status.subject == 7) return Cause::refused;
  return Cause::other;
}

std::string moment(SystemTime time) {
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

// Characters, as far as UTF-8 tells.
size_t width(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

// One paragraph, its lines broken at blanks.
void append_paragraph(std::string& out, std::string_view indent, std::string_view text) {
  size_t column = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word.empty()) continue;
    const size_t wide = width(word);
    if (column == 0) {
      out += indent;
      column = indent.size();
    } else if (column + 1 + wide > kWidth) {
      out += "\r\n";
      out += indent;
      column = indent.size();
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += wide;
  }
  out += "\r\n";
}

// Decoded; cut between characters.
std::string subject_of(std::string_view content) {
  mime::Oddities ignored;
  const mime::Limits limits;
  mime::HeaderSection section = mime::scan_headers(content, 0, limits, true, 0, ignored);
  mime::Headers headers;
  headers.mutable_fields() = std::move(section.fields);
  std::string text = headers.text("Subject");
  if (text.size() <= kMostSubject) return text;
  size_t end = kMostSubject;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text + " …";
}

void append_recipient(std::string& out, const Wording& words, const DsnRecipient& recipient) {
  const std::string address = recipient.address.domain.empty() ? recipient.address.local : recipient.address.text();
  out += "\r\n";
  append_paragraph(out, "  ", one_line(address, kMostReply, true));
  if (recipient.action == DsnAction::failed) {
    const Advice& advice = words.causes[static_cast<size_t>(cause_of(recipient.status))];
    append_paragraph(out, kDeep, advice.what);
    append_paragraph(out, kDeep, advice.to_do);
  }
  if (recipient.action == DsnAction::delayed && recipient.retry_until) {
    append_paragraph(out, kDeep, fmt::format(fmt::runtime(words.until), moment(*recipient.retry_until)));
  }
  const bool good = recipient.action >= DsnAction::relayed;
  if (!good && !recipient.diagnostic.empty()) {
    const std::string reply = one_line(recipient.diagnostic, kMostReply, false);
    append_paragraph(out, kDeep, fmt::format(fmt::runtime(words.reply), reply));
  }
}

}  // namespace

Language language_of(std::string_view tag) {
  const std::string primary = mail::lowered(tag.substr(0, tag.find_first_of("-_")));
  if (primary == "de") return Language::german;
  if (primary == "nl") return Language::dutch;
  return Language::english;
}

const Wording& wording(Language language) { return kWordings[static_cast<size_t>(language)]; }
std::string_view sender_name(const Wording& words) { return words.sender_name; }
std::string_view title(const Wording& words, DsnAction action) { return words.title[static_cast<size_t>(action)]; }

std::string human_part(const Wording& words, const DsnSubject& subject, const std::vector<DsnRecipient>& recipients,
                       std::string_view host, Returned returned) {
  std::string out;
  append_paragraph(out, "", fmt::format(fmt::runtime(words.opening), host, moment(subject.arrived)));
  if (const std::string about = subject_of(subject.content); !about.empty()) {
    append_paragraph(out, "", fmt::format(fmt::runtime(words.about), about));
  }
  for (const DsnAction action :
       {DsnAction::failed, DsnAction::delayed, DsnAction::relayed, DsnAction::delivered, DsnAction::expanded}) {
    bool first = true;
    for (const DsnRecipient& recipient : recipients) {
      if (recipient.action != action) continue;
      if (std::exchange(first, false)) {
        out += "\r\n";
        append_paragraph(out, "", words.section[static_cast<size_t>(action)]);
      }
      append_recipient(out, words, recipient);
    }
  }
  out += "\r\n";
  append_paragraph(out, "", words.returned[static_cast<size_t>(returned)]);
  return out;
}

}  // namespace doorward::delivery
