// The data phase: parse once, judge, act, hand over, answer, record.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>
#include <map>
#include <utility>

#include "action/action.h"
#include "action/authentication_results.h"
#include "base/log.h"
#include "base/metrics.h"
#include "filter/fuzzy_checksums.h"
#include "gateway/answer.h"
#include "gateway/centre_reports.h"
#include "gateway/exchange.h"
#include "gateway/greylisting.h"
#include "gateway/notice.h"
#include "gateway/session.h"
#include "gateway/spooling.h"
#include "gateway/trace.h"
#include "mail/ascii.h"
#include "net/core.h"

namespace doorward::gateway {
namespace {

using sheet::Disposition;

metrics::Counter& mails(sheet::Class klass, Disposition disposition) {
  static std::array<std::array<metrics::Counter*, 7>, 7> counters = [] {
    std::array<std::array<metrics::Counter*, 7>, 7> made{};
    for (size_t c = 0; c < 7; ++c) {
      for (size_t d = 0; d < 7; ++d) {
        made[c][d] =
            &metrics::counter("doorward_mails_total", "Mails judged, by class and disposition, a recipient group each.",
                              {{"class", sheet::name(static_cast<sheet::Class>(c))},
                               {"disposition", sheet::name(static_cast<Disposition>(d))}});
      }
    }
    return made;
  }();
  return *counters[static_cast<size_t>(klass)][static_cast<size_t>(disposition)];
}

void observe(const sheet::ScoreSheet& sheet, double seconds) {
  static auto& judged = metrics::histogram("doorward_judge_seconds", "Time that judging a mail took.",
                                           {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5});
  static auto& whole =
      metrics::histogram("doorward_data_to_reply_seconds", "Time from the end of the data to our reply.",
                         {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 5, 30});
  static auto& size = metrics::histogram("doorward_mail_bytes", "Size of the mails judged.",
                                         {1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7});
  judged.observe(static_cast<double>(sheet.judged_microseconds) / 1e6);
  whole.observe(seconds);
  size.observe(static_cast<double>(sheet.size));
}

std::vector<sheet::Lookup> noted(const net::LookupLog& log) {
  std::vector<sheet::Lookup> lookups;
  lookups.reserve(log.entries().size());
  for (const auto& entry : log.entries()) {
    lookups.push_back({fmt::format("{} {}", net::text(entry.type), entry.name), std::string(net::text(entry.status)),
                       entry.cached, static_cast<uint32_t>(entry.took.count())});
  }
  return lookups;
}

bool is_handed_on(Disposition disposition) {
  return disposition == Disposition::deliver || disposition == Disposition::tag;
}

}  // namespace

// Everything that the data phase works on.
struct Session::Judged {
  // Puts a recipient to those that decide like it, or into a group of its own.
  void add(Group recipient) {
    const auto same =
        std::find_if(groups.begin(), groups.end(), [&](const Group& other) { return other.decides_like(recipient); });
    group_of.push_back(static_cast<size_t>(same - groups.begin()));
    if (same == groups.end()) {
      groups.push_back(std::move(recipient));
    } else {
      same->recipients.push_back(std::move(recipient.recipients.front()));
      for (auto& address : recipient.addresses) same->addresses.push_back(std::move(address));
    }
  }

  const mail::Client& client;
  const mail::Envelope& envelope;
  mail::Content content;                                      // until it is kept: then the spool's
  const SteadyTime begun = std::chrono::steady_clock::now();  // of real time: sockets know no other
  std::vector<Group> groups{};
  std::vector<size_t> group_of{};  // by recipient
  std::optional<mime::Message> message{};
  std::optional<mailauth::SignedMail> signed_mail{};  // where the sender's authentication is looked at
  filter::Facts facts{};
  sheet::ScoreSheet sheet{};
  Extracts extracts{};
  std::optional<Spooling> spooling{};          // what is kept, once there is something
  std::vector<bool> kept{};                    // by group: answered by the spool
  std::vector<std::chrono::minutes> delays{};  // by group, once some are put off
  std::vector<const Taken*> unknown_dsn{};     // whose backend has the mail, and does not know DSN
};

Task<std::vector<smtp::Reply>> Session::data(const mail::Client& client, const mail::Envelope& envelope,
                                             mail::Content content) {
  std::vector<smtp::Reply> replies(transaction_->taken.size());
  Judged judged{client, envelope, std::move(content)};
  for (const auto& recipient : transaction_->taken) judged.add(recipient.group());

  if (!co_await judge(judged)) {
    std::fill(replies.begin(), replies.end(), internal_failure(envelope.id));
    log::error("mail.not_judged", {{"id", envelope.id}, {"mend", "too much long work waits: see doorward_ metrics"}});
  } else if (judged.message->headers().count("Received") > kMostHops) {
    refuse_loop(judged, replies);
  } else {
    greylist(judged);
    for (size_t group = 0; group < judged.groups.size(); ++group) co_await answer_group(judged, group, replies);
    if (judged.spooling) co_await keep(judged, replies);
    note_replies(judged, replies);
    co_await tell_relayed(gateway_, core_, judged.facts, client, envelope, *transaction_->snapshot,
                          std::move(judged.unknown_dsn), judged.message->raw());
  }
  if (!judged.sheet.id.empty()) look_back(judged);
  if (envelope.prdr) {
    replies.push_back(closing(replies));
  } else {
    replies.assign(1, combine(replies, envelope.id));
  }
  co_await reset();
  co_return replies;
}

void Session::refuse_loop(Judged& judged, std::vector<smtp::Reply>& replies) {
  std::fill(replies.begin(), replies.end(), loop_detected(judged.envelope.id));
  for (auto& verdict : judged.sheet.groups) {
    verdict.klass = sheet::Class::sanity;
    verdict.disposition = verdict.intended = sheet::Disposition::refuse;
    verdict.reply_code = replies.front().code;
    verdict.reply_text = replies.front().lines.front();
  }
  judged.extracts = {};  // whatever went in circles teaches nothing
}

// Parses, asks and judges; long messages off this core. False when there was no room to do so.
Task<bool> Session::judge(Judged& judged) {
  const bool aside = judged.content.size() >= gateway_.options().judge_offloaded_from;
  const auto direction = transaction_->taken.front().direction;
  const bool asks = direction == sheet::Direction::inbound && gateway_.authenticator().is_on();
  judged.facts.submitted = direction == sheet::Direction::outbound;
  judged.facts.helo_is_ours = is_ours(judged.client.helo);
  const bool consults = direction == sheet::Direction::inbound && gateway_.parts().centre != nullptr;
  const bool parsed = co_await run(aside, [&judged, asks, consults, aside] {
    judged.message.emplace(mime::Message::parse(judged.content.bytes()));
    if (consults) judged.extracts.fingerprint = trust::fingerprint_of(*judged.message);
    if (!asks) return;
    judged.signed_mail.emplace(*judged.message);
    if (aside) mailauth::hash_bodies(*judged.signed_mail);
  });
  if (!parsed) co_return false;
  std::vector<sheet::Lookup> lookups;
  if (asks || consults) lookups = co_await ask(judged, asks);
  co_return co_await run(aside, [this, &judged, &lookups, direction] {
    const Mail mail{*judged.message, judged.client, judged.envelope, direction, judged.facts};
    judged.sheet = gateway_.judge().judge(mail, *transaction_->snapshot, judged.groups, &judged.extracts);
    judged.sheet.lookups = std::move(lookups);
  });
}

bool Session::is_ours(std::string_view name) const {
  const auto domain = mail::parse_domain(name);
  if (!domain) return false;
  return mail::equal_ignoring_case(domain->key(), gateway_.options().host_name) ||
         transaction_->snapshot->is_protected(*domain);
}

Task<bool> Session::run(bool aside, std::move_only_function<void()> work) {
  if (aside) co_return co_await net::offloaded(core_, gateway_.parts().offload, std::move(work));
  work();
  co_return true;
}

Task<bool> Session::authenticate(Judged& judged, net::LookupLog& log, SteadyTime last) {
  judged.facts.authentication = co_await gateway_.authenticator().check(
      core_, {judged.client, judged.envelope, *judged.message, *judged.signed_mail}, log, last);
  co_return true;
}

// What other gateways saw of the mail. It is asked while it is still being found out who sent it, so the sender's own
// domain may count as another one: one more or less decides nothing.
Task<bool> Session::consult(Judged& judged, std::vector<sheet::Lookup>& lookups) {
  auto& centre = *gateway_.parts().centre;
  const Mail mail{*judged.message, judged.client, judged.envelope, sheet::Direction::inbound, judged.facts};
  auto id = reference_of(centre, mail, *judged.extracts.fingerprint);
  if (id.empty()) co_return true;
  const auto told = co_await centre.ask(core_, std::move(id));
  judged.facts.elsewhere = told.answer;
  if (!told.answer) judged.facts.skipped.emplace_back("fingerprint_service: it did not answer");
  lookups.push_back({"fingerprint service",
                     !told.answer         ? "timeout"
                     : told.answer->known ? "found"
                                          : "no_data",
                     false, told.microseconds});
  co_return true;
}

// What the network can tell of the mail, all of it asked at once.
Task<std::vector<sheet::Lookup>> Session::ask(Judged& judged, bool names) {
  auto& authenticator = gateway_.authenticator();
  auto* const lists = gateway_.parts().lists;
  std::optional<net::LookupLog> log;
  std::vector<sheet::Lookup> lookups;
  std::vector<Task<bool>> asked;
  if (names) {
    log.emplace(authenticator.log());
    const SteadyTime last = authenticator.deadline(transaction_->waited_for_names.value_or(std::chrono::seconds(0)));
    asked.push_back(authenticate(judged, *log, last));
    if (lists != nullptr && lists->is_any_used()) {
      asked.push_back(lists->ask(core_, *log, judged.client, judged.envelope, *judged.message, last, judged.facts));
    }
  }
  if (gateway_.parts().centre != nullptr) asked.push_back(consult(judged, lookups));
  (void)co_await when_all(std::move(asked));
  if (log) std::ranges::move(noted(*log), std::back_inserter(lookups));
  co_return lookups;
}

void Session::greylist(Judged& judged) {
  const auto& [greylist, learner, now] =
      std::tuple(gateway_.parts().memory.greylist, gateway_.parts().learner, gateway_.parts().clock.now());
  if (greylist == nullptr || learner == nullptr) return;
  const Mail mail{*judged.message, judged.client, judged.envelope, judged.sheet.direction, judged.facts};
  for (size_t group = 0; group < judged.groups.size(); ++group) {
    auto& verdict = judged.sheet.groups[group];
    const auto delay = greylisting_delay(mail, judged.groups[group], verdict, judged.sheet.findings, now);
    if (!delay || !is_put_off(*greylist, *learner, mail, judged.groups[group], *delay, now)) continue;
    judged.delays.resize(judged.groups.size());
    judged.delays[group] = *delay;
    verdict.disposition = Disposition::defer;
  }
}

Task<void> Session::answer_group(Judged& judged, size_t group, std::vector<smtp::Reply>& replies) {
  auto& verdict = judged.sheet.groups[group];
  const bool on = is_handed_on(verdict.disposition);
  if ((on && transaction_->taken.front().is_relayed()) || verdict.disposition == Disposition::quarantine) {
    put_aside(judged, group);
  } else if (on) {
    co_await hand_over(judged, group, replies);
  } else {
    const auto reply = verdict.disposition == Disposition::discard ? accepted(judged.envelope.id)
                       : verdict.disposition == Disposition::defer && !judged.delays.empty()
                           ? put_off(judged.delays[group], judged.envelope.id)
                           : refusal(verdict, judged.envelope.id);
    for (size_t i = 0; i < replies.size(); ++i) {
      if (judged.group_of[i] == group) replies[i] = reply;
    }
  }
}

void Session::note_replies(Judged& judged, std::span<const smtp::Reply> replies) {
  for (size_t i = replies.size(); i-- > 0;) {
    auto& verdict = judged.sheet.groups[judged.group_of[i]];
    verdict.reply_code = replies[i].code;
    verdict.reply_text = replies[i].lines.empty() ? "" : replies[i].lines.front();
  }
}

// The mail as that group gets it.
mime::Edits Session::edits(const Judged& judged, size_t group) {
  const auto& settings = *judged.groups[group].settings;
  const auto& verdict = judged.sheet.groups[group];
  action::MessageOutcome outcome;
  const action::Verdicted looked_at{*judged.message, judged.client,    judged.envelope, judged.sheet,
                                    verdict,         settings.actions, &judged.facts,   gateway_.options().host_name};
  for (const auto* action : action::all()) {
    if (action->info().phase == action::Phase::verdict || action->info().phase == action::Phase::message) {
      action->on_verdict(looked_at, outcome);
    }
  }
  // Who only adds trace fields changes nothing that a signature covers.
  const bool changed = !outcome.edits.all().empty();
  const auto& taken = transaction_->taken;
  mail::Client client = judged.client;
  if (const auto& of = judged.facts.authentication; of && of->iprev.result == mailauth::Result::pass) {
    client.reverse_name = of->iprev.name;
  }
  outcome.edits.prepend(received_field(client, judged.envelope, gateway_.options().host_name,
                                       taken.size() == 1 ? taken.front().named().text() : ""));
  if (changed && gateway_.options().sealer && judged.facts.authentication && settings.arc_seal) {
    const auto results = action::results_of(judged.facts, judged.client, judged.envelope);
    gateway_.options().sealer->seal(judged.message->raw(), judged.facts.authentication->arc,
                                    mailauth::authentication_results_text(gateway_.options().host_name, results),
                                    gateway_.parts().clock.now(), outcome.edits);
  }
  return std::move(outcome.edits);
}

// For the spool: relayed, or quarantined in either mode.
void Session::put_aside(Judged& judged, size_t group) {
  const auto& verdict = judged.sheet.groups[group];
  if (!judged.spooling)
    judged.spooling.emplace(judged.facts, judged.client, judged.envelope, judged.sheet, gateway_.parts().clock.now());
  std::vector<const Taken*> recipients;
  for (size_t i = 0; i < judged.group_of.size(); ++i) {
    if (judged.group_of[i] == group) recipients.push_back(&transaction_->taken[i]);
  }
  judged.spooling->add(edits(judged, group), verdict.klass, verdict.disposition, recipients);
  judged.kept.resize(judged.groups.size());
  judged.kept[group] = true;
}

// One record of the spool for all that is kept: durable before anybody hears 250.
Task<void> Session::keep(Judged& judged, std::vector<smtp::Reply>& replies) {
  auto* spool = gateway_.parts().spool;
  auto reply = accepted(judged.envelope.id);
  if (spool == nullptr) {
    reply = internal_failure(judged.envelope.id);
  } else if (const auto done = co_await judged.spooling->commit(*spool, core_, std::move(judged.content)); !done) {
    log::error("spool.commit_failed", {{"id", judged.envelope.id}, {"error", done.error().text()}});
    reply = not_stored(judged.envelope.id);
  }
  for (size_t i = 0; i < replies.size(); ++i) {
    if (judged.kept[judged.group_of[i]]) replies[i] = reply;
  }
}

Task<void> Session::hand_over(Judged& judged, size_t group, std::vector<smtp::Reply>& replies) {
  const auto changes = edits(judged, group);
  std::vector<mail::Recipient> recipients;
  for (size_t i = 0; i < replies.size(); ++i) {
    if (judged.group_of[i] == group) recipients.push_back(transaction_->taken[i].forward);
  }
  auto told = co_await transaction_->proxy->deliver(judged.client, judged.envelope, std::move(recipients),
                                                    changes.apply(judged.content.bytes()),
                                                    judged.begun + gateway_.options().answer_within);
  auto next = told.begin();
  for (size_t i = 0; i < replies.size(); ++i) {
    if (judged.group_of[i] != group) continue;
    // Fewer replies than recipients would be a broken promise of the delivery room: such a recipient is told to try
    // again.
    auto reply = next == told.end() ? internal_failure(judged.envelope.id) : *next++;
    if (reply.code == 250 && transaction_->taken[i].given.notify.success && !transaction_->proxy->relays_dsn())
      judged.unknown_dsn.push_back(&transaction_->taken[i]);
    replies[i] =
        reply.code == 250 ? accepted(judged.envelope.id) : with_reference(std::move(reply), judged.envelope.id);
  }
}

// The outcome phase, which cannot change the answer: backends may have the mail already.
void Session::look_back(Judged& judged) try {
  teach(judged);
  remember(judged);
  record(judged);
  observe(judged.sheet, std::chrono::duration<double>(std::chrono::steady_clock::now() - judged.begun).count());
  if (auto* witness = gateway_.parts().witness; witness != nullptr && judged.facts.authentication) {
    witness->saw({judged.facts, judged.client, judged.envelope, *judged.message, judged.sheet, judged.groups,
                  gateway_.parts().clock.now()});
  }
  const auto refused = std::exchange(transaction_->refused.groups, {});
  judged.sheet.groups.insert(judged.sheet.groups.end(), refused.begin(), refused.end());
  store(std::move(judged.sheet));
} catch (const std::exception& failure) {
  log::error("mail.not_recorded", {{"id", judged.envelope.id}, {"what", failure.what()}});
}

// One mail teaches a customer once, however many groups of its recipients had it. It teaches nothing where they do not
// agree: then rules and prices made the difference, not the mail; nor where some of them will see it again.
void Session::teach(const Judged& judged) {
  if (gateway_.parts().learner == nullptr || judged.extracts.features.hashes.empty()) return;
  std::map<uint64_t, std::optional<trust::Label>> lessons;  // by customer; none: no lesson
  const auto add = [&lessons](uint64_t customer, std::optional<trust::Label> label) {
    const auto [lesson, is_first] = lessons.try_emplace(customer, label);
    if (!is_first && lesson->second != label) lesson->second.reset();
  };
  for (size_t group = 0; group < judged.groups.size(); ++group) {
    const auto& settings = *judged.groups[group].settings;
    const auto& verdict = judged.sheet.groups[group];
    if (verdict.reply_code / 100 == 4) {
      add(settings.customer, std::nullopt);
      continue;
    }
    action::MessageOutcome outcome;
    const action::Verdicted looked_at{*judged.message, judged.client,    judged.envelope, judged.sheet,
                                      verdict,         settings.actions, &judged.facts,   gateway_.options().host_name};
    for (const auto* action : action::all()) {
      if (action->info().phase == action::Phase::outcome) action->on_outcome(looked_at, outcome);
    }
    for (const auto& effect : outcome.effects) {
      if (effect.kind == action::Effect::Kind::train_ham) {
        add(settings.customer, trust::Label::ham);
      } else if (effect.kind == action::Effect::Kind::train_spam) {
        add(settings.customer, trust::Label::spam);
      }
    }
  }
  for (const auto& [customer, label] : lessons) {
    if (label) gateway_.parts().learner->learn(judged.extracts.features, customer, *label);
  }
}

// Who writes to whom; that this text, these files came from there, for whoever gets the same from elsewhere; and what
// our own users write.
void Session::remember(const Judged& judged) {
  auto* const learner = gateway_.parts().learner;
  if (learner == nullptr) return;
  const SystemTime now = gateway_.parts().clock.now();
  note_exchange(*learner, {*judged.message, judged.client, judged.envelope, judged.sheet.direction, judged.facts},
                judged.groups, judged.sheet, now);
  const auto& print = judged.extracts.fingerprint;
  if (!print || print->empty()) return;
  if (judged.sheet.direction == sheet::Direction::inbound) {
    if (filter::is_report(*judged.message)) return;
    if (auto* centre = gateway_.parts().centre) {
      report_to_centre(*centre, {*judged.message, judged.client, judged.envelope, judged.sheet.direction, judged.facts},
                       judged.groups, judged.sheet, *print, gateway_.parts().memory.sightings, now);
    }
    learner->saw(*print, filter::counted_sender(judged.facts, judged.envelope, *judged.message), now);
  } else if (std::ranges::all_of(judged.sheet.groups,
                                 [](const auto& group) { return group.klass == sheet::Class::clean; })) {
    learner->sent(*print, now);
  }
}

void Session::record(const Judged& judged) {
  // Of inbound mail whose sender was asked about.
  const auto shown = [&judged](auto result) {
    return judged.facts.authentication ? mailauth::text(result(*judged.facts.authentication)) : std::string_view("-");
  };
  for (size_t group = 0; group < judged.groups.size(); ++group) {
    const auto& verdict = judged.sheet.groups[group];
    mails(verdict.klass, verdict.disposition).add();
    std::string recipients;
    for (size_t i = 0; i < judged.group_of.size(); ++i) {
      if (judged.group_of[i] != group) continue;
      if (recipients.size() > 1000) {
        recipients += ", …";
        break;
      }
      if (!recipients.empty()) recipients += ", ";
      recipients += transaction_->taken[i].named().text();
    }
    log::info("mail.judged", {{"id", judged.envelope.id},
                              {"ip", judged.sheet.client_ip},
                              {"sender", judged.sheet.sender},
                              {"recipients", recipients},
                              {"count", judged.group_of.size()},
                              {"bytes", judged.sheet.size},
                              {"spf", shown([](const auto& of) { return of.spf.result; })},
                              {"dkim", shown([](const auto& of) { return of.dkim.best(); })},
                              {"dmarc", shown([](const auto& of) { return of.dmarc.result; })},
                              {"scl", verdict.priced.scl.level()},
                              {"class", sheet::name(verdict.klass)},
                              {"disposition", sheet::name(verdict.disposition)},
                              {"observed", verdict.observed},
                              {"bypassed", verdict.bypassed},
                              {"code", verdict.reply_code},
                              {"judged_us", judged.sheet.judged_microseconds}});
  }
}

}  // namespace doorward::gateway
