#include "vault/importer.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "vault/lawful.h"

namespace doorward::vault {
namespace {

constexpr size_t kBatch = 64;                          // mails that share one write
constexpr uint64_t kBatchOctets = uint64_t{32} << 20;  // their sealed copies are in memory at once
constexpr std::chrono::milliseconds kLook{250};        // how long a wake-up that was missed may matter
constexpr std::chrono::minutes kSweepEvery{5};

using Kind = spool::Outcome::Kind;

spool::Outcome outcome(size_t recipient, Kind kind, int code, std::string text) {
  spool::Outcome made;
  made.recipient = recipient;
  made.kind = kind;
  made.reply = smtp::Reply(code, std::move(text));
  made.remote = "vault";
  return made;
}

// The legal mode was changed after the mail had been accepted: what may not be kept and was not refused is delivered.
spool::Outcome not_kept(const spool::Job& job, size_t position, const policy::Snapshot& snapshot) {
  const auto& recipient = job.mail->recipients.at(position);
  auto way = job.mail->direction == sheet::Direction::outbound
                 ? std::optional(spool::Destination{spool::Destination::Kind::mx, recipient.to.mailbox.domain.key()})
                 : way_out(recipient.to.mailbox, snapshot);
  log::warning("vault.forbidden", {{"mail", job.mail->id}, {"recipient", recipient.to.mailbox.text()}});
  if (!way) return outcome(position, Kind::stranded, 550, "the domain has no backend, and its mail may not be kept");
  auto made = outcome(position, Kind::reroute, 250, "the domain's legal mode does not allow to keep it: delivered");
  made.destination = std::move(*way);
  return made;
}

}  // namespace

struct Importer::State {
  Vault& vault;
  Source source;
  Snapshots snapshots;
  std::mutex mutex{};
  std::condition_variable waiting{};
  bool woken = false, stopping = false;
  std::thread thread{};

  State(Vault& kept_in, Source from, Snapshots policies)
      : vault(kept_in), source(std::move(from)), snapshots(std::move(policies)) {}

  void report_all(const spool::Job& job, Kind kind, int code, const std::string& text) const {
    std::vector<spool::Outcome> outcomes;
    outcomes.reserve(job.recipients.size());
    for (const size_t position : job.recipients) outcomes.push_back(outcome(position, kind, code, text));
    source.report(job, std::move(outcomes));
  }

  // What needs no vault, or cannot have it; true: the job is ended.
  bool ended_without(spool::Job& job) const {
    if (job.bounce) {
      report_all(job, Kind::failed, 550, "returned by an administrator");
      return true;
    }
    if (!job.content) {
      auto content = source.read(*job.mail);
      if (!content) {
        report_all(job, Kind::retry, 451, content.error().text());
        return true;
      }
      job.content = std::move(*content);
    }
    return false;
  }

  void import(const spool::Job& job, const policy::Snapshot& snapshot) {
    const Incoming incoming{job.mail, job.content, job.version, job.recipients};
    auto kept = vault.keep({&incoming, 1}, snapshot);
    if (!kept) {
      log::error("vault.import_failed", {{"mail", job.mail->id}, {"error", kept.error().text()}});
      // However long it takes: nobody else has this mail.
      report_all(job, job.expired ? Kind::stranded : Kind::retry, 451, kept.error().text());
      return;
    }
    report(job, *kept, snapshot);
  }

  void report(const spool::Job& job, std::span<const Kept> kept, const policy::Snapshot& snapshot) const {
    std::vector<spool::Outcome> outcomes;
    for (const Kept& one : kept) {
      if (one.what == Kept::What::forbidden) {
        outcomes.push_back(not_kept(job, one.recipient, snapshot));
        continue;
      }
      log::info("vault.kept", {{"mail", job.mail->id},
                               {"entry", one.id},
                               {"recipient", job.mail->recipients.at(one.recipient).to.mailbox.text()},
                               {"again", one.what == Kept::What::known}});
      outcomes.push_back(outcome(one.recipient, Kind::delivered, 250, "kept as " + one.id));
    }
    source.report(job, std::move(outcomes));
  }

  // All of them by one write; where that fails, each by its own, so that one bad mail does not keep the others out.
  void import(const std::vector<spool::Job>& jobs, const policy::Snapshot& snapshot) {
    std::vector<Incoming> mails;
    mails.reserve(jobs.size());
    for (const auto& job : jobs) mails.push_back({job.mail, job.content, job.version, job.recipients});
    auto kept = vault.keep(mails, snapshot);
    if (!kept) {
      for (const auto& job : jobs) import(job, snapshot);
      return;
    }
    for (size_t i = 0; i < jobs.size(); ++i) {
      std::vector<Kept> own;
      std::ranges::copy_if(*kept, std::back_inserter(own), [i](const Kept& one) { return one.mail == i; });
      report(jobs[i], own, snapshot);
    }
  }

  void run(Importer& importer) {
    SteadyTime next_sweep = std::chrono::steady_clock::now() + kSweepEvery;
    for (;;) {
      const size_t done = importer.import_some();
      if (std::chrono::steady_clock::now() >= next_sweep) {
        next_sweep = std::chrono::steady_clock::now() + kSweepEvery;
        if (auto swept = vault.sweep(); !swept) log::error("vault.sweep_failed", {{"error", swept.error().text()}});
      }
      std::unique_lock held(mutex);
      if (done == 0) waiting.wait_for(held, kLook, [this] { return woken || stopping; });
      if (stopping) return;
      woken = false;
    }
  }
};

Importer::Importer(Vault& vault, Source source, Snapshots snapshots)
    : state_(std::make_unique<State>(vault, std::move(source), std::move(snapshots))) {}
Importer::~Importer() { stop(); }

void Importer::start() {
  state_->thread = std::thread([this] { state_->run(*this); });
}

void Importer::wake() {
  const std::scoped_lock held(state_->mutex);
  state_->woken = true;
  state_->waiting.notify_one();
}

void Importer::stop() {
  {
    const std::scoped_lock held(state_->mutex);
    state_->stopping = true;
    state_->waiting.notify_one();
  }
  if (state_->thread.joinable()) state_->thread.join();
}

size_t Importer::import_some() {
  std::vector<spool::Job> jobs;
  uint64_t octets = 0;
  size_t taken = 0;
  while (jobs.size() < kBatch && octets < kBatchOctets) {
    auto job = state_->source.take();
    if (!job) break;
    ++taken;
    if (state_->ended_without(*job)) continue;
    octets += job->content->raw().size();
    jobs.push_back(std::move(*job));
  }
  if (!jobs.empty()) state_->import(jobs, *state_->snapshots());
  return taken;
}

}  // namespace doorward::vault
