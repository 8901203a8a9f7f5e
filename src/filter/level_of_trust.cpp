#include "filter/level_of_trust.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "filter/evidence.h"
#include "filter/list_questions.h"
#include "filter/shown_address.h"
#include "mail/ascii.h"

namespace doorward::filter {
namespace {

using Known = trust::Correspondence::Known;
using Level = trust::Correspondence::Level;

// Half of a whole finding at this level. One mail to somebody is 40 (trust/correspondence.cpp).
constexpr double kHalfOfPerson = 10, kHalfOfDomain = 20;
// What a whole relation is worth of a finding; with ten points for a whole one, the first mail to somebody is worth
// eight, which outweighs nearly all that makes a good mail look bad.
constexpr double kPair = 1, kAddress = 0.6, kThread = 0.4, kSubject = 0.3, kDomain = 0.4, kMalus = 0.4;
constexpr size_t kMostIds = 5;

// They send in the name of thousands.
bool is_mailing_service(std::string_view domain) {
  static constexpr std::array kServices = std::to_array<std::string_view>(
      {"amazonses.com",    "brevo.com",         "ccsend.com",      "clickdimensions.com", "cleverreach.com",
       "createsend.com",   "emarsys.net",       "exacttarget.com", "hubspotemail.net",    "inxmail.de",
       "mailchimpapp.net", "mailgun.org",       "mailjet.com",     "mandrillapp.com",     "mcdlv.net",
       "mcsv.net",         "mtasv.net",         "rapidmail.com",   "rsgsv.net",           "sendgrid.net",
       "sendinblue.com",   "sparkpostmail.com", "salesforce.com",  "zendesk.com"});
  return std::ranges::find(kServices, domain) != kServices.end();
}

double strength_of(const Level& level, double half, double whole) {
  return whole * -level.level / (std::abs(level.level) + half);
}

std::string since(const Level& level) {
  return fmt::format("last on {:%Y-%m-%d}, on {} {}", level.last, level.days, level.days == 1 ? "day" : "days");
}

class Findings {
 public:
  Findings(sheet::Findings& findings, uint64_t owner) : findings_(findings), owner_(owner) {}
  void add(std::string_view symbol, double strength, std::string evidence) {
    findings_.push_back({.filter = "level_of_trust",
                         .symbol = symbol,
                         .strength = strength,
                         .evidence = std::move(evidence),
                         .owner = owner_});
  }
  void add_person(const Known& known, const std::string& address) {
    const double pair = strength_of(known.pair, kHalfOfPerson, known.pair.level > 0 ? kPair : kMalus);
    const double with_all = strength_of(known.address, kHalfOfPerson, known.address.level > 0 ? kAddress : kMalus);
    if (known.pair.level > 0 && pair <= with_all) {
      add("pair_trusted", pair, fmt::format("{}: {}", printable(address), since(known.pair)));
    } else if (known.address.level > 0) {
      add("sender_known", with_all, fmt::format("{}: {}", printable(address), since(known.address)));
    } else if (known.address.level < 0) {
      add("sender_distrusted", with_all, fmt::format("{}: {}", printable(address), since(known.address)));
    }
  }
  // Who is trusted is not blamed for his neighbours.
  void add_domain(const Known& known, const std::string& domain) {
    const bool is_friend = known.pair.level > 0 || known.address.level > 0;
    if (!known.domain.any() || (known.domain.level < 0 && is_friend)) return;
    add(known.domain.level > 0 ? "domain_trusted" : "domain_distrusted",
        strength_of(known.domain, kHalfOfDomain, kDomain),
        fmt::format("{}: {}", printable(domain), since(known.domain)));
  }

 private:
  sheet::Findings& findings_;
  uint64_t owner_;
};

class LevelOfTrust final : public Filter {
 public:
  const FilterInfo& info() const override {
    static const FilterInfo info{
        .name = "level_of_trust",
        .sentence = "Remembers with whom a customer's people correspond, and how that went.",
        .scope = Scope::tenant,
        .cost = Cost::cpu,
        .lowest = -2.1,
        .highest = 0.8,
        .default_weight = 10,
        .default_cap = 12,
        .symbols = {{"pair_trusted", "The recipient and the sender write to each other."},
                    {"sender_known", "Others of the recipient's house and the sender write to each other."},
                    {"sender_distrusted", "The sender's mail of late was spam."},
                    {"answers_us", "It answers a mail that came from the recipient's house."},
                    {"subject_known", "The recipient's house wrote to the sender's domain under this subject."},
                    {"domain_trusted", "The recipient's house and the sender's domain write to each other."},
                    {"domain_distrusted", "What came from the sender's domain of late was spam."}}};
    return info;
  }

  void judge(const Case& mail, sheet::Findings& findings) const override {
    const auto* const memory = mail.input.correspondence;
    if (memory == nullptr || mail.direction != sheet::Direction::inbound) return;
    auto author = author_of(mail.message);
    if (!author) return;
    const std::string_view of = std::string_view(author->address).substr(author->address.rfind('@') + 1);
    const bool proven = mail.facts.proves(of);
    if (!proven && !cannot_prove_himself(mail.facts, of)) return;
    if (!proven) author->domain.clear();  // a whole domain trusts nobody who only comes from the right network
    const auto answered = answered_ids(mail.message);
    const std::string subject = mail.message.subject();
    for (const auto& [customer, addresses] : mail.input.correspondents) {
      if (!proven && !memory->is_from_recorded_network(customer, author->address, mail.client.ip, mail.now)) continue;
      const Known known = memory->look_up(
          {.customer = customer, .recipients = addresses, .sender = *author, .subject = subject, .answers = answered},
          mail.now);
      Findings into(findings, customer);
      into.add_person(known, author->address);
      if (known.thread) {
        into.add("answers_us", -kThread, {});
      } else if (known.subject) {
        into.add("subject_known", -kSubject, {});
      }
      into.add_domain(known, author->domain);
    }
  }
};

}  // namespace

const Filter& level_of_trust() {
  static const LevelOfTrust filter;
  return filter;
}

trust::Correspondent correspondent(std::string_view address) {
  trust::Correspondent made{.address = mail::lowered(address)};
  const std::string domain = made.address.substr(std::min(made.address.size(), made.address.rfind('@') + 1));
  if (is_freemail(domain)) return made;
  made.domain = registered_domain(domain);
  if (is_freemail(made.domain) || is_mailing_service(made.domain)) made.domain.clear();
  return made;
}

std::optional<trust::Correspondent> author_of(const mime::Message& message) {
  const auto& headers = message.headers();
  if (headers.count("From") != 1) return std::nullopt;
  const std::string field = headers.text("From");
  const ShownAddress author = first_address(field);
  if (author.domain().empty() || std::ranges::count(field, '@') > 1 + std::ranges::count(author.name, '@')) {
    return std::nullopt;
  }
  return correspondent(author.address);
}

bool cannot_prove_himself(const Facts& facts, std::string_view domain) {
  if (!facts.authentication) return true;
  const auto& of = *facts.authentication;
  using enum mailauth::Result;
  // That the envelope's domain has no SPF record says nothing of another one: a forger picks the envelope.
  const bool no_spf = of.spf_asked && of.spf.result == none && mail::equal_ignoring_case(of.spf.domain, domain);
  return no_spf && of.dmarc.result == none && of.dkim.signatures.empty();
}

bool is_bulk(const mime::Message& message) {
  const auto& headers = message.headers();
  if (headers.count("List-Id") != 0 || headers.count("List-Unsubscribe") != 0) return true;
  const std::string precedence = mail::lowered(headers.unfolded("Precedence"));
  return precedence.contains("bulk") || precedence.contains("list") || precedence.contains("junk");
}

bool is_automatic(const mail::Envelope& envelope, const mime::Message& message) {
  const auto& headers = message.headers();
  if (envelope.from.null || is_bulk(message) || headers.count("X-Autoreply") != 0) return true;
  const std::string submitted = mail::lowered(headers.unfolded("Auto-Submitted"));
  return !submitted.empty() && !submitted.starts_with("no");
}

std::vector<std::string> answered_ids(const mime::Message& message) {
  std::vector<std::string> ids;
  const auto add_last = [&](std::string_view field) {
    const std::string text = message.headers().unfolded(field);
    size_t end = text.rfind('>');
    while (end != std::string::npos && end != 0 && ids.size() < kMostIds) {
      const size_t begin = text.rfind('<', end);
      if (begin == std::string::npos) break;
      ids.push_back(text.substr(begin, end - begin + 1));
      end = begin == 0 ? std::string::npos : text.rfind('>', begin - 1);
    }
  };
  add_last("In-Reply-To");
  add_last("References");
  return ids;
}

}  // namespace doorward::filter
