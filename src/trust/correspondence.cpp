#include "trust/correspondence.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "mail/ascii.h"
#include "trust/keyed_hash.h"

namespace doorward::trust {
namespace {

using Minute = Relation::Minute;

constexpr uint32_t kVersion = 1;
enum Kind : uint8_t { kPair = 1, kAddress, kDomain, kSubject, kThread, kWriting, kSenderDay, kNetwork };

// What happens adds so much to a level. Writing to somebody is the strongest sign there is: one mail is enough to let
// the next of theirs pass (filter/level_of_trust.cpp).
constexpr double kSentToPair = 40, kSentToDomain = 8;
// A harmless mail before the spam is cheap: only many of them, on many days, are worth something.
constexpr double kGoodOfPair = 1, kGoodOfDomain = 1;
constexpr double kSpamOfPair = -20, kSpamOfDomain = -10;
constexpr double kWrote = 40;  // a subject, a thread

// A user's own mail that goes to more is a mailing, and builds nothing; what one user's mails of a day may build is
// capped, so that a stolen account cannot make friends of the world.
constexpr size_t kMostRecipients = 20;
constexpr double kMostADay = 100;
// And those of all users of a customer, whoever they say they are: an infected host takes any name.
constexpr double kMostADayOfAll = 2'000;

constexpr double kLeastBulk = 20;  // newsletters of a domain until it is taken for one that sends them
constexpr double kMostWriting = 40;

constexpr size_t kLeastSubject = 8;  // octets
constexpr size_t kMostSubject = 200;

std::string_view domain_of(std::string_view address) { return address.substr(address.rfind('@') + 1); }

std::string network_of(const mail::IpAddress& ip) {
  if (ip.is_unspecified()) return {};
  const auto& bytes = ip.bytes();  // /24 of IPv4, /64 of IPv6
  return std::string(reinterpret_cast<const char*>(bytes.data()), ip.is_v4() ? 15 : 8);
}

}  // namespace

struct Correspondence::State {
  Options options;
  KeyedHash hash;
  std::unique_ptr<Kept> kept;

  Relation find(uint64_t of) const { return Relation::of(kept->table().find(of)); }
  Level level(const Relation& relation, Minute now) const {
    return {.level = relation.level_at(now, options.forgetting),
            .days = relation.days,
            .last = Relation::time_of(relation.last)};
  }
  Level level(uint64_t of, Minute now) const { return level(find(of), now); }

  template <class Change>
  void edit(uint64_t of, Minute now, Change&& change) {
    kept->change(of, &Relation::worth, now, [&](const Cells& stored, bool known) {
      Relation relation = known ? Relation::of(stored) : Relation{.tag = stored.head};
      change(relation);
      return relation.cells();
    });
  }
  void add(uint64_t of, double amount, Minute now) {
    edit(of, now, [&](Relation& relation) { relation.change(amount, now, options.forgetting); });
  }
  void befriend(uint64_t of, double amount, Minute now) {
    edit(of, now, [&](Relation& relation) { relation.befriend(amount, now, options.forgetting); });
  }
  // What belongs to an address or a domain counts only as long as nobody set or forgot that one.
  template <class Change>
  void edit_within(unsigned epoch, uint64_t of, Minute now, Change&& change) {
    edit(of, now, [&](Relation& relation) {
      if (relation.epoch != epoch) relation = {.tag = relation.tag, .epoch = epoch};
      change(relation);
    });
  }
  // Whether the recipients of that sender's mails of today, so far, are fewer than `most`. The level is the part of it
  // that is used up, in hundredths.
  bool has_room(const SentMail& mail, std::string_view sender, double most, Minute now) {
    const std::string day = std::to_string(now / (24 * 60));
    bool has = false;
    edit(hash.of(kSenderDay, mail.customer, {sender, day}), now, [&](Relation& relation) {
      has = relation.level < Relation::kMost;
      const double more = static_cast<double>(mail.recipients.size()) / most * Relation::kMost;
      relation.level = std::min(Relation::kMost, relation.level + more);
      relation.last = now;
      relation.of_day = true;
    });
    return has;
  }
  bool may_build(const SentMail& mail, Minute now) {
    return has_room(mail, mail.senders.empty() ? "" : mail.senders.front(), kMostADay, now) &&
           has_room(mail, "*", kMostADayOfAll, now);
  }
  void count_writing(uint64_t customer, const std::string& domain, bool bulk, Minute now);
  bool writes_bulk(uint64_t customer, const std::string& domain, Minute now) const;
  uint32_t network_hash(const mail::IpAddress& client) const {
    const std::string network = network_of(client);
    if (network.empty()) return 0;
    const auto made = static_cast<uint32_t>(hash.of(kNetwork, 0, {network}));
    return made == 0 ? 1 : made;
  }
};

// The level is newsletters less other mails of late, so that a domain is what most of its mail is.
void Correspondence::State::count_writing(uint64_t customer, const std::string& domain, bool bulk, Minute now) {
  if (domain.empty()) return;
  edit(hash.of(kWriting, customer, {domain}), now, [&](Relation& relation) {
    const double before = relation.level_at(now, options.forgetting);
    relation.level = std::clamp(before + (bulk ? 1 : -1), -kMostWriting, kMostWriting);
    relation.last = now;
  });
}

bool Correspondence::State::writes_bulk(uint64_t customer, const std::string& domain, Minute now) const {
  const Relation writing = find(hash.of(kWriting, customer, {domain}));
  return !domain.empty() && writing.level_at(now, options.forgetting) >= kLeastBulk;
}

Result<std::unique_ptr<Correspondence>> Correspondence::open(Options options) {
  auto state = std::make_unique<State>();
  if (!options.directory.empty()) {
    auto hash = KeyedHash::open(options.directory, options.read_only);
    if (!hash) return std::unexpected(hash.error());
    state->hash = *hash;
  }
  auto kept = Kept::open({.name = "correspondence",
                          .entries = options.entries,
                          .directory = options.directory,
                          .version = kVersion,
                          .read_only = options.read_only});
  if (!kept) return std::unexpected(kept.error());
  state->kept = std::move(*kept);
  state->options = std::move(options);
  return std::unique_ptr<Correspondence>(new Correspondence(std::move(state)));
}

Correspondence::Correspondence(std::unique_ptr<State> state) : state_(std::move(state)) {}
Correspondence::~Correspondence() = default;

Correspondence::Known Correspondence::look_up(const Question& question, SystemTime time) const {
  const State& state = *state_;
  const Minute now = Relation::minute_of(time);
  const auto& [address, domain] = question.sender;
  Known known;
  const Relation of_address = state.find(state.hash.of(kAddress, question.customer, {address}));
  known.address = state.level(of_address, now);
  for (const std::string& recipient : question.recipients) {
    const Relation pair = state.find(state.hash.of(kPair, question.customer, {recipient, address}));
    if (pair.epoch != of_address.epoch) continue;
    const Level level = state.level(pair, now);
    const bool is_better = level.level > known.pair.level || (known.pair.level == 0 && level.level < 0);
    if (is_better) known.pair = level;
  }
  if (!domain.empty()) {
    known.bulk = state.writes_bulk(question.customer, domain, now);
    const Relation of_domain = state.find(state.hash.of(kDomain, question.customer, {domain}));
    // Newsletters build nothing, and take nothing away: or who sends spam would only need some of them.
    if (const Level level = state.level(of_domain, now); !known.bulk || level.level < 0) known.domain = level;
    if (const std::string subject = thread_subject(question.subject); !subject.empty()) {
      const Relation relation = state.find(state.hash.of(kSubject, question.customer, {domain, subject}));
      known.subject = relation.epoch == of_domain.epoch && state.level(relation, now).any();
    }
  }
  const std::string_view where_from = domain_of(address);
  known.thread = std::ranges::any_of(question.answers, [&](const std::string& id) {
    return state.level(state.hash.of(kThread, question.customer, {id, where_from}), now).any();
  });
  return known;
}

bool Correspondence::is_from_recorded_network(uint64_t customer, std::string_view address,
                                              const mail::IpAddress& client, SystemTime time) const {
  const uint32_t network = state_->network_hash(client);
  return network != 0 && state_->find(state_->hash.of(kAddress, customer, {address}))
                             .is_from(network, Relation::minute_of(time), state_->options.forgetting);
}

void Correspondence::sent(const SentMail& mail, SystemTime time) {
  State& state = *state_;
  const Minute now = Relation::minute_of(time);
  if (mail.recipients.size() > kMostRecipients || !state.may_build(mail, now)) return;
  const std::string subject = thread_subject(mail.subject);
  for (const auto& [address, domain] : mail.recipients) {
    const uint64_t of_address = state.hash.of(kAddress, mail.customer, {address});
    state.befriend(of_address, kSentToPair, now);
    for (const std::string& sender : mail.senders) {
      state.edit_within(state.find(of_address).epoch, state.hash.of(kPair, mail.customer, {sender, address}), now,
                        [&](Relation& pair) { pair.befriend(kSentToPair, now, state.options.forgetting); });
    }
    // To those who were written to, at whichever address of theirs: what was sent to a mailing list has its Message-ID
    // in public archives.
    if (!mail.message_id.empty()) {
      state.add(state.hash.of(kThread, mail.customer, {mail.message_id, domain_of(address)}), kWrote, now);
    }
    if (domain.empty()) continue;
    const uint64_t of_domain = state.hash.of(kDomain, mail.customer, {domain});
    state.add(of_domain, kSentToDomain, now);
    if (subject.empty()) continue;
    state.edit_within(state.find(of_domain).epoch, state.hash.of(kSubject, mail.customer, {domain, subject}), now,
                      [&](Relation& relation) { relation.change(kWrote, now, state.options.forgetting); });
  }
}

void Correspondence::received(const ReceivedMail& mail, SystemTime time) {
  State& state = *state_;
  const Minute now = Relation::minute_of(time);
  const auto& [address, domain] = mail.sender;
  const uint64_t of_address = state.hash.of(kAddress, mail.customer, {address});
  if (mail.kind == ReceivedMail::Kind::unproven_refused) {
    state.edit(of_address, now, [&](Relation& relation) {
      relation.record_network(state.network_hash(mail.client), now, state.options.forgetting);
      relation.last = std::max(relation.last, relation.level == 0 ? now : 0);
    });
    return;
  }
  const bool good = mail.kind == ReceivedMail::Kind::good;
  if (good) state.count_writing(mail.customer, domain, mail.bulk, now);
  if (good && mail.bulk) return;
  const double amount = good ? kGoodOfPair : kSpamOfPair;
  for (const std::string& recipient : mail.recipients) {
    const uint64_t of_pair = state.hash.of(kPair, mail.customer, {recipient, address});
    // Of a stranger's spam the address's entry says it all; pairs of it would only take others' places.
    if (!good && !state.find(of_pair).is_known()) continue;
    state.edit_within(state.find(of_address).epoch, of_pair, now,
                      [&](Relation& pair) { pair.change(amount, now, state.options.forgetting); });
  }
  state.edit(of_address, now, [&](Relation& relation) {
    relation.change(amount, now, state.options.forgetting);
    relation.prove();
  });
  if (!domain.empty()) {
    state.add(state.hash.of(kDomain, mail.customer, {domain}), good ? kGoodOfDomain : kSpamOfDomain, now);
  }
}

void Correspondence::set(uint64_t customer, const Correspondent& whom, double level, SystemTime time) {
  State& state = *state_;
  const Minute now = Relation::minute_of(time);
  const uint64_t of = whom.address.empty() ? state.hash.of(kDomain, customer, {whom.domain})
                                           : state.hash.of(kAddress, customer, {whom.address});
  state.edit(of, now, [&](Relation& relation) {
    relation = {.tag = relation.tag,
                .level = std::clamp(level, -Relation::kMost, Relation::kMost),
                .days = level == 0 ? 0u : 1u,
                .first = now,
                .last = now,
                .proven = relation.proven,
                .epoch = (relation.epoch + 1) % Relation::kEpochs,
                .set = true};
  });
}

Result<void> Correspondence::flush() { return state_->kept->flush(); }
Kept::Fill Correspondence::fill() const { return state_->kept->fill(); }

std::string thread_subject(std::string_view subject) {
  // In mail programs' languages; more than one may stand before a subject.
  static constexpr auto kPrefixes = std::to_array<std::string_view>(
      {"re", "aw", "antw", "antwort", "fw", "fwd", "wg", "sv", "vs", "vl", "rv", "tr", "ref", "r", "i", "odp", "pd"});
  std::string text = mail::lowered(subject.substr(0, kMostSubject));
  for (bool again = true; again;) {
    again = false;
    text.erase(0, std::min(text.size(), text.find_first_not_of(" \t\r\n")));
    const size_t colon = text.find(':');
    if (colon == std::string::npos) break;
    std::string_view word = std::string_view(text).substr(0, colon);
    while (!word.empty() && (word.back() == ' ' || word.back() == ']' || word.back() == ')')) word.remove_suffix(1);
    if (const size_t count = word.find_first_of("[("); count != std::string_view::npos) word = word.substr(0, count);
    if (std::ranges::find(kPrefixes, word) != kPrefixes.end()) {
      text.erase(0, colon + 1);
      again = true;
    }
  }
  // Folding and mail programs change the white space.
  std::string made;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!space) {
      made += c;
    } else if (!made.empty() && made.back() != ' ') {
      made += ' ';
    }
  }
  if (!made.empty() && made.back() == ' ') made.pop_back();
  // A single word is anybody's guess.
  return made.size() >= kLeastSubject && made.contains(' ') ? made : std::string();
}

}  // namespace doorward::trust
