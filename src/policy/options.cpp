#include "policy/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <string>
#include <unordered_map>

#include "config/nearest.h"
#include "config/option_value.h"
#include "filter/filter.h"
#include "mail/address.h"
#include "policy/moment.h"

namespace doorward::policy {
namespace {

using config::OptionInfo;
using config::OptionType;

struct Sensitivity {
  std::string_view name;
  int threshold;
};
// C2: the friendly faces of a threshold.
constexpr std::array<Sensitivity, 5> kSensitivities{
    {{"very_cautious", 8}, {"cautious", 6}, {"normal", 4}, {"strict", 3}, {"very_strict", 2}}};

// Seconds. What comes later than 48 hours after the first try is taken for another first one (trust/greylist.cpp).
constexpr double kLongestGreylisting = 12 * 60 * 60;

std::vector<OptionInfo> own_options() {
  const std::vector<std::string_view> outcomes{"deliver", "tag", "refuse", "quarantine", "discard"};
  return {
      {"delivery",
       OptionType::choice,
       "",
       "proxy",
       "How mail reaches the backend: proxy confirms to the sender only what the backend has taken; relay stores it "
       "first, answers for it from then on, and delivers it with retries.",
       0,
       0,
       {"proxy", "relay"}},
      {"backend", OptionType::text, "", "", "The name of the mail server that gets the domain's mail."},
      {"legal",
       OptionType::choice,
       "",
       "refuse-only",
       "What the law or the contract allows to be done with unwanted mail; quarantine and discard need a recorded "
       "consent.",
       0,
       0,
       {"refuse-only", "quarantine", "discard", "tag-only"}},
      {"operation",
       OptionType::choice,
       "",
       "normal",
       "Whether verdicts count: observe records them and delivers everything, bypass lets everything pass for a time.",
       0,
       0,
       {"normal", "observe", "bypass"}},
      {"bypass_until", OptionType::text, "", "", "When a bypass ends, in UTC, as 2026-01-31T12:00:00Z."},
      {"sender_domain", OptionType::boolean, "", "true",
       "Whether senders are refused whose domain does not exist or takes no mail."},
      {"dns_failure",
       OptionType::choice,
       "",
       "defer",
       "What becomes of mail whose sender's domain cannot be looked up as the DNS does not answer: defer asks the "
       "sender "
       "to try again, accept takes it as if the domain existed. The checks that got no answer count for nothing.",
       0,
       0,
       {"defer", "accept"}},
      {"size_limit", OptionType::size, "", "25MB", "The largest mail that is taken."},
      {"threshold", OptionType::text, "", "normal",
       "Mail whose SCL exceeds it is spam: very_cautious, cautious, normal, strict, very_strict, or a number from -1 "
       "to 10."},
      {"rule_sets", OptionType::list, "", "", "The shared sets of rules that follow the tenants' own rules, in order."},
      {"word_lists", OptionType::list, "", "base", "The word lists whose hits count."},
      {"recipients",
       OptionType::choice,
       "",
       "ask",
       "Who decides which recipients exist: listed knows the mailboxes and aliases listed here only, ask asks the "
       "backend.",
       0,
       0,
       {"listed", "ask"}},
      {"catch_all", OptionType::text, "", "", "The mailbox that gets mail for recipients that are not listed."},
      {"recipient_delimiter", OptionType::text, "", "",
       "The character that divides a user from a tag of their own, as in user+tag; empty: none."},
      {"relay_networks", OptionType::list, "", "",
       "A customer's own mail servers, as addresses or networks: what they hand in for others is outgoing mail, and "
       "sent on after it was judged. Nobody else may send to domains that are not protected here."},
      {"relay_senders",
       OptionType::choice,
       "",
       "own",
       "Which senders the customer's own servers may use for outgoing mail: own, the domains of that customer (and the "
       "null sender); any, all.",
       0,
       0,
       {"own", "any"}},
      {"notice_language",
       OptionType::choice,
       "",
       "en",
       "The language of what senders are told of their mail after it was taken, by customer: en, de or nl; beside it "
       "there "
       "is always a part for programs.",
       0,
       0,
       {"en", "de", "nl"}},
      {"outcome.spam", OptionType::choice, "", "refuse", "What becomes of spam.", 0, 0, outcomes},
      {"outcome.virus", OptionType::choice, "", "refuse",
       "What becomes of mail of an outbreak, as the fingerprint service has it (this release has no malware scanner).",
       0, 0, outcomes},
      {"outcome.content", OptionType::choice, "", "refuse", "What becomes of mail that a block of a file name refuses.",
       0, 0, outcomes},
      {"outcome.newsletter", OptionType::choice, "", "deliver",
       "What becomes of newsletters (no effect yet: this release does not tell them apart).", 0, 0, outcomes},
      {"outcome.unsure", OptionType::choice, "", "deliver",
       "What becomes of mail that is neither spam nor good (no effect yet: this release does not tell it apart).", 0, 0,
       outcomes},
      {"quarantine.keep_days", OptionType::integer, "days", "30",
       "How long mail in the quarantine is kept, from the day it came; then it is erased.", 1, 3660},
      {"rewrites", OptionType::list, "", "",
       "Recipients that get another address, as \"old.*@d.example -> new.*@d.example\"; the first that fits counts."},
      {"secret_suffix", OptionType::text, "", "",
       "A suffix of the local part, such as _secret, that is removed and lets the mail pass without filters; empty: "
       "none."},
      {"reports_address", OptionType::list, "", "",
       "Where DMARC and TLS reports about the domain come in, as rua= of its records in the DNS has it: what comes to "
       "these addresses is delivered as ever, and read and kept besides."},
      {"subject_tag.spam", OptionType::text, "", "*** SPAM ***", "What is put before the subject of tagged spam."},
      {"subject_tag.content", OptionType::text, "", "*** CF ***",
       "What is put before the subject of mail that is tagged for a blocked file name."},
      {"subject_tag.newsletter", OptionType::text, "", "[PUB]",
       "What is put before the subject of tagged newsletters (no effect yet)."},
      {"score_header", OptionType::boolean, "", "true", "Whether the header X-Doorward-Score is added."},
      {"authentication_results", OptionType::boolean, "", "true",
       "Whether the header Authentication-Results is added."},
      {"greylist.catch_all", OptionType::boolean, "", "true",
       "Whether mail to the catch-all mailbox from a sender that is not known is put off once: who comes again after "
       "the delay is known from then on."},
      {"greylist.catch_all_delay", OptionType::duration, "", "1m",
       "After which time such mail is taken when it comes again.", 0, kLongestGreylisting},
      {"greylist.suspicious_from", OptionType::text, "", "off",
       "From which SCL on mail of senders that are not known is put off once, as far as it is no spam; off: never."},
      {"greylist.suspicious_delay", OptionType::duration, "", "5m",
       "After which time such mail is taken when it comes again.", 0, kLongestGreylisting},
      {"trust.stop_words", OptionType::list, "",
       "out of office\nautomatic reply\nauto-reply\nautoreply\nabwesenheit\nautomatische antwort\nafwezig\n"
       "automatisch antwoord\nnicht im haus\nvacation",
       "Outgoing mail builds no trust when its subject has one of these."},
      {"arc_seal", OptionType::boolean, "", "true",
       "Whether mail that was changed is sealed (ARC), where the node has a key for it."},
      {"trusted_sealers", OptionType::list, "", "",
       "Domains of lists and forwarders whose ARC seals are believed, by customer: what they say of a mail counts "
       "where it can be proven no more."},
      {"spam_headers", OptionType::boolean, "", "false", "Whether X-Spam-Flag and X-Spam-Status are added."},
      {"train", OptionType::boolean, "", "true", "Whether the word statistics learn from this mail."},
      {"train_ham_at_most", OptionType::integer, "SCL", "-4", "Inbound mail at or under this SCL is learned as good.",
       -9, -1},
      {"train_spam_from", OptionType::integer, "SCL", "7", "Inbound mail at or over this SCL is learned as spam.", 1,
       9},
  };
}

// Names, defaults and sentences that are made at start; the views in the table point here and live as long.
struct Table {
  std::deque<std::string> texts;
  std::vector<OptionInfo> all = own_options();
  std::unordered_map<std::string_view, int> index;
  std::vector<std::string_view> filters;

  std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }

  Table() {
    for (const filter::Filter* filter : filter::all()) {
      const filter::FilterInfo& info = filter->info();
      filters.push_back(info.name);
      all.push_back({keep(fmt::format("filter.{}.on", info.name)), OptionType::boolean, "", "true",
                     keep(fmt::format("Whether the filter {} counts.", info.name))});
      all.push_back({keep(fmt::format("filter.{}.weight", info.name)), OptionType::number, "points",
                     keep(fmt::format("{}", info.default_weight)),
                     keep(fmt::format("The points for strength 1 of the filter {}.", info.name)), 0, 10});
      all.push_back({keep(fmt::format("filter.{}.cap", info.name)), OptionType::number, "points",
                     keep(fmt::format("{}", info.default_cap)),
                     keep(fmt::format("The most points, either way, that the filter {} gives a mail.", info.name)), 0,
                     1000});
    }
    for (size_t i = 0; i < all.size(); ++i) index.emplace(all[i].name, static_cast<int>(i));
  }
};

const Table& table() {
  static const Table made;
  return made;
}

Result<void> check_threshold(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  if (is_number && number >= -1 && number <= 10) return {};
  if (std::ranges::any_of(kSensitivities, [&](const Sensitivity& known) { return known.name == text; })) return {};
  return fail(
      fmt::format("\"{}\" is not very_cautious, cautious, normal, strict, very_strict or a number from -1 to 10",
                  text.substr(0, 40)));
}

Result<void> check_rewrite(std::string_view text) {
  const size_t arrow = text.find(" -> ");
  if (arrow == std::string_view::npos || arrow == 0 || arrow + 4 >= text.size()) {
    return fail(fmt::format("\"{}\" is not of the form \"from@d.example -> to@d.example\"", text.substr(0, 80)));
  }
  const auto stars = [](std::string_view part) { return std::ranges::count(part, '*'); };
  if (stars(text.substr(0, arrow)) > 1 || stars(text.substr(arrow + 4)) > stars(text.substr(0, arrow))) {
    return fail(fmt::format("\"{}\" may have one * on its left side, and one on its right side if the left one has it",
                            text.substr(0, 80)));
  }
  return {};
}

// Wide networks are a slip of the keyboard, and would make an open relay of the gateway.
Result<void> check_relay_networks(std::string_view text) {
  constexpr unsigned kWidestV4 = 96 + 16;  // /16
  constexpr unsigned kWidestV6 = 32;
  for (const std::string& item : config::items(text)) {
    const auto network = mail::Network::parse(item);
    if (!network) return fail(fmt::format("\"{}\" is not an address or network such as 192.0.2.0/28", item));
    if (network->prefix() < (network->base().is_v4() ? kWidestV4 : kWidestV6)) {
      return fail(
          fmt::format("{} is too wide: whoever is in it could send to the whole world; /16 (IPv6: /32) is the "
                      "widest that is taken",
                      item));
    }
  }
  return {};
}

Result<void> check_delimiter(std::string_view text) {
  if (text.empty() || (text.size() == 1 && std::string_view("+-_.=#").find(text) != std::string_view::npos)) return {};
  return fail("the delimiter is one of + - _ . = #");
}

}  // namespace

std::span<const OptionInfo> options() { return table().all; }

int option_index(std::string_view key) {
  const auto found = table().index.find(key);
  return found == table().index.end() ? -1 : found->second;
}

std::span<const std::string_view> filter_names() { return table().filters; }

int threshold_of(std::string_view text) {
  for (const Sensitivity& known : kSensitivities) {
    if (known.name == text) return known.threshold;
  }
  int number = 4;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Result<void> check_setting(std::string_view key, std::string_view canonical) {
  if (key == "threshold") return check_threshold(canonical);
  if (key == "greylist.suspicious_from" && canonical != "off") return check_threshold(canonical);
  if (key == "recipient_delimiter") return check_delimiter(canonical);
  if (key == "relay_networks") return check_relay_networks(canonical);
  if (key == "reports_address") {
    for (const std::string& item : config::items(canonical)) {
      if (!mail::parse_mailbox(item)) return fail(fmt::format("\"{}\" is not an address", item));
    }
  }
  if (key == "catch_all" && !canonical.empty() && !mail::parse_mailbox(canonical)) {
    return fail(fmt::format("\"{}\" is not an address", canonical));
  }
  if (key == "bypass_until" && !canonical.empty() && !parse_moment(canonical)) {
    return fail(fmt::format("\"{}\" is not a time of the form 2026-01-31T12:00:00Z", canonical));
  }
  if (key == "rewrites") {
    for (const std::string& item : config::items(canonical)) {
      if (auto fine = check_rewrite(item); !fine) return fine;
    }
  }
  return {};
}

}  // namespace doorward::policy
