// A handler that notes what it is asked, and whose answers the addresses ask for: reject…@, later…@, throw…@ at MAIL
// and RCPT; data-reject@, data-throw@, mixed@ (of PRDR and LMTP) as senders; small@ as a recipient lowers the size to
// 100.
#pragma once

#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "smtp/handler.h"

namespace doorward::smtp::test {

struct Record {
  std::mutex lock;
  std::vector<std::string> events;
  std::vector<std::string> messages;
  std::vector<mail::Envelope> envelopes;
  std::vector<mail::Client> clients;
  std::string banner_ip_refused;  // connections from it get 554

  void note(std::string event) {
    const std::lock_guard guard(lock);
    events.push_back(std::move(event));
  }
};

class RecordingHandler final : public Handler {
 public:
  explicit RecordingHandler(Record& record) : record_(record) {}

  Task<Reply> connected(const mail::Client& client) override {
    record_.note("connected");
    if (client.ip.text() == record_.banner_ip_refused) co_return Reply(554, {5, 7, 1}, "go away");
    co_return Reply(220, "");
  }
  Task<Reply> hello(const mail::Client& client) override {
    record_.note("hello " + client.helo);
    if (client.helo == "reject.example") co_return Reply(550, {5, 7, 1}, "no");
    co_return Reply(250, "");
  }
  Task<Reply> mail(const mail::Client&, const mail::Envelope& envelope) override {
    record_.note("mail <" + envelope.from.text() + ">");
    size_limit_ = UINT64_MAX;
    co_return answer(envelope.from.mailbox.local);
  }
  Task<Reply> rcpt(const mail::Client&, const mail::Envelope&, const mail::Recipient& recipient) override {
    record_.note("rcpt <" + recipient.mailbox.text() + ">");
    if (recipient.mailbox.local == "small") size_limit_ = 100;
    co_return answer(recipient.mailbox.local);
  }
  uint64_t size_limit() const override { return size_limit_; }
  Task<std::vector<Reply>> data(const mail::Client& client, const mail::Envelope& envelope,
                                mail::Content content) override {
    {
      const std::lock_guard guard(record_.lock);
      record_.events.push_back("data");
      record_.messages.emplace_back(content.bytes());
      record_.envelopes.push_back(envelope);
      record_.clients.push_back(client);
    }
    const std::string& sender = envelope.from.mailbox.local;
    if (sender == "data-throw") throw std::runtime_error("the handler broke");
    std::vector<Reply> replies;
    if (sender == "data-reject") {
      replies.emplace_back(550, EnhancedStatus{5, 7, 1}, "refused after all");
    } else if (sender == "mixed") {
      for (const mail::Recipient& recipient : envelope.recipients) {
        const bool bad = recipient.mailbox.local == "bad";
        replies.emplace_back(bad ? 550 : 250, EnhancedStatus{static_cast<uint16_t>(bad ? 5 : 2), 1, 0},
                             recipient.mailbox.local);
      }
      if (envelope.prdr) replies.emplace_back(250, EnhancedStatus{2, 0, 0}, "some");
    } else {
      replies.emplace_back(250, EnhancedStatus{2, 0, 0}, "taken");
    }
    co_return replies;
  }
  Task<void> reset() override {
    record_.note("reset");
    co_return;
  }
  Task<void> closed() override {
    record_.note("closed");
    co_return;
  }

 private:
  static Reply answer(const std::string& local) {
    if (local.starts_with("reject")) return Reply(550, {5, 1, 1}, "no such one");
    if (local.starts_with("later")) return Reply(451, {4, 3, 0}, "later");
    if (local.starts_with("throw")) throw std::runtime_error("the handler broke");
    return Reply(250, {2, 1, 0}, "OK");
  }

  Record& record_;
  uint64_t size_limit_ = UINT64_MAX;
};

class RecordingFactory final : public HandlerFactory {
 public:
  explicit RecordingFactory(Record& record) : record_(record) {}
  std::unique_ptr<Handler> open(net::Core&) override { return std::make_unique<RecordingHandler>(record_); }

 private:
  Record& record_;
};

}  // namespace doorward::smtp::test
