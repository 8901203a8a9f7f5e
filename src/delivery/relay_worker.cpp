#include "delivery/relay_worker.h"

#include <algorithm>
#include <utility>

#include "base/guarded.h"
#include "base/log.h"
#include "delivery/relay_notice.h"
#include "delivery/relay_record.h"

namespace doorward::delivery {
namespace {

using Kind = spool::Outcome::Kind;

constexpr unsigned kBatch = 16;  // jobs taken before the core's other work has its turn, and before others help

bool may_be_told(const spool::Job& job) { return (job.mail->may_bounce || job.bounce) && !job.mail->from.null; }

// Whether the mail's bytes are needed to say what became of it.
bool needs_content(const RelayOptions& options, const spool::Job& job, const std::vector<Answered>& answers,
                   SystemTime now) {
  if (!may_be_told(job)) return false;
  const bool late = !job.warned && (job.warn_only || now - job.mail->received_at >= options.warn_after);
  return std::ranges::any_of(answers, [&](const Answered& each) {
    if (each.meaning.kind == Kind::delivered)
      return !each.dsn_passed && job.mail->recipients[each.recipient].to.notify.success;
    return each.meaning.kind == Kind::failed || (each.meaning.kind == Kind::retry && late);
  });
}

std::vector<spool::Outcome> outcomes_of(std::vector<Answered>& answers) {
  std::vector<spool::Outcome> outcomes;
  outcomes.reserve(answers.size());
  for (Answered& each : answers) {
    spool::Outcome outcome;
    outcome.recipient = each.recipient;
    outcome.kind = each.meaning.kind;
    outcome.reply = std::move(each.words);
    outcome.remote = std::move(each.remote);
    outcome.destination = std::move(each.destination);
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

}  // namespace

void RelayWorker::join(std::weak_ptr<Relay::Shared> shared, size_t index) {
  shared_ = std::move(shared);
  index_ = index;
}

void RelayWorker::poke() {
  if (poked_.exchange(true, std::memory_order_acq_rel)) return;
  seat_.core->post([self = shared_from_this()] {
    self->poked_.store(false, std::memory_order_release);
    self->pump();
  });
}

void RelayWorker::pump() {
  const std::shared_ptr<Relay::Shared> shared = shared_.lock();
  if (shared == nullptr || pumping_) return;
  pumping_ = true;  // attempts that end at once come back here
  for (unsigned taken = 0; running() < shared->options.attempts_per_core && !shared->stopping.load();) {
    std::optional<spool::Job> job = shared->parts.queue.take();
    if (!job) break;
    running_.fetch_add(1, std::memory_order_relaxed);
    spawn(work(shared_from_this(), shared, std::move(*job)));
    if (++taken < kBatch) continue;
    poke();
    shared->workers[(index_ + 1) % shared->workers.size()]->poke();
    break;
  }
  pumping_ = false;
}

void RelayWorker::cancel_all() {
  for (RelayAttempt& each : attempts_) each.cancel();
}

Task<void> RelayWorker::work(std::shared_ptr<RelayWorker> self, std::shared_ptr<Relay::Shared> shared, spool::Job job) {
  struct Running {
    std::shared_ptr<RelayWorker> of;
    ~Running() { of->running_.fetch_sub(1, std::memory_order_relaxed); }
  };
  {
    const Running running{self};
    bool reported = false;
    try {
      co_await attempt(*self, *shared, job, reported);
    } catch (const std::exception& thrown) {
      report_exception("relay", thrown);
      if (!reported) shared->parts.queue.report(job, {}, spool::Health::unknown, false);
    }
    job = {};
  }
  self->pump();
}

Task<void> RelayWorker::attempt(RelayWorker& self, Relay::Shared& shared, const spool::Job& job, bool& reported) {
  const RelayParts& parts = shared.parts;
  RelayAttempt attempt(shared.options, parts, self.core(), *self.seat_.pool, self.hosts_, job,
                       RelayStop{shared.stopping, self.looking_});
  record_begin(job, parts.clock.now());
  if (job.bounce || job.expired) {
    attempt.answer_all(Kind::failed, job.bounce ? returned_by_hand() : delivery_expired());
  } else if (job.warn_only) {
    attempt.answer_all(Kind::retry, not_yet_delivered());
  } else {
    self.attempts_.push_back(attempt);
    co_await attempt.run();
    attempt.unlink();
  }
  std::vector<Answered>& answers = attempt.answers();
  if (attempt.cancelled()) {
    std::erase_if(answers, [](const Answered& each) { return !each.settled; });
    if (answers.empty()) co_return;
  }
  const bool warned = co_await tell(self, shared, job, attempt);
  if (!job.warn_only) record_end(job, answers, parts.clock.now());
  reported = true;
  parts.queue.report(job, outcomes_of(answers), attempt.health(), warned);
}

// What must be told is stored before it is reported as done: a crash between the two tells it twice, never not at all.
// True: a delay was told.
Task<bool> RelayWorker::tell(RelayWorker& self, Relay::Shared& shared, const spool::Job& job, RelayAttempt& attempt) {
  const RelayParts& parts = shared.parts;
  const SystemTime now = parts.clock.now();
  std::vector<Answered>& answers = attempt.answers();
  std::shared_ptr<const spool::Content> content;
  if (needs_content(shared.options, job, answers, now)) content = co_await attempt.content();
  const std::string_view raw = content ? content->raw() : std::string_view();
  const Notice notice = notice_of(shared.options, job, answers, raw, now);
  if (notice.told.empty()) co_return false;
  NoticeMail told = notice_mail(shared.options.notice, *parts.snapshot(), *job.mail, notice.told, raw, now);
  const auto stored = co_await parts.queue.commit(self.core(), told.mail, told.content);
  if (stored) {
    log::info("mail.notice", {{"id", told.mail->id},
                              {"about", job.mail->id},
                              {"recipient", told.mail->recipients.front().to.mailbox.text()},
                              {"recipients", notice.told.size()}});
    co_return notice.warns;
  }
  log::error("relay.notice_not_stored", {{"about", job.mail->id}, {"error", stored.error().text()}});
  // Not told is not failed: the next attempt ends the same way, and tells it then.
  if (notice.fails)
    for (Answered& each : answers)
      if (each.meaning.kind == Kind::failed) each.meaning.kind = Kind::retry;
  co_return false;
}

}  // namespace doorward::delivery
