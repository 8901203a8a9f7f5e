// List zones asked at their own servers, real ones (Knot) and sockets that misbehave.
#include "net/dns_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "net/name_server.h"

namespace doorward::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

Endpoint at(uint16_t port) { return {.ip = *mail::IpAddress::parse("127.0.0.1"), .port = port}; }

// What a test says; counts what it is asked.
class OtherSource final : public DnsSource {
 public:
  void ask(std::string name, DnsType type, Done done) override {
    DnsAnswer answer = dns_failure(DnsStatus::nxdomain);
    {
      const std::lock_guard hold(lock_);
      ++asked_[{name, type}];
      if (const auto known = answers_.find({name, type}); known != answers_.end()) {
        answer.status = DnsStatus::found;
        answer.ttl = 600s;
        answer.records = std::make_shared<DnsRecords>(DnsRecords{type, {}, {known->second}});
      }
    }
    done(std::move(answer));
  }
  void set(const std::string& name, DnsType type, std::string rdata) { answers_[{name, type}] = std::move(rdata); }
  size_t asked(const std::string& name, DnsType type) {
    const std::lock_guard hold(lock_);
    return asked_[{name, type}];
  }

 private:
  std::mutex lock_;
  std::map<std::pair<std::string, DnsType>, std::string> answers_;
  std::map<std::pair<std::string, DnsType>, size_t> asked_;
};

class DnsLists : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = new test::NameServer({{"list.example",
                                     "2.0.0.127 A 127.0.0.2\n2.0.0.127 TXT \"listed\"\n2.0.0.127 A 127.0.0.4\n"
                                     "deep.sub A 127.0.0.9\nalias CNAME 2.0.0.127\n"},
                                    {"sub.list.example", "deep A 127.0.0.8\n"},
                                    {"broken.example", "broken"}});
  }
  static void TearDownTestSuite() { delete server_; }

  void start(std::vector<ListZone> zones) {
    auto others = std::make_unique<OtherSource>();
    others_ = others.get();
    options_.zones = std::move(zones);
    source_ = with_list_zones(options_, std::move(others));
  }
  DnsAnswer ask(const std::string& name, DnsType type = DnsType::a) {
    auto promise = std::make_shared<std::promise<DnsAnswer>>();
    auto answer = promise->get_future();
    source_->ask(name, type, [promise](DnsAnswer found) { promise->set_value(std::move(found)); });
    if (answer.wait_for(10s) != std::future_status::ready) {
      ADD_FAILURE() << "no answer for " << name;
      return {};
    }
    return answer.get();
  }

  static inline test::NameServer* server_ = nullptr;
  ListZoneOptions options_;
  OtherSource* others_ = nullptr;
  std::unique_ptr<DnsSource> source_;
};

TEST_F(DnsLists, AListsServerIsAsked) {
  start({{"list.example", {at(server_->port())}}});
  const auto answer = ask("2.0.0.127.list.example");
  EXPECT_EQ(answer.status, DnsStatus::found);
  EXPECT_THAT(answer.addresses(), testing::UnorderedElementsAre(*mail::IpAddress::parse("127.0.0.2"),
                                                                *mail::IpAddress::parse("127.0.0.4")));
  EXPECT_EQ(answer.ttl, 60s);
  EXPECT_THAT(ask("2.0.0.127.list.example", DnsType::txt).texts(), ElementsAre("listed"));
  EXPECT_EQ(ask("3.0.0.127.list.example").status, DnsStatus::nxdomain);
  EXPECT_EQ(ask("3.0.0.127.list.example").ttl, 60s);
  EXPECT_EQ(ask("2.0.0.127.list.example", DnsType::aaaa).status, DnsStatus::no_data);
  EXPECT_EQ(ask("alias.list.example").canonical(), "2.0.0.127.list.example");
}

TEST_F(DnsLists, AllElseGoesToTheOtherSource) {
  start({{"list.example", {at(server_->port())}}});
  others_->set("www.example", DnsType::a, std::string("\xC0\0\2\1", 4));
  EXPECT_TRUE(ask("www.example").found());
  (void)ask("notlist.example");
  EXPECT_EQ(others_->asked("notlist.example", DnsType::a), 1U) << "the end of a label is no zone";
  (void)ask("list.example", DnsType::mx);
  EXPECT_EQ(others_->asked("list.example", DnsType::mx), 1U);
}

TEST_F(DnsLists, TheLongestZoneCounts) {
  const test::LoopbackSocket silent(SOCK_DGRAM);
  start({{"list.example", {at(silent.port())}}, {"sub.list.example", {at(server_->port())}}});
  EXPECT_THAT(ask("deep.sub.list.example").addresses(), ElementsAre(*mail::IpAddress::parse("127.0.0.8")));
}

TEST_F(DnsLists, ASilentServerAndOneThatNobodyRunsAreFollowedByTheNext) {
  const test::LoopbackSocket silent(SOCK_DGRAM);
  uint16_t nobody = 0;
  {
    nobody = test::LoopbackSocket(SOCK_DGRAM).port();
  }
  start({{"list.example", {at(silent.port()), at(nobody), at(server_->port())}}});
  EXPECT_TRUE(ask("2.0.0.127.list.example").found());
  // What is known of them now: the one that answers is asked first.
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(ask("2.0.0.127.list.example").found());
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
}

TEST_F(DnsLists, AServerThatFailsIsFollowedByTheNext) {
  start({{"broken.example", {at(server_->port())}}});
  EXPECT_EQ(ask("x.broken.example").status, DnsStatus::servfail);
}

TEST_F(DnsLists, WhereNobodyAnswersItEndsInTime) {
  const test::LoopbackSocket silent(SOCK_DGRAM);
  options_.timing = {.first_wait = 50ms, .least_wait = 20ms, .most_wait = 100ms, .all = 400ms};
  start({{"list.example", {at(silent.port())}}});
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(ask("2.0.0.127.list.example").status, DnsStatus::servfail);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
}

TEST_F(DnsLists, AForgedAnswerIsPassedOver) {
  // Answers with another id first, then with the name in another case, then rightly.
  const test::LoopbackSocket forger(SOCK_DGRAM);
  std::thread thread([&] {
    char packet[512];
    sockaddr_in client{};
    socklen_t length = sizeof client;
    const ssize_t got =
        ::recvfrom(forger.descriptor(), packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&client), &length);
    if (got < 0) return;
    const auto answer = [&](bool other_id, bool other_case, char last) {
      std::string made(packet, static_cast<size_t>(got));
      made[2] = '\x81';
      made[3] = '\x80';
      made[7] = 1;
      if (other_id) made[0] = static_cast<char>(made[0] + 1);
      if (other_case) made[13] = static_cast<char>(made[13] ^ 0x20);
      made += std::string("\xC0\x0C\0\1\0\1\0\0\0\x3C\0\4\x7F\0\0", 15) + last;
      ::sendto(forger.descriptor(), made.data(), made.size(), 0, reinterpret_cast<sockaddr*>(&client), length);
    };
    answer(true, false, 66);
    answer(false, true, 66);
    answer(false, false, 2);
  });
  start({{"list.example", {at(forger.port())}}});
  EXPECT_THAT(ask("abc.list.example").addresses(), ElementsAre(*mail::IpAddress::parse("127.0.0.2")));
  thread.join();
}

TEST_F(DnsLists, AZonesOwnServersAreFoundAndKept) {
  options_.port = server_->port();
  start({{"list.example", {}}});
  others_->set("list.example", DnsType::ns, std::string("\2ns\4list\7example\0", 17));
  others_->set("ns.list.example", DnsType::a, std::string("\x7F\0\0\1", 4));
  EXPECT_TRUE(ask("2.0.0.127.list.example").found());
  EXPECT_TRUE(ask("2.0.0.127.list.example").found());
  EXPECT_EQ(others_->asked("list.example", DnsType::ns), 1U);
}

TEST_F(DnsLists, AZoneWithoutServersIsServfailAndNotLookedUpEachTime) {
  start({{"list.example", {}}});
  EXPECT_EQ(ask("2.0.0.127.list.example").status, DnsStatus::servfail);
  EXPECT_EQ(ask("3.0.0.127.list.example").status, DnsStatus::servfail);
  EXPECT_EQ(others_->asked("list.example", DnsType::ns), 1U);
}

// Many ask while the thread takes what is new: a call that it missed would leave all of them waiting for ever.
TEST_F(DnsLists, NoCallIsMissed) {
  start({{"list.example", {at(server_->port())}}});
  constexpr int kAskers = 8, kEach = 10;
  std::atomic<int> open = 0, missed = 0;
  std::barrier begun(kAskers, [&]() noexcept { open = kAskers * kEach; });
  std::barrier ended(kAskers);
  const auto ask_and_wait = [&] {
    for (int round = 0; round < 1'000 && missed == 0; ++round) {
      begun.arrive_and_wait();
      for (int i = 0; i < kEach; ++i) {
        source_->ask(std::to_string(i) + ".list.example", DnsType::a, [&open](const DnsAnswer&) { --open; });
      }
      const auto until = std::chrono::steady_clock::now() + 10s;
      while (open > 0 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(100us);
      if (open > 0) missed = open.load();
      ended.arrive_and_wait();
    }
  };
  {
    std::vector<std::jthread> askers;
    for (int i = 0; i < kAskers; ++i) askers.emplace_back(ask_and_wait);
  }
  EXPECT_EQ(missed, 0);
}

TEST_F(DnsLists, ManyQuestionsAtOnceAllEnd) {
  start({{"list.example", {at(server_->port())}}});
  std::atomic<int> found{0}, all{0};
  for (int i = 0; i < 2000; ++i) {
    source_->ask(i % 2 == 0 ? "2.0.0.127.list.example" : "n" + std::to_string(i) + ".list.example", DnsType::a,
                 [&](const DnsAnswer& answer) {
                   if (answer.found()) ++found;
                   ++all;
                 });
  }
  for (int i = 0; i < 1000 && all < 2000; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(all, 2000);
  EXPECT_EQ(found, 1000);
}

}  // namespace
}  // namespace doorward::net
