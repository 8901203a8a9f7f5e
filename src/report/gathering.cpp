#include "report/gathering.h"

#include <algorithm>
#include <utility>

#include "base/guarded.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"

namespace doorward::report {
namespace {

metrics::Counter& gathered() {
  static auto& counter = metrics::counter("doorward_dmarc_gathered_total", "Mails told to DMARC aggregate reports.");
  return counter;
}
metrics::Counter& lost() {
  static auto& counter = metrics::counter("doorward_dmarc_lost_total",
                                          "Mails missing in DMARC aggregate reports, as they could not be stored.");
  return counter;
}

}  // namespace

Result<std::unique_ptr<Gathering>> Gathering::open(GatheringOptions options) {
  auto store = Gathered::open(options.gathered);
  if (!store) return std::unexpected(store.error());
  auto incoming = Incoming::open(options.incoming);
  if (!incoming) return std::unexpected(incoming.error());
  return std::unique_ptr<Gathering>(new Gathering(std::move(options), std::move(*store), std::move(*incoming)));
}

Gathering::Gathering(GatheringOptions options, std::unique_ptr<Gathered> gathered, std::unique_ptr<Incoming> incoming)
    : options_(std::move(options)),
      gathered_(std::move(gathered)),
      incoming_(std::move(incoming)),
      thread_([this] { run(); }) {}

Gathering::~Gathering() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Gathering::saw(const Seen& mail) {
  note_reports(mail);
  if (!options_.observe) return;
  if (auto observation = observe(mail)) add(std::move(*observation));
}

// A copy for each customer whose reports' address got it. Of senders that are proven alone: anybody could write figures
// (RFC 9990, "False Information").
void Gathering::note_reports(const Seen& mail) {
  std::vector<uint64_t> customers;
  for (size_t i = 0; i < mail.groups.size() && i < mail.sheet.groups.size(); ++i) {
    const auto& addresses = mail.groups[i].settings->report_addresses;
    const auto& verdict = mail.sheet.groups[i];
    const bool taken =
        verdict.disposition == sheet::Disposition::deliver || verdict.disposition == sheet::Disposition::tag;
    if (addresses.empty() || verdict.reply_code / 100 != 2 || !taken) continue;
    const bool is_for_reports = std::ranges::any_of(mail.groups[i].recipients, [&addresses](const auto& recipient) {
      const auto mailbox = mail::parse_mailbox(recipient);
      return mailbox && std::ranges::find(addresses, mailbox->key()) != addresses.end();
    });
    const uint64_t customer = mail.groups[i].settings->customer;
    if (!is_for_reports || std::ranges::find(customers, customer) != customers.end()) continue;
    customers.push_back(customer);
    if (mail.facts.proves_somebody()) {
      read(mail.envelope.id, std::string(mail.message.raw()), customer);
    } else {
      log::info("reports.not_read", {{"id", mail.envelope.id}, {"reason", "its sender is not proven"}});
    }
  }
}

void Gathering::read(std::string id, std::string mail, uint64_t customer) {
  const std::lock_guard guard(lock_);
  if (octets_ + mail.size() > options_.most_octets) {
    log::warning("reports.not_read", {{"id", id}, {"reason", "too many wait"}});
    return;
  }
  octets_ += mail.size();
  arrived_.push_back({std::move(id), std::move(mail), customer});
  ++added_;
}

void Gathering::add(DmarcObservation observation) {
  const std::lock_guard guard(lock_);
  if (waiting_.size() >= options_.most_waiting) return lost().add();
  waiting_.push_back(std::move(observation));
  ++added_;
}

void Gathering::flush() {
  std::unique_lock guard(lock_);
  const uint64_t target = added_;
  hurry_ = true;
  wake_.notify_one();
  idle_.wait(guard, [&] { return ended_ >= target; });
}

void Gathering::run() {
  for (;;) {
    std::vector<DmarcObservation> batch;
    std::vector<Arrived> mails;
    bool last = false;
    {
      std::unique_lock guard(lock_);
      wake_.wait_for(guard, options_.batch_every, [this] { return stopping_ || hurry_; });
      hurry_ = false;
      last = stopping_;
      batch.swap(waiting_);
      mails.swap(arrived_);
    }
    if (!batch.empty() && !guarded("reports", [&] { write(batch); })) lost().add(batch.size());
    guarded("reports", [&] { read_all(mails); });
    guarded("reports", [&] { expire(); });
    {
      const std::lock_guard guard(lock_);
      ended_ += batch.size() + mails.size();
      for (const auto& mail : mails) octets_ -= mail.mail.size();
      if (last && waiting_.empty() && arrived_.empty()) return;
    }
    idle_.notify_all();
  }
}

void Gathering::read_all(std::vector<Arrived>& mails) {
  for (const auto& mail : mails) {
    const auto found = read_mailed_reports(mail.mail);
    for (const auto& problem : found.problems) {
      log::info("reports.not_read", {{"id", mail.id}, {"reason", problem}});
    }
    const auto added = incoming_->add(found, mail.customer, id_time(mail.id));
    if (!added) {
      log::error("reports.not_kept", {{"id", mail.id}, {"error", added.error().text()}});
    } else if (*added != 0) {
      log::info("reports.read", {{"id", mail.id}, {"reports", *added}});
    }
  }
}

void Gathering::expire() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now - expired_ < options_.expire_every && expired_ != SteadyTime{}) return;
  expired_ = now;
  if (const auto done =
          incoming_->expire(std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()));
      !done) {
    log::error("reports.not_expired", {{"error", done.error().text()}});
  }
}

void Gathering::write(const std::vector<DmarcObservation>& batch) {
  const auto done = gathered_->add(batch);
  if (!done) {
    lost().add(batch.size());
    if (!failing_) log::error("reports.write_failed", {{"error", done.error().text()}, {"lost", batch.size()}});
    failing_ = true;
    return;
  }
  if (std::exchange(failing_, false)) log::info("reports.write_recovered");
  gathered().add(batch.size());
}

}  // namespace doorward::report
