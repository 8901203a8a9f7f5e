#include "delivery/relay_record.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/log.h"
#include "base/metrics.h"

namespace doorward::delivery {
namespace {

using Kind = spool::Outcome::Kind;

double seconds(std::chrono::milliseconds time) {
  return static_cast<double>(std::max(time, std::chrono::milliseconds(0)).count()) / 1000;
}

metrics::Histogram& by_size(std::string_view name, std::string_view help, uint64_t size) {
  static const std::vector<double> bounds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,  1,
                                          2.5,   5,    15,    60,   300, 3600, 86400};
  const std::string_view klass = size < 100'000 ? "small" : size < 2'000'000 ? "medium" : "large";
  return metrics::histogram(name, help, bounds, {{"size", klass}});
}

size_t size_class(uint64_t size) { return size < 100'000 ? 0 : size < 2'000'000 ? 1 : 2; }

// One a size class, so that no name is looked up for each mail.
std::array<metrics::Histogram*, 3> histograms(std::string_view name, std::string_view help) {
  return {&by_size(name, help, 0), &by_size(name, help, 100'000), &by_size(name, help, 2'000'000)};
}

constexpr std::array<std::string_view, 5> kOutcomes{"delivered", "deferred", "failed", "stranded", "rerouted"};
constexpr std::array<std::string_view, 5> kEvents{"mail.delivered", "mail.deferred", "mail.failed", "mail.stranded",
                                                  "mail.rerouted"};

metrics::Counter& attempts(spool::Destination::Kind destination, Kind kind) {
  static const auto row = [](std::string_view to) {
    std::array<metrics::Counter*, 5> counters{};
    for (size_t i = 0; i < counters.size(); ++i) {
      counters[i] = &metrics::counter("doorward_relay_attempts_total", "Attempts to deliver, by recipient and outcome",
                                      {{"outcome", kOutcomes[i]}, {"destination", to}});
    }
    return counters;
  };
  static const std::array counters{row("backend"), row("mx"), row("vault")};
  return *counters[static_cast<size_t>(destination)][static_cast<size_t>(kind)];
}

void tell_administrator(const spool::Job& job, const spool::Recipient& recipient, const Answered& answer) {
  log::error(
      "relay.stranded",
      {{"id", job.mail->id},
       {"sender", job.mail->from.text()},
       {"recipient", recipient.to.mailbox.text()},
       {"reply", one_line(answer.words)},
       {"why", job.mail->from.null ? "it is itself a report, and reports are not answered"
                                   : "its sender is not authenticated, and must not get what may be backscatter"},
       {"act", "doorward queue show " + job.mail->id + "; then: doorward queue release, bounce or remove"}});
}

}  // namespace

void record_begin(const spool::Job& job, SystemTime now) {
  if (job.attempts != 0 || job.expired || job.bounce || job.warn_only) return;
  static const auto waited = histograms("doorward_relay_first_attempt_seconds",
                                        "From the reception of a mail to its first attempt, by size class");
  waited[size_class(job.mail->size)]->observe(seconds(now - job.mail->received_at));
}

void record_end(const spool::Job& job, const std::vector<Answered>& answers, SystemTime now) {
  static const auto took =
      histograms("doorward_relay_delivered_seconds", "From the reception of a mail to its delivery, by size class");
  const auto age = now - job.mail->received_at;
  const std::string to = spool::text(job.destination);
  for (const Answered& answer : answers) {
    const Kind kind = answer.meaning.kind;
    attempts(job.destination.kind, kind).add();
    if (kind == Kind::delivered) took[size_class(job.mail->size)]->observe(seconds(age));
    const spool::Recipient& recipient = job.mail->recipients[answer.recipient];
    log::info(kEvents[static_cast<size_t>(kind)],
              {{"id", job.mail->id},
               {"recipient", recipient.to.mailbox.text()},
               {"destination", kind == Kind::reroute ? spool::text(answer.destination) : to},
               {"remote", answer.remote},
               {"reply", one_line(answer.words)},
               {"attempt", job.attempts + 1},
               {"delay", seconds(age)}});
    if (kind == Kind::stranded) tell_administrator(job, recipient, answer);
  }
}

void record_queue(const spool::Figures& figures, size_t running, SystemTime now) {
  static const auto gauge = [](std::string_view name, std::string_view help) { return &metrics::gauge(name, help); };
  static metrics::Gauge* const mails = gauge("doorward_queue_mails", "Mails accepted and not yet delivered");
  static metrics::Gauge* const recipients = gauge("doorward_queue_recipients", "Their recipients that wait");
  static metrics::Gauge* const held = gauge("doorward_queue_held", "Mails that an administrator holds");
  static metrics::Gauge* const stranded = gauge("doorward_queue_stranded", "Mails that wait for an administrator");
  static metrics::Gauge* const lanes = gauge("doorward_queue_lanes", "Destinations that mail waits for");
  static metrics::Gauge* const disk = gauge("doorward_queue_disk_bytes", "Disk that the queue takes");
  static metrics::Gauge* const memory = gauge("doorward_queue_memory_bytes", "Contents kept in memory");
  static metrics::Gauge* const oldest = gauge("doorward_queue_oldest_seconds", "Age of the oldest mail in the queue");
  static metrics::Gauge* const under_way = gauge("doorward_relay_running", "Attempts under way");
  const auto set = [](metrics::Gauge* to, uint64_t value) { to->set(static_cast<int64_t>(value)); };
  set(mails, figures.mails);
  set(recipients, figures.recipients);
  set(held, figures.held);
  set(stranded, figures.stranded);
  set(lanes, figures.lanes);
  set(disk, figures.disk);
  set(memory, figures.content_in_memory);
  set(under_way, running);
  const bool any = figures.mails != 0 && figures.oldest != SystemTime{};
  set(oldest, any && now > figures.oldest ? static_cast<uint64_t>((now - figures.oldest).count()) / 1000 : 0);
}

}  // namespace doorward::delivery
