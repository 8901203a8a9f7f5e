#include "report/failures.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/guarded.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "mailauth/spf_record.h"
#include "net/core.h"
#include "report/destinations.h"
#include "report/failure_report.h"

namespace doorward::report {
namespace {

constexpr std::chrono::hours kWindow{1};
constexpr size_t kMostDomains = 10'000;  // counted in one window

metrics::Counter& sent_total() {
  static auto& counter =
      metrics::counter("doorward_dmarc_failure_reports_sent_total", "Mails with DMARC failure reports.");
  return counter;
}
metrics::Counter& dropped(std::string_view why) {
  return metrics::counter("doorward_dmarc_failure_reports_dropped_total", "DMARC failure reports that were not sent.",
                          {{"why", why}});
}

// So many an hour, in windows of an hour: a burst of forgeries is told of by its first ones.
class Allowed {
 public:
  Allowed(unsigned an_hour, unsigned in_all) : an_hour_(an_hour), in_all_(in_all) {}
  bool take(const std::string& domain, SteadyTime now) {
    const std::lock_guard guard(lock_);
    if (!since_ || now >= *since_ + kWindow) {
      since_ = now;
      taken_ = 0;
      of_.clear();
    }
    if (taken_ >= in_all_) return false;
    const auto known = of_.find(domain);
    if (known == of_.end() && of_.size() >= kMostDomains) return false;
    unsigned& count = known == of_.end() ? of_[domain] : known->second;
    if (count >= an_hour_) return false;
    ++count;
    ++taken_;
    return true;
  }

 private:
  const unsigned an_hour_, in_all_;
  std::mutex lock_;
  std::optional<SteadyTime> since_;
  unsigned taken_ = 0;
  std::unordered_map<std::string, unsigned> of_;
};

}  // namespace

struct Failures::State {
  State(FailuresOptions given, FailuresParts handed)
      : options(std::move(given)), parts(std::move(handed)), allowed(options.an_hour, options.in_all) {}

  // Counts one report under way until its end, however it ends.
  struct UnderWay {
    explicit UnderWay(std::atomic<size_t>& of) : count(of) {}
    ~UnderWay() { --count; }
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;
    std::atomic<size_t>& count;
  };

  Task<void> send(FailureReport report);
  Task<void> find_record(FailureReport& report, SteadyTime deadline);
  Task<bool> hand_over(const FailureReport& report, const std::string& id, const mail::Mailbox& to, unsigned number);

  FailuresOptions options;
  FailuresParts parts;
  Allowed allowed;
  net::Core core{0};
  std::atomic<size_t> under_way{0};
  std::atomic<bool> running{false};
  std::thread thread;
};

// SPF-DNS, which RFC 6591 §3.2.6 has with the record's text. One that cannot be had now is told as empty.
Task<void> Failures::State::find_record(FailureReport& report, SteadyTime deadline) {
  if (report.spf_domain.empty()) co_return;
  const auto answer = co_await parts.resolver.lookup(core, report.spf_domain, net::DnsType::txt, deadline);
  for (auto& text : answer.texts()) {
    if (mailauth::is_spf_record(text)) report.spf_record = std::move(text);
  }
}

Task<bool> Failures::State::hand_over(const FailureReport& report, const std::string& id, const mail::Mailbox& to,
                                      unsigned number) {
  const SystemTime now = parts.clock.now();
  auto message = failure_message(options.sender, report, id, to, number, now);
  if (!parts.spool.has_room(message.size())) co_return false;
  const auto snapshot = parts.snapshot();
  auto mail = report_mail(options.sender, std::move(message), failure_subject(report), to, *snapshot, now);
  const std::string mail_id = mail.mail->id;
  const auto stored = co_await parts.spool.commit(core, std::move(mail.mail), std::move(mail.content));
  if (!stored) co_return false;
  sent_total().add();
  log::info("reports.failure_sent", {{"id", mail_id}, {"domain", report.policy_domain}, {"recipient", to.text()}});
  co_return true;
}

Task<void> Failures::State::send(FailureReport report) {
  const UnderWay counted(under_way);
  const auto deadline = std::chrono::steady_clock::now() + options.deadline;
  const auto to = co_await find_destinations(core, parts.resolver, report.policy_domain, report.addresses, deadline);
  if (to.verified.empty()) {
    dropped("no_destination").add();
    co_return;
  }
  co_await find_record(report, deadline);
  const std::string id = new_id(parts.clock.now());
  unsigned number = 0;
  for (const auto& destination : to.verified) {
    const bool sent = co_await hand_over(report, id, destination.to, ++number);
    if (!sent) dropped("spool").add();
  }
}

Failures::Failures(FailuresOptions options, FailuresParts parts)
    : state_(std::make_unique<State>(std::move(options), std::move(parts))) {}

Failures::~Failures() { stop(); }

void Failures::start() {
  state_->running = true;
  state_->thread = std::thread([this] { state_->core.run(); });
}

void Failures::stop() {
  if (!state_->thread.joinable()) return;
  state_->running = false;
  state_->core.stop();
  state_->thread.join();
}

void Failures::saw(const Seen& mail) {
  State& state = *state_;
  if (!state.running) return;
  auto report = failure_of(mail, state.options.sender.host_name);
  if (!report) return;
  if (!state.allowed.take(report->policy_domain, state.parts.clock.steady())) return dropped("rate").add();
  if (++state.under_way > state.options.most_under_way) {
    --state.under_way;
    return dropped("under_way").add();
  }
  state.core.post([&state, report = std::move(*report)]() mutable {
    spawn(guarded_task("failure_report", state.send(std::move(report))));
  });
}

}  // namespace doorward::report
