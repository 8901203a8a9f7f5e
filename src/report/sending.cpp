#include "report/sending.h"

#include <fmt/format.h>

#include <atomic>
#include <future>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/metrics.h"
#include "net/core.h"
#include "report/compression.h"
#include "report/destinations.h"
#include "report/dmarc_xml.h"

namespace doorward::report {
namespace {

constexpr size_t kAtOnce = 100;  // ids that are read in one go
// So long after its end a period may still get what was seen within it: sessions hand it over a moment later.
constexpr std::chrono::seconds kSettling{60};

metrics::Counter& sent_total() {
  static auto& counter = metrics::counter("doorward_dmarc_reports_sent_total", "Mails with DMARC aggregate reports.");
  return counter;
}

}  // namespace

struct Sending::State {
  SendingOptions options;
  SendingParts parts;
  std::unique_ptr<Gathered> gathered;
  net::Core core{0};
  bool busy = false;  // on the core's thread alone
  std::atomic<bool> stopped{false};
  std::thread thread;

  State(SendingOptions given, SendingParts handed) : options(std::move(given)), parts(std::move(handed)) {}

  Task<Result<SentReports>> send_due(bool all);
  Task<Result<void>> send_one(std::string id, SentReports& sent);
  Task<Result<void>> hand_over(const DueReport& due, const Destinations& to, SentReports& sent);
  Result<void> postpone(const DueReport& due, std::string_view why, SentReports& sent);
  Task<void> watch();
};

// Everything that is due at this moment; what comes later waits for the next time.
Task<Result<SentReports>> Sending::State::send_due(bool all) {
  SentReports sent;
  const SystemTime now = parts.clock.now();
  if (auto closed = gathered->close(all ? now : now - kSettling, all); !closed)
    co_return std::unexpected(closed.error());
  for (;;) {
    auto ids = gathered->due(now, kAtOnce);
    if (!ids) co_return std::unexpected(ids.error());
    if (ids->empty()) break;
    for (auto& id : *ids) {
      if (auto done = co_await send_one(std::move(id), sent); !done) co_return std::unexpected(done.error());
    }
  }
  auto dropped = gathered->expire(now);
  if (!dropped) co_return std::unexpected(dropped.error());
  if (*dropped != 0) log::warning("reports.given_up", {{"reports", *dropped}});
  co_return sent;
}

Task<Result<void>> Sending::State::send_one(std::string id, SentReports& sent) {
  auto read = gathered->read(id);
  if (!read) co_return std::unexpected(read.error());
  if (!*read) co_return Result<void>();
  DueReport& due = **read;
  const auto deadline = std::chrono::steady_clock::now() + options.deadline;
  const auto to =
      co_await find_destinations(core, parts.resolver, due.report.published.domain, due.addresses, deadline);
  if (to.incomplete && due.attempts + 1 < options.attempts) {
    co_return postpone(due, to.refused.empty() ? "no answer" : to.refused.front(), sent);
  }
  for (const auto& refused : to.refused) {
    log::info("reports.not_to", {{"domain", due.report.published.domain}, {"reason", refused}});
  }
  co_return co_await hand_over(due, to, sent);
}

Result<void> Sending::State::postpone(const DueReport& due, std::string_view why, SentReports& sent) {
  ++sent.postponed;
  log::info("reports.postponed",
            {{"id", due.report.id}, {"domain", due.report.published.domain}, {"reason", std::string(why)}});
  return gathered->try_again(due.report.id, parts.clock.now() + options.retry);
}

// A crash between the spool and the store sends a report again, with the same id, by which it is known (RFC 9990,
// "Handling of Duplicates").
Task<Result<void>> Sending::State::hand_over(const DueReport& due, const Destinations& to, SentReports& sent) {
  DmarcReport report = due.report;
  report.organization = options.sender.organization;
  report.contact = options.sender.contact;
  report.extra_contact = options.sender.extra_contact;
  report.generator = "Doorward";
  if (due.lost != 0)
    report.errors.push_back(fmt::format("{} messages are not in this report: too many rows", due.lost));
  const SystemTime now = parts.clock.now();
  const auto snapshot = parts.snapshot();
  std::string document;
  if (!to.verified.empty() && !report.rows.empty()) document = gzip(to_xml(report));
  unsigned number = 0;
  for (const auto& destination : to.verified) {
    if (report.rows.empty()) break;  // a report has a record at least
    auto message = report_message(options.sender, report, document, destination.to, ++number, now);
    if (destination.limit != 0 && message.size() > destination.limit) {
      log::info("reports.not_to", {{"domain", report.published.domain},
                                   {"reason", fmt::format("{}: larger than it takes", destination.to.text())}});
      continue;
    }
    if (!parts.spool.has_room(message.size())) co_return postpone(due, "the spool has no room", sent);
    auto mail = report_mail(options.sender, std::move(message), report_subject(options.sender, report), destination.to,
                            *snapshot, now);
    const std::string id = mail.mail->id;
    const auto stored = co_await parts.spool.commit(core, std::move(mail.mail), std::move(mail.content));
    if (!stored) co_return postpone(due, stored.error().text(), sent);
    ++sent.mails;
    sent_total().add();
    log::info("reports.sent", {{"id", id},
                               {"report", report.id},
                               {"domain", report.published.domain},
                               {"recipient", destination.to.text()},
                               {"rows", report.rows.size()}});
  }
  ++sent.reports;
  co_return gathered->done(report.id);
}

Task<void> Sending::State::watch() {
  for (;;) {
    const SteadyTime before = std::chrono::steady_clock::now();
    co_await core.sleep(options.look_every);
    if (std::chrono::steady_clock::now() - before < options.look_every / 2) co_return;  // the core stops
    if (busy) continue;
    busy = true;
    try {
      const auto sent = co_await send_due(false);
      if (!sent) log::error("reports.failed", {{"error", sent.error().text()}});
    } catch (const std::exception& failure) {
      log::error("reports.failed", {{"error", failure.what()}});
    }
    busy = false;
  }
}

Sending::Sending(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sending::~Sending() { stop(); }

Result<std::unique_ptr<Sending>> Sending::open(SendingOptions options, SendingParts parts) {
  auto state = std::make_unique<State>(std::move(options), std::move(parts));
  auto gathered = Gathered::open(state->options.gathered);
  if (!gathered) return std::unexpected(gathered.error());
  state->gathered = std::move(*gathered);
  return std::unique_ptr<Sending>(new Sending(std::move(state)));
}

void Sending::start() {
  state_->core.post([this] { spawn(state_->watch()); });
  state_->thread = std::thread([this] { state_->core.run(); });
}

void Sending::stop() {
  if (!state_ || !state_->thread.joinable()) return;
  state_->stopped = true;
  state_->core.stop();
  state_->thread.join();
}

namespace {

Task<void> answer(Task<Result<SentReports>> work, bool& busy, std::shared_ptr<std::promise<Result<SentReports>>> done) {
  Result<SentReports> sent = fail("reports are being sent already: ask again");
  if (!busy) {
    busy = true;
    try {
      sent = co_await std::move(work);
    } catch (const std::exception& failure) {
      sent = fail(failure.what());
    }
    busy = false;
  }
  done->set_value(std::move(sent));
}

}  // namespace

Result<SentReports> Sending::send(bool all) {
  state_->parts.gathering.flush();
  auto done = std::make_shared<std::promise<Result<SentReports>>>();
  auto sent = done->get_future();
  state_->core.post([this, all, done] { spawn(answer(state_->send_due(all), state_->busy, done)); });
  for (;;) {
    if (sent.wait_for(std::chrono::milliseconds(200)) == std::future_status::ready) return sent.get();
    if (state_->stopped) return fail("the gateway is ending");
  }
}

}  // namespace doorward::report
