// The data phase as a whole, between a client that is only a handler's caller and a backend that is a fake.
#include "gateway/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/core_runner.h"
#include "delivery/fake_backend.h"
#include "policy/file.h"

namespace doorward::gateway {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// Domains that differ in nothing but their group, unless a test says more: of one customer, on one backend.
class SessionTest : public testing::Test {
 protected:
  ~SessionTest() override {
    runner_.run([this]() -> Task<void> {
      session_.reset();
      gateway_.reset();
      pool_.reset();
      co_return;
    });
  }

  // `domains`: the bodies of [[customer.domain]]; the list named "test" gives 10 points for "zzspamword".
  void start(const std::vector<std::string>& domains) {
    std::string text = "[[backend]]\nname = \"office\"\ntls = \"off\"\naddress = [\"" + server_.endpoint().text() +
                       "\"]\n[[backend]]\nname = \"branch\"\ntls = \"off\"\naddress = [\"" + branch_.endpoint().text() +
                       "\"]\n[[word_list]]\nname = \"test\"\n[[word_list.entry]]\npattern = \"zzspamword\"\n"
                       "points = 10\n[[customer]]\nname = \"Test\"\n";
    for (const auto& domain : domains) text += "[[customer.domain]]\n" + domain;
    auto policy = policy::parse_file(text, "test");
    ASSERT_TRUE(policy) << policy.error().text();
    auto snapshot = policy::Snapshot::make(std::move(*policy), "");
    ASSERT_TRUE(snapshot) << snapshot.error().text();
    learner_.reset();  // before what it writes to
    statistics_ = *trust::WordStatistics::open({.table_entries = 1 << 16});
    memory_ = {.statistics = statistics_.get(), .correspondence = correspondence_.get(), .greylist = greylist_.get()};
    learner_.emplace(memory_);
    options_.host_name = "mx.in.example";
    delivery::ProxyOptions delivery;
    delivery.helo_name = "mx.in.example";
    pool_ = delivery::make_pool(runner_.core(), delivery);
    gateway_.emplace(options_, Parts{clock_, offload_, nullptr, memory_, &*learner_}, *snapshot, std::vector{pool_});
    session_ = gateway_->open(runner_.core());
    envelope_.id = "01JDTESTTESTTESTTESTTESTTE";
    envelope_.from.null = false;
    envelope_.from.mailbox = *mail::parse_mailbox("sender@out.example");
    client_.ip = *mail::IpAddress::parse("192.0.2.1");
    client_.esmtp = true;
  }

  struct Told {
    std::vector<int> asked;
    std::vector<smtp::Reply> last;
  };
  // One transaction with PRDR where there are several recipients.
  Told send(const std::vector<std::string>& addresses, std::string_view subject = "hello") {
    Told told;
    envelope_.prdr = addresses.size() > 1;
    runner_.run([&]() -> Task<void> {
      (void)co_await session_->mail(client_, envelope_);
      for (const auto& address : addresses) {
        const mail::Recipient recipient{*mail::parse_mailbox(address), {}, {}};
        told.asked.push_back((co_await session_->rcpt(client_, envelope_, recipient)).code);
      }
      mail::Content content;
      EXPECT_TRUE(content.append("Subject: " + std::string(subject) + "\r\n\r\nSome words are said here.\r\n"));
      EXPECT_TRUE(content.finish());
      told.last = co_await session_->data(client_, envelope_, std::move(content));
    });
    return told;
  }
  // What is remembered is written by a thread of its own.
  void wait_until_learnt() { learner_->set_trust(0, {"nobody@nowhere.example", ""}, 0, clock_.now()); }
  // How often it was taught, once all of it is done.
  uint64_t taught_spam() {
    learner_.reset();
    return statistics_->judge({}, 0).spam_learnt;
  }

  test::FakeBackend server_, branch_;
  test::CoreRunner runner_;
  ManualClock clock_{std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())};
  Offload offload_{1};
  Options options_;
  std::unique_ptr<trust::WordStatistics> statistics_;
  std::unique_ptr<trust::Correspondence> correspondence_ = std::move(*trust::Correspondence::open({.entries = 4096}));
  std::unique_ptr<trust::Greylist> greylist_ = std::move(*trust::Greylist::open({.entries = 4096}));
  Memory memory_;
  std::optional<Learner> learner_;
  std::shared_ptr<delivery::BackendPool> pool_;
  std::optional<Gateway> gateway_;
  std::unique_ptr<smtp::Handler> session_;
  mail::Client client_;
  mail::Envelope envelope_;
};

std::string domain(const std::string& name, const std::string& more = "word_lists = []\n",
                   const std::string& backend = "office") {
  return "name = \"" + name + "\"\nbackend = \"" + backend + "\"\n" + more;
}

TEST_F(SessionTest, ARecipientIsAskedForAtItsOwnBackendWhoeverWasRefusedBefore) {
  start({domain("one.example"), domain("two.example", "", "branch")});
  server_.on("RCPT", "550 5.1.1 unknown");
  EXPECT_EQ(send({"a@one.example", "b@two.example"}).asked, (std::vector{550, 250}));
  EXPECT_EQ(server_.count("RCPT TO:<b@two.example>"), 0U);
  ASSERT_EQ(branch_.mails().size(), 1U);
}

TEST_F(SessionTest, AllGroupsTogetherHaveOneTime) {
  options_.answer_within = 600ms;
  start({domain("one.example"), domain("two.example"), domain("three.example")});
  server_.on("content", test::FakeBackend::kSilent, 1);
  const auto began = std::chrono::steady_clock::now();
  const auto told = send({"a@one.example", "b@two.example", "c@three.example"});
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  ASSERT_EQ(told.last.size(), 4U);
  EXPECT_EQ(told.last[0].enhanced, (smtp::EnhancedStatus{4, 4, 2}));
  EXPECT_EQ(told.last[1].enhanced, (smtp::EnhancedStatus{4, 4, 5}));
  EXPECT_EQ(told.last[2].enhanced, (smtp::EnhancedStatus{4, 4, 5}));
  EXPECT_EQ(told.last[3].code, 451);
}

TEST_F(SessionTest, ATransactionHasNoMoreGroupsThanCanBeHandedOverInTime) {
  std::vector<std::string> domains, addresses;
  for (int i = 0; i < 22; ++i) {
    const std::string name = "d" + std::to_string(i) + ".example";
    domains.push_back(domain(name));
    addresses.push_back("a@" + name);
  }
  addresses.push_back("b@d3.example");  // of a group that is there
  start(domains);
  const auto told = send(addresses);
  EXPECT_EQ(std::count(told.asked.begin(), told.asked.end(), 250), 21);
  EXPECT_EQ(told.asked[19], 250);
  EXPECT_EQ(told.asked[20], 452);
  EXPECT_EQ(told.asked[21], 452);
  EXPECT_EQ(told.asked[22], 250);
}

TEST_F(SessionTest, TheSecretSuffixStaysBetweenSenderAndTenant) {
  start({domain("one.example", "secret_suffix = \"_geheim\"\nrewrites = [\"old@one.example -> new@one.example\"]\n")});
  for (const char* address : {"bob_geheim@one.example", "bob@one.example", "old@one.example"}) (void)send({address});
  const auto mails = server_.mails();
  ASSERT_EQ(mails.size(), 3U);
  EXPECT_THAT(mails[0].content, HasSubstr("for <bob@one.example>"));
  EXPECT_THAT(mails[0].content, Not(HasSubstr("geheim")));
  EXPECT_THAT(mails[1].content, HasSubstr("for <bob@one.example>"));
  EXPECT_THAT(mails[2].content, HasSubstr("for <old@one.example>"));
}

constexpr const char* kCounting =
    "word_lists = [\"test\"]\ntrain = true\n\"filter.structure.on\" = false\n\"filter.word_statistics.on\" = false\n";

TEST_F(SessionTest, AMailToManyGroupsTeachesOnce) {
  start({domain("one.example", kCounting), domain("two.example", kCounting), domain("three.example", kCounting)});
  const auto told = send({"a@one.example", "b@two.example", "c@three.example"}, "zzspamword");
  EXPECT_EQ(told.last[0].code, 550);
  EXPECT_EQ(taught_spam(), 1U);
}

TEST_F(SessionTest, AMailThatSomeWillSeeAgainTeachesThenAndNotNow) {
  start({domain("one.example", kCounting),
         domain("two.example", std::string(kCounting) + "threshold = 10\n")});  // this one has it delivered
  server_.on("content", "451 4.3.0 not now", 1);
  const auto told = send({"a@one.example", "b@two.example"}, "zzspamword");
  EXPECT_EQ(told.last[0].code, 550);
  EXPECT_EQ(told.last[1].code, 451);
  EXPECT_EQ(taught_spam(), 0U);
}

TEST_F(SessionTest, UnknownSendersToTheCatchAllMailboxArePutOffOnce) {
  start({domain("one.example", "catch_all = \"box@one.example\"\n\"greylist.catch_all_delay\" = \"1m\"\n")});
  const auto first = send({"anybody@one.example"});
  EXPECT_EQ(first.asked, std::vector{250});
  ASSERT_EQ(first.last.size(), 1U);
  EXPECT_EQ(first.last[0].code, 451);
  EXPECT_NE(first.last[0].lines.front().find("try again in 1 minute"), std::string::npos);
  wait_until_learnt();
  EXPECT_EQ(send({"anybody@one.example"}).last[0].code, 451) << "too early";
  EXPECT_EQ(server_.mails().size(), 0U);
  clock_.advance(2min);
  EXPECT_EQ(send({"anybody@one.example"}).last[0].code, 250);
  wait_until_learnt();
  EXPECT_EQ(send({"somebody.else@one.example"}).last[0].code, 250) << "known by now";
  EXPECT_EQ(server_.mails().size(), 2U);
}

TEST_F(SessionTest, KnownRecipientsAndTrustedSendersAreNeverPutOff) {
  start({domain("one.example", "catch_all = \"box@one.example\"\n")});
  EXPECT_EQ(send({"postmaster@one.example"}).last[0].code, 250);
  start({domain("one.example", "catch_all = \"box@one.example\"\n\"greylist.catch_all\" = false\n")});
  EXPECT_EQ(send({"anybody@one.example"}).last[0].code, 250);
  start({domain("one.example", "catch_all = \"box@one.example\"\noperation = \"observe\"\n")});
  EXPECT_EQ(send({"anybody@one.example"}).last[0].code, 250);
}

TEST_F(SessionTest, MailJustUnderTheThresholdIsPutOffWhereWanted) {
  const std::string lists = "word_lists = []\n\"filter.structure.on\" = true\n";
  start({domain("one.example",
                lists + "\"greylist.suspicious_from\" = \"0\"\n\"greylist.suspicious_delay\" = \"3m\"\n")});
  const auto told = send({"a@one.example"});
  EXPECT_EQ(told.last[0].code, 451);
  EXPECT_NE(told.last[0].lines.front().find("3 minutes"), std::string::npos);
  start({domain("one.example", lists + "\"greylist.suspicious_from\" = \"10\"\n")});
  EXPECT_EQ(send({"a@one.example"}).last[0].code, 250);
}

}  // namespace
}  // namespace doorward::gateway
