// A pool on a core of its own, and whole mails through it to fake backends.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "delivery/core_runner.h"
#include "delivery/fake_backend.h"
#include "delivery/pool.h"
#include "delivery/proxy.h"
#include "delivery/shares.h"

namespace doorward::delivery {

using policy::Backend;
using policy::BackendTls;
using smtp::EnhancedStatus;
using smtp::Reply;
using test::CoreRunner;
using test::FakeBackend;
using testing::ElementsAre;
using namespace std::chrono_literals;

inline constexpr std::string_view kMessage = "Subject: hello\r\n\r\n.dotted\r\nend\r\n";

inline mail::Recipient recipient(std::string_view address) { return {mail::parse_mailbox(address).value(), {}, {}}; }

inline std::vector<mail::Recipient> recipients(std::initializer_list<std::string_view> addresses) {
  std::vector<mail::Recipient> all;
  for (const std::string_view each : addresses) all.push_back(recipient(each));
  return all;
}

class Proxy : public testing::Test {
 protected:
  Proxy() {
    model_.id = 1;
    model_.name = "fake";
    model_.tls = BackendTls::off;
    model_.timeout = 1s;
    options_.helo_name = "gate.example";
    options_.connect_timeout = 1s;
    options_.slot_wait = 300ms;
    envelope_.id = "01JDTESTTESTTESTTESTTESTTE";
    envelope_.from.null = false;
    envelope_.from.mailbox = mail::parse_mailbox("sender@out.example").value();
  }
  ~Proxy() override {
    runner_.run([this]() -> Task<void> {
      pool_.reset();
      co_return;
    });
  }

  std::shared_ptr<const Backend> backend(std::vector<net::Endpoint> addresses) {
    auto made = std::make_shared<Backend>(model_);
    made->addresses = std::move(addresses);
    return made;
  }
  std::shared_ptr<const Backend> backend(const FakeBackend& server) { return backend({server.endpoint()}); }

  BackendPool& pool() {
    if (pool_ == nullptr) pool_ = make_pool(runner_.core(), options_);
    return *pool_;
  }

  // One whole mail to all of `to`, as a client's transaction has it. Replies at RCPT, then the last ones.
  struct Outcome {
    std::vector<Reply> asked, delivered;
    int last() const { return delivered.empty() ? 0 : delivered.front().code; }
    EnhancedStatus status() const { return delivered.empty() ? EnhancedStatus{} : delivered.front().enhanced; }
  };
  Task<Outcome> mail(std::shared_ptr<const Backend> to, std::vector<mail::Recipient> all) {
    ProxyTransaction transaction(pool(), std::move(to));
    Outcome outcome;
    std::vector<mail::Recipient> taken;
    for (const mail::Recipient& each : all) {
      outcome.asked.push_back(co_await transaction.ask(client_, envelope_, each));
      if (outcome.asked.back().code == 250) taken.push_back(each);
    }
    if (!taken.empty()) outcome.delivered = co_await transaction.deliver(client_, envelope_, taken, {kMessage});
    co_return outcome;
  }
  Outcome run_mail(std::shared_ptr<const Backend> to,
                   std::vector<mail::Recipient> all = recipients({"one@in.example"})) {
    Outcome outcome;
    runner_.run([&]() -> Task<void> { outcome = co_await mail(to, all); });
    return outcome;
  }

  CoreRunner runner_;
  ProxyOptions options_;
  Backend model_{};
  mail::Client client_;
  mail::Envelope envelope_;
  std::shared_ptr<BackendPool> pool_;
};

}  // namespace doorward::delivery
