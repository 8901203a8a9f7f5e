// A relay on a core of its own, a queue that the test owns, and fake mail servers as backends and MX hosts.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "base/id.h"
#include "delivery/core_runner.h"
#include "delivery/fake_backend.h"
#include "delivery/pool.h"
#include "delivery/relay.h"
#include "net/fake_resolver.h"
#include "policy/model.h"

namespace doorward::delivery {

using namespace std::chrono_literals;
using spool::Destination;
using spool::Health;
using spool::Outcome;
using test::CoreRunner;
using test::FakeBackend;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = Outcome::Kind;

class FakeQueue final : public RelayQueue {
 public:
  struct Report {
    spool::Job job;
    std::vector<Outcome> outcomes;
    Health health;
    bool warned;
  };
  struct Stored {
    std::shared_ptr<const spool::Mail> mail;
    std::shared_ptr<const spool::Content> content;
  };

  void put(spool::Job job) {
    {
      const std::lock_guard hold(lock_);
      jobs_.push_back(std::move(job));
    }
    wake();
  }
  // The reports so far, when there are `count`; they never come: a failure.
  std::vector<Report> reports(size_t count, std::chrono::milliseconds within = 20s) {
    std::unique_lock hold(lock_);
    EXPECT_TRUE(changed_.wait_for(hold, within, [&] { return reports_.size() >= count; }))
        << reports_.size() << " of " << count << " reports came";
    return reports_;
  }
  size_t reported() {
    const std::lock_guard hold(lock_);
    return reports_.size();
  }
  std::vector<Stored> stored() {
    const std::lock_guard hold(lock_);
    return stored_;
  }
  std::vector<std::string> events() {
    const std::lock_guard hold(lock_);
    return events_;
  }
  void break_commit(bool broken = true) { commit_broken_ = broken; }
  void keep_content(std::shared_ptr<const spool::Content> content) { content_ = std::move(content); }

  std::optional<spool::Job> take() override {
    const std::lock_guard hold(lock_);
    if (jobs_.empty()) return std::nullopt;
    spool::Job job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }
  Result<std::shared_ptr<const spool::Content>> read(const spool::Mail&) override {
    const std::lock_guard hold(lock_);
    events_.emplace_back("read");
    if (content_ == nullptr) return fail("no such content");
    return content_;
  }
  void report(const spool::Job& job, std::vector<Outcome> outcomes, Health health, bool warned) override {
    const std::lock_guard hold(lock_);
    events_.emplace_back("report");
    reports_.push_back(Report{job, std::move(outcomes), health, warned});
    changed_.notify_all();
  }
  Task<Result<void>> commit(net::Core& core, std::shared_ptr<const spool::Mail> mail,
                            std::shared_ptr<const spool::Content> content) override {
    co_await core.sleep(20ms);  // as a disk takes its time: whoever reports before is found out
    const std::lock_guard hold(lock_);
    events_.emplace_back("commit");
    if (commit_broken_) co_return fail("the disk is full");
    stored_.push_back(Stored{std::move(mail), std::move(content)});
    co_return Result<void>{};
  }
  void on_due(std::function<void(net::Core*)> wake) override {
    const std::lock_guard hold(lock_);
    wake_ = std::move(wake);
  }
  SystemTime next_due() const override { return SystemTime::max(); }
  spool::Figures figures() const override { return {}; }

 private:
  void wake() {
    std::function<void(net::Core*)> call;
    {
      const std::lock_guard hold(lock_);
      call = wake_;
    }
    if (call) call(nullptr);
  }

  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<spool::Job> jobs_;
  std::vector<Report> reports_;
  std::vector<Stored> stored_;
  std::vector<std::string> events_;
  std::function<void(net::Core*)> wake_;
  std::shared_ptr<const spool::Content> content_;
  std::atomic<bool> commit_broken_{false};
};

class RelayTest : public testing::Test {
 protected:
  static constexpr std::string_view kContent = "Received: from x\r\nSubject: hello\r\n\r\n.dotted\r\nend\r\n";

  RelayTest() {
    proxy_.helo_name = "gate.example";
    proxy_.connect_timeout = 1s;
    proxy_.slot_wait = 50ms;
    options_.notice.host_name = "gate.example";
    options_.reply_timeout = 2s;
    options_.slot_wait = 2s;
    options_.mx.allowed.push_back(*mail::Network::parse("127.0.0.0/8"));
  }
  ~RelayTest() override { end(); }

  void end() {
    if (relay_ == nullptr) return;
    relay_->stop();
    relay_->cancel();
    for (int i = 0; i < 400 && relay_->running() != 0; ++i) std::this_thread::sleep_for(10ms);
    EXPECT_EQ(relay_->running(), 0U);
    std::this_thread::sleep_for(260ms);  // the time keeper's last look
    relay_.reset();
    runner_.run([this]() -> Task<void> {
      pool_.reset();
      co_return;
    });
  }

  // "first" is in.example's backend, "second" is other.example's.
  void protect(net::Endpoint first, std::optional<net::Endpoint> second = {}, bool lmtp = false,
               std::string in_is_at = "first") {
    policy::Policy policy;
    const auto add = [&](std::string name, const net::Endpoint& at) {
      policy::Backend backend;
      backend.name = std::move(name);
      backend.addresses.push_back(at);
      backend.tls = policy::BackendTls::off;
      backend.protocol = lmtp ? policy::BackendProtocol::lmtp : policy::BackendProtocol::smtp;
      backend.timeout = 1s;
      policy.backends.push_back(std::move(backend));
    };
    add("first", first);
    if (second) add("second", *second);
    policy::Tenant customer;
    customer.level = policy::Level::customer;
    customer.name = "C";
    const auto domain = [&customer](std::string name, std::string backend) {
      policy::Tenant made;
      made.level = policy::Level::domain;
      made.name = std::move(name);
      made.settings["backend"] = policy::Setting{std::move(backend)};
      customer.below.push_back(std::move(made));
    };
    domain("in.example", std::move(in_is_at));
    if (second) domain("other.example", "second");
    policy.provider.below.push_back(std::move(customer));
    policy.number();
    auto made = policy::Snapshot::make(std::move(policy), "");
    ASSERT_TRUE(made) << made.error().text();
    const std::lock_guard hold(snapshot_lock_);
    snapshot_ = *made;
  }

  std::string backend_id(std::string_view name) {
    for (const auto& each : snapshot_->backends())
      if (each->name == name) return std::to_string(each->id);
    return {};
  }

  void start() {
    pool_ = make_pool(runner_.core(), proxy_);
    RelayParts parts{.queue = queue_, .clock = clock_, .offload = offload_, .resolver = &names_, .snapshot = [this] {
                       const std::lock_guard hold(snapshot_lock_);
                       return snapshot_;
                     }};
    relay_ = std::make_unique<Relay>(options_, std::move(parts), std::vector{RelaySeat{&runner_.core(), pool_}});
    relay_->start();
  }

  std::shared_ptr<spool::Mail> mail() {
    auto made = std::make_shared<spool::Mail>();
    made->id = new_id(clock_.now());
    made->received_at = clock_.now();
    made->from.null = false;
    made->from.mailbox = *mail::parse_mailbox("sender@out.example");
    return made;
  }
  static spool::Recipient recipient(std::string_view address, Destination to) {
    spool::Recipient made;
    made.to.mailbox = *mail::parse_mailbox(address);
    made.given = address;
    made.destination = std::move(to);
    return made;
  }
  static std::shared_ptr<const spool::Content> bytes(std::string_view raw = kContent) {
    std::vector<mime::Edits> versions(1);
    return std::make_shared<spool::Content>(mail::Content::of(std::string(raw)), std::move(versions));
  }
  // One job for all of the mail's recipients.
  static spool::Job job(std::shared_ptr<const spool::Mail> mail) {
    spool::Job made;
    made.destination = mail->recipients.front().destination;
    for (size_t i = 0; i < mail->recipients.size(); ++i) made.recipients.push_back(i);
    made.mail = std::move(mail);
    made.content = bytes();
    return made;
  }
  Destination at(std::string_view backend) { return {Destination::Kind::backend, backend_id(backend)}; }
  static Destination to_mx(std::string domain) { return {Destination::Kind::mx, std::move(domain)}; }

  spool::Job job_for(std::initializer_list<std::string_view> addresses, Destination to) {
    auto made = mail();
    for (const std::string_view each : addresses) made->recipients.push_back(recipient(each, to));
    return job(made);
  }
  // Puts it and waits for its report: the kinds in the order of the recipients.
  std::vector<Kind> kinds(const FakeQueue::Report& report) {
    std::vector<Kind> all(report.job.recipients.size(), Kind::retry);
    for (const Outcome& each : report.outcomes) all[each.recipient] = each.kind;
    return all;
  }
  std::vector<Kind> send(spool::Job one) {
    const size_t before = queue_.reported();
    queue_.put(std::move(one));
    const auto all = queue_.reports(before + 1);
    if (all.size() <= before) return {};
    last_ = all.back();
    return kinds(last_);
  }

  CoreRunner runner_;
  RealClock clock_;
  Offload offload_{1};
  net::test::FakeResolver names_;
  FakeQueue queue_;
  ProxyOptions proxy_;
  RelayOptions options_;
  std::mutex snapshot_lock_;
  std::shared_ptr<const policy::Snapshot> snapshot_ = policy::Snapshot::defaults();
  std::shared_ptr<BackendPool> pool_;
  std::unique_ptr<Relay> relay_;
  FakeQueue::Report last_{};
};

}  // namespace doorward::delivery
