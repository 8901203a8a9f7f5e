#include "filter/blocks_and_passes.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "filter/entries.h"
#include "filter/entries_state.h"
#include "filter/evidence.h"
#include "filter/shown_address.h"
#include "mail/wildcard.h"

namespace doorward::filter {
namespace {

constexpr size_t kMostFindings = 50;      // a tenant
constexpr size_t kMostText = 256 * 1024;  // bytes of text that body parts are looked for in

// An address that the mail gives as its sender: in the envelope, or in From.
struct Sender {
  std::string address, domain;  // keys
};
// An entry that matches, and the sender for which it does (kinds sender and sender_domain).
struct Match {
  uint32_t entry;
  const Sender* sender = nullptr;
};

class Matching {
 public:
  explicit Matching(const Case& mail) : mail_(mail) {
    const auto& from = mail.envelope.from;
    senders_.push_back(from.null ? Sender() : Sender{from.mailbox.key(), from.mailbox.domain.key()});
    const ShownAddress shown = first_address(mail.message.headers().text("From"));
    if (shown.address.empty()) return;
    const auto mailbox = mail::parse_mailbox(shown.address);
    Sender sender =
        mailbox ? Sender{mailbox->key(), mailbox->domain.key()} : Sender{shown.address, std::string(shown.domain())};
    if (sender.address != senders_.front().address) senders_.push_back(std::move(sender));
  }

  // The entries that match, in the tenant's order.
  const std::vector<Match>& of(const Entries::State& entries) {
    found_.clear();
    for (const auto& sender : senders_) {
      look(entries, entries.senders, entries.sender_patterns, sender.address, &sender);
      if (!sender.domain.empty()) look(entries, entries.domains, entries.domain_patterns, sender.domain, &sender);
    }
    look_for_networks(entries);
    if (!entries.file_names.empty() || !entries.file_patterns.empty()) {
      for (const auto& part : mail_.message.parts()) {
        // Where name= and filename= differ, mail programs differ in which they take.
        for (const auto* given : {&part.file_name, &part.other_name}) {
          if (!given->empty()) look(entries, entries.file_names, entries.file_patterns, folded_part(*given), nullptr);
        }
      }
    }
    look_for_parts(entries);
    std::ranges::sort(found_, {}, &Match::entry);
    return found_;
  }

 private:
  void look(const Entries::State& entries, const Entries::State::Index& exact, const std::vector<uint32_t>& patterns,
            std::string_view text, const Sender* sender) {
    const auto [begin, end] = exact.equal_range(text);
    for (auto it = begin; it != end; ++it) found_.push_back({it->second, sender});
    for (const uint32_t i : patterns) {
      if (mail::wildcard_match_ignoring_case(entries.folded[i], text)) found_.push_back({i, sender});
    }
  }
  void look_for_networks(const Entries::State& entries) {
    for (const auto& [prefix, networks] : entries.networks) {
      const auto [begin, end] = networks.equal_range(masked(mail_.client.ip, prefix));
      for (auto it = begin; it != end; ++it) found_.push_back({it->second});
    }
  }
  void look_for_parts(const Entries::State& entries) {
    if (!entries.subject_parts.empty()) {
      if (!subject_) subject_ = folded_part(mail_.message.subject());
      for (const uint32_t i : entries.subject_parts) {
        if (mail::wildcard_match(entries.folded[i], *subject_)) found_.push_back({i});
      }
    }
    if (entries.body_parts.empty()) return;
    if (!texts_) {
      texts_.emplace();
      for (const auto& text : mail_.message.texts())
        texts_->push_back(folded_part(std::string_view(text.visible).substr(0, kMostText)));
    }
    for (const uint32_t i : entries.body_parts) {
      if (std::ranges::any_of(*texts_, [&](const auto& text) { return mail::wildcard_match(entries.folded[i], text); }))
        found_.push_back({i});
    }
  }
  static mail::IpAddress masked(const mail::IpAddress& ip, unsigned prefix) {
    auto bytes = ip.bytes();
    for (unsigned i = 0; i < bytes.size(); ++i) {
      const unsigned bits = prefix > i * 8 ? std::min(prefix - i * 8, 8U) : 0;
      bytes[i] = static_cast<uint8_t>(bytes[i] & (0xFF00U >> bits));
    }
    return mail::IpAddress::v6(bytes);
  }

  const Case& mail_;
  std::vector<Sender> senders_;
  std::optional<std::string> subject_;
  std::optional<std::vector<std::string>> texts_;
  std::vector<Match> found_;
};

// DESIGN §2: a pass holds for senders that are authenticated, or that come from the network recorded with it. The
// domain that authenticated must be that of the address which matched: any spammer can authenticate for their own.
bool is_proven(const Entry& entry, const Match& match, const Case& mail) {
  if (entry.kind == EntryKind::network) return true;
  if (entry.recorded_network && entry.recorded_network->contains(mail.client.ip)) return true;
  if (mail.direction == sheet::Direction::outbound) return mail.facts.submitted;
  return match.sender == nullptr ? mail.facts.proves_somebody() : mail.facts.proves(match.sender->domain);
}

std::string_view name(EntryKind kind) {
  switch (kind) {
    case EntryKind::sender:
      return "sender";
    case EntryKind::sender_domain:
      return "sender's domain";
    case EntryKind::network:
      return "network";
    case EntryKind::file_name:
      return "file name";
    case EntryKind::subject_part:
      return "part of the subject";
    case EntryKind::body_part:
      return "part of the text";
  }
  return "";
}

class BlocksAndPasses final : public Filter {
 public:
  const FilterInfo& info() const override {
    static const FilterInfo info{
        .name = "blocks_and_passes",
        .sentence = "Compares the mail with the tenants' blocks and passes.",
        .scope = Scope::recipient,
        .cost = Cost::cpu,
        .lowest = 0,
        .highest = 0,
        .default_weight = 1,
        .default_cap = 0,
        .symbols = {
            {"block", "An entry of a block list matches the mail: it is refused."},
            {"file_name_blocked",
             "An entry of a block list matches a file's name: the mail is refused for its content."},
            {"pass",
             "An entry of a pass list matches the mail and its sender is proven: the filters' points do not count."},
            {"pass_unproven",
             "An entry of a pass list matches the mail, but nothing proves the sender: the pass does not hold."}}};
    return info;
  }

  void judge(const Case& mail, sheet::Findings& findings) const override {
    if (mail.input.entries.empty()) return;
    Matching matching(mail);
    // The nearest level comes first in Input.entries, and the stance that is listed first counts.
    for (const Entries* entries : mail.input.entries) {
      const auto& matches = matching.of(entries->state());
      size_t made = 0;
      for (const bool passes : {true, false}) {
        std::optional<uint32_t> last;
        for (size_t i = 0; i < matches.size() && made < kMostFindings; ++i) {
          const Entry& entry = entries->state().entries[matches[i].entry];
          if (entry.pass != passes || last == matches[i].entry) continue;
          // Several senders or parts may match one entry; one that proves the pass is enough.
          bool proven = !passes;
          for (size_t same = i; !proven && same < matches.size() && matches[same].entry == matches[i].entry; ++same) {
            proven = is_proven(entry, matches[same], mail);
          }
          last = matches[i].entry;
          ++made;
          add(*entries, entry, proven, findings);
        }
      }
    }
  }

 private:
  static std::string_view symbol(const Entry& entry, bool proven) {
    if (entry.pass) return proven ? "pass" : "pass_unproven";
    // The verdict's class follows from it: unwanted content, not spam.
    return entry.kind == EntryKind::file_name ? "file_name_blocked" : "block";
  }
  static void add(const Entries& entries, const Entry& entry, bool proven, sheet::Findings& findings) {
    findings.push_back({.filter = "blocks_and_passes",
                        .symbol = symbol(entry, proven),
                        .strength = 0,
                        .evidence = fmt::format("{} {}{}{}", name(entry.kind), printable(entry.pattern),
                                                entry.note.empty() ? "" : ": ", printable(entry.note)),
                        .owner = entries.owner(),
                        .own_points = sheet::Points(),
                        .stance = !entry.pass ? sheet::Stance::block
                                  : proven    ? sheet::Stance::pass
                                              : sheet::Stance::none});
  }
};

}  // namespace

const Filter& blocks_and_passes() {
  static const BlocksAndPasses filter;
  return filter;
}

}  // namespace doorward::filter
