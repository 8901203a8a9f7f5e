#include "delivery/relay_attempt.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/metrics.h"
#include "delivery/commands.h"

namespace doorward::delivery {
namespace {

using Kind = spool::Outcome::Kind;
using smtp::Reply;

constexpr unsigned kMostRounds = 50;  // transactions of one attempt, where the next hop takes few recipients at once

SteadyTime now() { return std::chrono::steady_clock::now(); }

uint64_t octets(const std::vector<std::string_view>& pieces) {
  uint64_t sum = 0;
  for (const std::string_view piece : pieces) sum += piece.size();
  return sum;
}

metrics::Counter& unanswered() {
  static metrics::Counter& counter = metrics::counter(
      "doorward_relay_unanswered_total",
      "Contents sent whole to a next hop that then did not answer: they are sent again, and may arrive twice");
  return counter;
}

}  // namespace

RelayAttempt::RelayAttempt(const RelayOptions& options, const RelayParts& parts, net::Core& core, BackendPool& pool,
                           RelayHosts& hosts, const spool::Job& job, RelayStop stop)
    : options_(options),
      parts_(parts),
      core_(core),
      pool_(pool),
      hosts_(hosts),
      job_(job),
      stop_(stop),
      content_(job.content) {
  const spool::Mail& mail = *job.mail;
  envelope_.id = mail.id;
  envelope_.from = mail.from;
  envelope_.body = mail.body;
  envelope_.smtputf8 = mail.smtputf8;
  envelope_.require_tls = mail.require_tls;
  envelope_.ret = mail.ret;
  envelope_.envid = mail.envid;
  answers_.resize(job.recipients.size());
  for (size_t i = 0; i < answers_.size(); ++i) answers_[i].recipient = job.recipients[i];
}

Task<void> RelayAttempt::run() {
  if (job_.destination.kind == spool::Destination::Kind::mx)
    co_await run_mx();
  else
    co_await run_backend();
}

void RelayAttempt::answer_all(Kind kind, const Reply& reply) {
  for (size_t i = 0; i < answers_.size(); ++i)
    if (!answers_[i].settled) settle(i, Meaning{kind, reply}, reply);
}

void RelayAttempt::cancel() {
  cancelled_ = true;
  if (connection_ != nullptr) connection_->client.connection().close();
}

spool::Health RelayAttempt::health() const {
  if (good_) return spool::Health::good;
  if (busy_) return spool::Health::busy;
  return dead_ ? spool::Health::dead : spool::Health::unknown;
}

Task<std::shared_ptr<const spool::Content>> RelayAttempt::content() {
  if (content_ == nullptr) {
    Result<std::shared_ptr<const spool::Content>> read = fail("too much work waits");
    const bool ran = co_await net::offloaded(core_, parts_.offload, [&] { read = parts_.queue.read(*job_.mail); });
    if (read)
      content_ = std::move(*read);
    else
      log::error("relay.content_unreadable", {{"id", job_.mail->id}, {"error", read.error().text()}, {"read", ran}});
  }
  co_return content_;
}

bool RelayAttempt::any_open() const {
  return std::ranges::any_of(answers_, [](const Answered& each) { return !each.settled; });
}

void RelayAttempt::settle(size_t position, Meaning meaning, const Reply& words) {
  Answered& answer = answers_[position];
  answer.settled = true;
  answer.meaning = std::move(meaning);
  answer.words = words;
  answer.remote = remote_;
  answer.remote_name = remote_name_;
}

void RelayAttempt::note(Meaning meaning, const Reply& words) {
  for (size_t i = 0; i < answers_.size(); ++i) {
    if (answers_[i].settled) continue;
    settle(i, meaning, words);
    answers_[i].settled = false;
  }
}

void RelayAttempt::reroute(size_t position, spool::Destination to) {
  Answered& answer = answers_[position];
  answer.settled = true;
  answer.meaning.kind = Kind::reroute;
  answer.destination = std::move(to);
}

Meaning RelayAttempt::judge(NextHop hop, Stage stage, std::string_view at, const Reply& words) {
  Meaning found = meaning(hop, stage, words);
  if (found.fault != Fault::none && connection_ != nullptr) pool_.alarm(*connection_->backend, found.fault, at, words);
  return found;
}

Task<bool> RelayAttempt::connect(std::shared_ptr<const policy::Backend> host, NextHop hop, bool fresh) {
  using namespace std::chrono_literals;
  const SteadyTime enough = now() + options_.slot_wait;
  Trouble trouble;
  for (;;) {
    const Looking looking(stop_.looking);
    auto opened = co_await pool_.acquire(host, std::exchange(fresh, false), now() + 5min, &trouble);
    give_up_if_stopping();
    if (opened && !cancelled_) {
      connection_ = std::move(*opened);
      connection_->client.set_deadline(SteadyTime::max());
      remote_ = host->name + ' ' + connection_->client.connection().remote().text();
      remote_name_ = hop == NextHop::mx ? host->name : std::string();
      co_return true;
    }
    if (cancelled_) co_return false;
    if (trouble.kind != Trouble::Kind::no_slot || now() >= enough) {
      remote_ = host->name;
      if (!host->addresses.empty()) remote_ += ' ' + host->addresses.front().text();
      remote_name_ = hop == NextHop::mx ? host->name : std::string();
      const Reply& words = trouble.words.code != 0 ? trouble.words : opened.error();
      if (hop == NextHop::mx && trouble.kind == Trouble::Kind::refused && words.permanent()) {
        refused_ = Meaning{Kind::failed, words};
        refused_words_ = words;
        refused_remote_ = remote_;
        co_return false;
      }
      if (hop == NextHop::mx && envelope_.require_tls && opened.error().enhanced == smtp::EnhancedStatus{4, 3, 5}) {
        refused_ =
            Meaning{Kind::failed, requiretls_not_supported()};  // no TLS, or not with its own name (RFC 8689 §4.2.1)
        refused_words_ = refused_->told;
        refused_remote_ = remote_;
        co_return false;
      }
      wanting_ = true;
      const bool full = trouble.kind == Trouble::Kind::no_slot || words.transient();
      (full && trouble.kind != Trouble::Kind::unreachable ? busy_ : dead_) = true;
      note(Meaning{Kind::retry, hop == NextHop::mx ? words : opened.error()}, words);
      co_return false;
    }
  }
}

Task<RelayAttempt::Next> RelayAttempt::through(std::shared_ptr<const policy::Backend> host, NextHop hop) {
  bool fresh = false;
  for (unsigned round = 0; round < kMostRounds && any_open();) {
    if (!co_await connect(host, hop, fresh)) co_return cancelled_ ? Next::done : Next::other_host;
    const bool reused = connection_->reused;
    const Step step = co_await transact(hop);
    if (cancelled_) co_return Next::done;
    if (step == Step::done || step == Step::more || step == Step::unfit) {
      pool_.give_back(std::move(connection_));
      if (step != Step::more) co_return step == Step::done ? Next::done : Next::other_host;
      ++round;
      fresh = false;
      continue;
    }
    connection_.reset();
    // Nothing of the mail was sent, and the connection had been lying idle: it died then.
    if (reused && !fresh) {
      fresh = true;
      continue;
    }
    co_return Next::other_host;
  }
  co_return Next::done;
}

RelayAttempt::Step RelayAttempt::broken(const net::IoFailure& failure) {
  // One that does not answer in all its time is as good as not there; one that hangs up may just have too many of us.
  (failure.kind == net::IoError::timed_out ? dead_ : busy_) = true;
  wanting_ = true;
  const Meaning lost = meaning(failure, false);
  note(lost, lost.told);
  return Step::broken;
}

std::vector<size_t> RelayAttempt::supported(NextHop hop) {
  std::vector<size_t> wanted;
  const smtp::Extensions& offered = connection_->client.extensions();
  const bool secured = connection_->client.connection().is_tls();
  for (size_t i = 0; i < answers_.size(); ++i) {
    if (answers_[i].settled) continue;
    auto lacking = unsupported(envelope_, &recipient(i).to, offered, secured);
    if (!lacking) {
      wanted.push_back(i);
    } else if (hop == NextHop::mx && lacking->enhanced == smtp::EnhancedStatus{5, 7, 30}) {
      refused_ = Meaning{Kind::failed, *lacking};  // RFC 8689 §4.2.1: another of the domain's hosts may
      refused_words_ = *lacking;
      refused_remote_ = remote_;
    } else {
      settle(i, Meaning{Kind::failed, *lacking}, *lacking);
    }
  }
  return wanted;
}

Task<RelayAttempt::Step> RelayAttempt::transact(NextHop hop) {
  const std::shared_ptr<const spool::Content> bytes = co_await content();
  if (cancelled_) co_return Step::done;
  if (bytes == nullptr) {
    note(Meaning{Kind::retry, content_not_readable()}, content_not_readable());
    co_return Step::done;
  }
  if (hops(bytes->raw()) > options_.most_hops) {
    answer_all(Kind::failed, runs_in_a_loop());
    co_return Step::done;
  }
  if (!envelope_.declared_size) envelope_.declared_size = octets(bytes->pieces(job_.version));

  const std::vector<size_t> wanted = supported(hop);
  if (wanted.empty()) co_return any_open() ? Step::unfit : Step::done;
  const smtp::Extensions& offered = connection_->client.extensions();
  std::vector<std::string> lines;
  lines.reserve(wanted.size() + 2);
  const size_t reset = connection_->dirty ? 1 : 0;
  if (reset != 0) lines.emplace_back("RSET");
  lines.push_back(mail_command(envelope_, offered));
  for (const size_t each : wanted) lines.push_back(rcpt_command(recipient(each).to, offered));
  connection_->dirty = true;
  auto replies = co_await connection_->client.pipeline(std::move(lines));
  if (!replies) co_return broken(replies.error());

  const auto closes = [this](const Reply& words) {
    busy_ = wanting_ = true;
    const Reply told = backend_busy();
    note(Meaning{Kind::retry, told}, words);
    return Step::closing;
  };
  if (reset != 0 && replies->front().code != 250) co_return closes(replies->front());
  const Reply& mail = (*replies)[reset];
  if (mail.code == 421) co_return closes(mail);
  if (mail.code != 250) {
    Meaning refusal = judge(hop, Stage::mail, "mail", mail.positive() ? Reply(0, mail.lines.front()) : mail);
    (mail.transient() ? busy_ : dead_) = refusal.kind == Kind::retry;
    for (const size_t each : wanted) settle(each, refusal, mail);
    co_return Step::done;
  }
  std::vector<size_t> taken;
  bool more = false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Reply& words = (*replies)[reset + 1 + i];
    if (words.code == 421) co_return closes(words);
    if (words.code >= 400 && too_many_recipients(words, taken.size())) {
      more = true;
      continue;
    }
    Meaning one = judge(hop, Stage::recipient, "rcpt", words);
    good_ = good_ || one.kind != Kind::retry;
    if (one.kind == Kind::delivered)
      taken.push_back(wanted[i]);
    else
      settle(wanted[i], std::move(one), words);
  }
  if (taken.empty()) co_return Step::done;
  co_return co_await hand_over(hop, std::move(taken), more);
}

Task<RelayAttempt::Step> RelayAttempt::hand_over(NextHop hop, std::vector<size_t> taken, bool more) {
  // A reply too many would pass for the one to the content, which the server may then never take.
  if (connection_->client.unexpected_input()) co_return broken({net::IoError::other, "more replies than commands"});
  auto replies =
      co_await connection_->client.data(content_->pieces(job_.version), taken.size(), pool_.options().use_bdat);
  if (!replies) {
    good_ = false;
    if (!connection_->client.content_sent()) co_return broken(replies.error());
    // It may have the mail or not. Trying again may bring it twice; not trying could lose it (RFC 5321 §4.2.5, RFC
    // 1047).
    unanswered().add();
    const Meaning lost = meaning(replies.error(), false);
    log::warning("relay.unanswered", {{"id", job_.mail->id}, {"remote", remote_}, {"error", replies.error().detail}});
    dead_ = replies.error().kind == net::IoError::timed_out;
    for (const size_t each : taken) settle(each, lost, lost.told);
    co_return Step::done;
  }
  const bool dsn = connection_->client.extensions().dsn;
  // After a refused BDAT the server's state is undefined (RFC 3030 §2).
  connection_->dirty = std::ranges::any_of(*replies, [](const Reply& reply) { return reply.code / 100 != 2; });
  for (size_t i = 0; i < taken.size(); ++i) {
    const Reply& words = (*replies)[std::min(i, replies->size() - 1)];
    const bool sense = words.code / 100 == 2 || words.code >= 400;
    Meaning one = judge(hop, Stage::content, "data", sense ? words : Reply(0, words.lines.front()));
    if (words.code == 421) {
      busy_ = true;
      good_ = false;
    }
    settle(taken[i], std::move(one), words);
    answers_[taken[i]].dsn_passed = dsn;
  }
  co_return more ? Step::more : Step::done;
}

}  // namespace doorward::delivery
