#include "action/address_rewriting.h"

#include <optional>
#include <string>
#include <vector>

#include "mail/address.h"
#include "mail/ascii.h"

namespace doorward::action {
namespace {

constexpr size_t kMostStars = 4;

// What each * of the pattern matched, or nothing. The first and the last piece stand at the ends, those between at the
// first place where they fit: linear, and right, since a * takes anything.
std::optional<std::vector<std::string_view>> captures(std::string_view pattern, std::string_view text) {
  std::vector<std::string_view> pieces;
  for (size_t begin = 0;;) {
    const size_t star = pattern.find('*', begin);
    pieces.push_back(pattern.substr(begin, star == std::string_view::npos ? star : star - begin));
    if (star == std::string_view::npos) break;
    begin = star + 1;
  }
  if (pieces.size() - 1 > kMostStars) return std::nullopt;
  std::vector<std::string_view> found;
  if (pieces.size() == 1) {
    if (!mail::equal_ignoring_case(pattern, text)) return std::nullopt;
    return found;
  }
  if (!mail::starts_ignoring_case(text, pieces.front())) return std::nullopt;
  text.remove_prefix(pieces.front().size());
  const auto last = pieces.back();
  if (text.size() < last.size() || !mail::equal_ignoring_case(text.substr(text.size() - last.size()), last))
    return std::nullopt;
  text.remove_suffix(last.size());
  const std::string lower = mail::lowered(text);
  size_t at = 0;
  for (size_t i = 1; i + 1 < pieces.size(); ++i) {
    const size_t place = lower.find(mail::lowered(pieces[i]), at);
    if (place == std::string::npos) return std::nullopt;
    found.push_back(text.substr(at, place - at));
    at = place + pieces[i].size();
  }
  found.push_back(text.substr(at));
  return found;
}

std::string filled(std::string_view to, const std::vector<std::string_view>& captured) {
  std::string made;
  size_t next = 0;
  for (const char c : to) {
    if (c != '*') {
      made += c;
    } else if (next < captured.size()) {
      made += captured[next++];
    }
  }
  return made;
}

// A mailbox of decoded text: the local part may hold anything, so it is checked in its quoted form.
std::optional<mail::Mailbox> mailbox_of(const std::string& text) {
  const size_t at = text.rfind('@');
  if (at == std::string::npos || at == 0) return std::nullopt;
  const auto domain = mail::parse_domain(std::string_view(text).substr(at + 1));
  if (!domain) return std::nullopt;
  const mail::Mailbox made{.local = text.substr(0, at), .domain = *domain};
  const auto checked = mail::parse_mailbox(made.text());
  if (!checked) return std::nullopt;
  return *checked;
}

class AddressRewriting final : public Action {
 public:
  const ActionInfo& info() const override {
    static const ActionInfo info{.name = "address_rewriting",
                                 .sentence = "Rewrites recipients' addresses: an old name becomes a new one.",
                                 .phase = Phase::recipient,
                                 .options = {{.name = "rewrites",
                                              .type = config::OptionType::list,
                                              .unit = "",
                                              .default_value = "",
                                              .sentence = "Pairs of patterns: what * matches in the first stands for * "
                                                          "in the second; the first pair that fits counts."}}};
    return info;
  }

  void on_recipient(const Settings& settings, RecipientOutcome& outcome) const override {
    if (settings.rewrites.empty()) return;
    const std::string address = outcome.mailbox.local + "@" + outcome.mailbox.domain.key();
    for (const auto& rule : settings.rewrites) {
      const auto captured = captures(rule.from, address);
      if (!captured) continue;
      // What makes no address leaves the recipient as it was: mail must not be lost over a typing error.
      if (auto rewritten = mailbox_of(filled(rule.to, *captured))) outcome.mailbox = std::move(*rewritten);
      return;
    }
  }
};

}  // namespace

const Action& address_rewriting() {
  static const AddressRewriting action;
  return action;
}

}  // namespace doorward::action
