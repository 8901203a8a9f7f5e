// A spool on a disk in memory, with a clock of the test's own.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <set>

#include "base/id.h"
#include "journal/fake_disk.h"
#include "spool/spool.h"

namespace doorward::spool {

inline std::shared_ptr<const Mail> mail_to(const std::vector<std::string>& recipients, SystemTime received,
                                           Destination destination = {Destination::Kind::backend, "100"}) {
  auto made = std::make_shared<Mail>();
  made->id = new_id(received);
  made->received_at = received;
  made->from.null = false;
  made->from.mailbox = *mail::parse_mailbox("alice@out.example");
  made->subject = "Hello";
  made->size = 20;
  for (const auto& text : recipients) {
    Recipient recipient;
    recipient.to.mailbox = *mail::parse_mailbox(text);
    recipient.given = text;
    recipient.destination = destination;
    made->recipients.push_back(std::move(recipient));
  }
  return made;
}

inline std::shared_ptr<const Content> content_of(std::string raw, std::string top = "Received: here\r\n") {
  std::vector<mime::Edits> versions(1);
  versions[0].prepend(std::move(top));
  return std::make_shared<const Content>(mail::Content::of(std::move(raw)), std::move(versions));
}

inline std::string whole(const Content& content, size_t version = 0) {
  std::string bytes;
  for (const auto piece : content.pieces(version)) bytes += piece;
  return bytes;
}

class SpoolTest : public testing::Test {
 protected:
  SpoolTest() { cores_.start(); }
  ~SpoolTest() override {
    cores_.stop();
    cores_.join();
  }

  std::unique_ptr<Spool> open(journal::Disk& disk) {
    auto opened = Spool::open(options_, clock_, disk);
    EXPECT_TRUE(opened) << opened.error().text();
    return opened ? std::move(*opened) : nullptr;
  }

  Result<void> commit(Spool& spool, std::shared_ptr<const Mail> mail, std::shared_ptr<const Content> content) {
    std::promise<Result<void>> told;
    cores_.at(0).post([&] { spawn(commit_then(spool, cores_.at(0), mail, content, told)); });
    return told.get_future().get();
  }
  std::string put(Spool& spool, const std::vector<std::string>& recipients = {"bob@in.example"},
                  Destination destination = {Destination::Kind::backend, "100"}) {
    auto mail = mail_to(recipients, clock_.now(), std::move(destination));
    auto done = commit(spool, mail, content_of("Subject: Hello\r\n\r\nx\r\n"));
    EXPECT_TRUE(done) << done.error().text();
    return mail->id;
  }

  static Outcome outcome(size_t recipient, Outcome::Kind kind, std::string text = "") {
    Outcome made;
    made.recipient = recipient;
    made.kind = kind;
    if (!text.empty()) made.reply = smtp::Reply(450, {4, 2, 0}, std::move(text));
    return made;
  }
  static void deliver(Spool& spool, const Job& job) {
    std::vector<Outcome> all;
    for (const size_t recipient : job.recipients) all.push_back(outcome(recipient, Outcome::Kind::delivered));
    spool.report(job, std::move(all), Health::good);
  }
  std::set<std::string> take_all(Spool& spool, bool and_deliver = true) {
    std::set<std::string> ids;
    while (auto job = spool.take(Spool::For::delivery)) {
      ids.insert(job->mail->id);
      if (and_deliver) deliver(spool, *job);
    }
    return ids;
  }

  Options options_ = [] {
    Options made;
    made.directory = "spool";
    made.segment = 16 << 10;
    made.budget = 8 << 20;
    made.reserve = 0;
    return made;
  }();
  ManualClock clock_{SystemTime(std::chrono::seconds(1'790'000'000))};
  journal::FakeDisk disk_;
  net::Cores cores_{1};

 private:
  static Task<void> commit_then(Spool& spool, net::Core& core, std::shared_ptr<const Mail> mail,
                                std::shared_ptr<const Content> content, std::promise<Result<void>>& told) {
    told.set_value(co_await spool.commit(core, std::move(mail), std::move(content)));
  }
};

}  // namespace doorward::spool
