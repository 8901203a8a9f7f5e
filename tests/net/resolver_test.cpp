// The whole resolver against a real name server on loopback.
#include "net/resolver.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/loop.h"
#include "net/name_server.h"

namespace doorward::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Steady = std::chrono::steady_clock;

std::string big_text() {
  std::string records;
  for (int i = 0; i < 40; ++i) records += "big TXT \"" + std::to_string(i) + std::string(190, 'x') + "\"\n";
  return records;
}

const std::map<std::string, std::string> kZones{
    {"names.example",
     "@ MX 20 mx2\n@ MX 10 mx1\nmx1 A 192.0.2.1\nmx1 A 192.0.2.2\nmx1 AAAA 2001:db8::1\n"
     "text TXT \"" +
         std::string(255, 'a') +
         "\" \"and more\"\n"
         "alias CNAME middle\nmiddle CNAME mx1\nlost CNAME nothing\nempty CNAME text\n"
         "none MX 0 .\n_25._tcp.mx1 TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
         "xn--bcher-kva A 192.0.2.7\n" +
         big_text()},
    {"2.0.192.in-addr.arpa", "1 PTR mx1.names.example.\n"},
    {"counted.example", "many A 192.0.2.8\nbrief 1 A 192.0.2.9\n"},
    {"broken.example", "broken"},
    {"signed.example",
     "@ MX 5 mx\nmx A 192.0.2.3\nsub NS ns.sub\nns.sub A 127.0.0.1\nsub DS 1 13 2 " + std::string(64, 'a') + "\n"},
    {"sub.signed.example", "www A 192.0.2.5\n"},  // unsigned, against what the zone above says
    {"signed.forged.example", "www A 192.0.2.4\n"}};

class ResolverTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = new test::NameServer(kZones);
    relay_ = new test::CountingRelay(server_->port(), 150ms);
    silent_ = new test::LoopbackSocket(SOCK_DGRAM);
    char name[] = "/tmp/doorward-anchor-XXXXXX";
    ::close(::mkstemp(name));
    anchors_ = name;
    std::string forged = server_->trust_anchor("signed.forged.example");
    char& last = forged[forged.find_last_not_of(" \n")];
    last = last == '0' ? '1' : '0';
    std::ofstream(anchors_) << server_->trust_anchor("signed.example") << forged;
  }
  static void TearDownTestSuite() {
    ::unlink(anchors_.c_str());
    delete silent_;
    delete relay_;
    delete server_;
  }

  static ResolverOptions options() {
    ResolverOptions options;
    for (const auto& [zone, records] : kZones) {
      if (zone != "counted.example") options.stub_zones.push_back({zone, server_->address()});
    }
    options.stub_zones.push_back({"counted.example", relay_->address()});
    options.stub_zones.push_back({"silent.example", silent_->address()});
    options.trust_anchor_file = anchors_;
    return options;
  }

  DnsAnswer ask(std::string name, DnsType type, std::chrono::milliseconds patience = 10s) {
    DnsAnswer answer;
    loop_.run([&]() -> Task<void> {
      answer = co_await resolver_->lookup(loop_.core(), name, type, Steady::now() + patience);
    });
    return answer;
  }

  static inline test::NameServer* server_ = nullptr;
  static inline test::CountingRelay* relay_ = nullptr;
  static inline test::LoopbackSocket* silent_ = nullptr;
  static inline std::string anchors_;
  test::Loop loop_;
  std::unique_ptr<Resolver> resolver_ = [] {
    auto made = make_resolver(options());
    EXPECT_TRUE(made) << made.error().text();
    return std::move(*made);
  }();
};

std::vector<std::string> texts(const std::vector<mail::IpAddress>& addresses) {
  std::vector<std::string> result;
  for (const auto& address : addresses) result.push_back(address.text());
  return result;
}

TEST_F(ResolverTest, FindsAddressesOfBothFamilies) {
  const DnsAnswer v4 = ask("MX1.Names.Example.", DnsType::a);
  EXPECT_EQ(v4.status, DnsStatus::found);
  EXPECT_THAT(texts(v4.addresses()), UnorderedElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_EQ(v4.canonical(), "");
  EXPECT_FALSE(v4.authenticated);
  EXPECT_EQ(v4.ttl, 60s);
  EXPECT_GT(v4.took, 0us);
  EXPECT_THAT(texts(ask("mx1.names.example", DnsType::aaaa).addresses()), ElementsAre("2001:db8::1"));
}

TEST_F(ResolverTest, FindsMailExchanges) {
  auto exchanges = ask("names.example", DnsType::mx).exchanges();
  std::ranges::sort(exchanges, {}, &MailExchange::preference);
  ASSERT_EQ(exchanges.size(), 2U);
  EXPECT_EQ(exchanges[0].preference, 10);
  EXPECT_EQ(exchanges[0].exchange, "mx1.names.example");
  EXPECT_EQ(exchanges[1].preference, 20);
  const auto none = ask("none.names.example", DnsType::mx).exchanges();
  ASSERT_EQ(none.size(), 1U);
  EXPECT_EQ(none[0].exchange, "");
}

TEST_F(ResolverTest, JoinsTheStringsOfText) {
  EXPECT_THAT(ask("text.names.example", DnsType::txt).texts(), ElementsAre(std::string(255, 'a') + "and more"));
}

TEST_F(ResolverTest, FollowsAliasesAndSaysWhereTheyLed) {
  const DnsAnswer answer = ask("alias.names.example", DnsType::a);
  EXPECT_EQ(answer.addresses().size(), 2U);
  EXPECT_EQ(answer.canonical(), "mx1.names.example");
  EXPECT_THAT(ask("alias.names.example", DnsType::cname).names(), ElementsAre("middle.names.example"));
  EXPECT_EQ(ask("lost.names.example", DnsType::a).status, DnsStatus::nxdomain);
  const DnsAnswer empty = ask("empty.names.example", DnsType::a);
  EXPECT_EQ(empty.status, DnsStatus::no_data);
  EXPECT_EQ(empty.canonical(), "text.names.example");
}

TEST_F(ResolverTest, TellsAbsentNamesFromAbsentData) {
  EXPECT_EQ(ask("nothing.names.example", DnsType::a).status, DnsStatus::nxdomain);
  const DnsAnswer no_data = ask("text.names.example", DnsType::mx);
  EXPECT_EQ(no_data.status, DnsStatus::no_data);
  EXPECT_THAT(no_data.exchanges(), IsEmpty());
  EXPECT_EQ(no_data.ttl, 60s) << "of the SOA's minimum";
}

TEST_F(ResolverTest, ReadsTheOtherTypes) {
  EXPECT_THAT(ask(reverse_name(*mail::IpAddress::parse("192.0.2.1")), DnsType::ptr).names(),
              ElementsAre("mx1.names.example"));
  const auto tlsa = ask("_25._tcp.mx1.names.example", DnsType::tlsa).tlsa();
  ASSERT_EQ(tlsa.size(), 1U);
  EXPECT_EQ(tlsa[0].usage, 3);
  EXPECT_EQ(tlsa[0].data.size(), 32U);
  EXPECT_THAT(ask("names.example", DnsType::ns).names(), ElementsAre("ns.names.example"));
  const auto soa = ask("names.example", DnsType::soa).authority();
  ASSERT_EQ(soa.size(), 1U);
  EXPECT_EQ(soa[0].serial, 1U);
  EXPECT_EQ(soa[0].mailbox, "hostmaster.names.example");
  EXPECT_EQ(ask("b\u00fccher.names.example", DnsType::a).addresses().size(), 1U);
}

TEST_F(ResolverTest, GoesOverToTcpWhereAnAnswerIsTooLong) {
  EXPECT_EQ(ask("big.names.example", DnsType::txt).texts().size(), 40U);
}

TEST_F(ResolverTest, AFailureOfTheServerIsKeptForAWhile) {
  const DnsAnswer first = ask("www.broken.example", DnsType::a);
  EXPECT_EQ(first.status, DnsStatus::servfail);
  EXPECT_FALSE(first.cached);
  EXPECT_TRUE(first.temporary());
  EXPECT_TRUE(ask("www.broken.example", DnsType::a).cached);
}

TEST_F(ResolverTest, NobodyWaitsLongerThanTheDeadline) {
  const auto before = Steady::now();
  const DnsAnswer answer = ask("www.silent.example", DnsType::a, 300ms);
  EXPECT_EQ(answer.status, DnsStatus::timeout);
  EXPECT_GE(Steady::now() - before, 300ms);
  EXPECT_LT(Steady::now() - before, 3s);
}

TEST_F(ResolverTest, SilentServersDelayNoOtherQuestion) {
  static constexpr auto in_vain = [](Resolver& resolver, Core& core, int number) -> Task<void> {
    const std::string name = std::to_string(number) + ".silent.example";
    co_await resolver.lookup(core, name, DnsType::a, Steady::now() + 2s);
  };
  DnsAnswer answer;
  Steady::duration took{};
  loop_.run([&]() -> Task<void> {
    for (int i = 0; i < 200; ++i) spawn(in_vain(*resolver_, loop_.core(), i));
    co_await loop_.core().sleep(100ms);
    const auto before = Steady::now();
    answer = co_await resolver_->lookup(loop_.core(), "mx1.names.example", DnsType::a, before + 10s);
    took = Steady::now() - before;
    co_await loop_.core().sleep(2s);  // those end at their deadline
  });
  EXPECT_TRUE(answer.found());
  EXPECT_LT(took, 1s);
}

TEST_F(ResolverTest, NamesThatCannotBeAreNotAsked) {
  for (const std::string& name :
       {std::string("a..b"), std::string(64, 'l') + ".example", std::string(), std::string("a\\b")}) {
    const auto before = Steady::now();
    EXPECT_EQ(ask(name, DnsType::a).status, DnsStatus::nxdomain) << name;
    EXPECT_LT(Steady::now() - before, 1s);
  }
}

TEST_F(ResolverTest, SaysWhatDnssecProved) {
  const DnsAnswer exchange = ask("signed.example", DnsType::mx);
  EXPECT_EQ(exchange.status, DnsStatus::found);
  EXPECT_TRUE(exchange.authenticated);
  const DnsAnswer absent = ask("nothing.signed.example", DnsType::a);
  EXPECT_TRUE(absent.status == DnsStatus::nxdomain || absent.status == DnsStatus::no_data) << text(absent.status);
  EXPECT_TRUE(absent.authenticated);
  EXPECT_TRUE(ask("signed.example", DnsType::mx).authenticated) << "from the cache too";
  const DnsAnswer forged = ask("www.signed.forged.example", DnsType::a);
  EXPECT_EQ(forged.status, DnsStatus::bogus);
  EXPECT_THAT(forged.rdata(), IsEmpty());
}

TEST_F(ResolverTest, AZoneCanBeExemptFromValidation) {
  EXPECT_EQ(ask("www.sub.signed.example", DnsType::a).status, DnsStatus::bogus);
  ResolverOptions lenient = options();
  lenient.insecure_zones = {"sub.signed.example"};
  auto resolver = make_resolver(lenient);
  ASSERT_TRUE(resolver) << resolver.error().text();
  resolver_ = std::move(*resolver);
  const DnsAnswer answer = ask("www.sub.signed.example", DnsType::a);
  EXPECT_EQ(answer.status, DnsStatus::found);
  EXPECT_FALSE(answer.authenticated);
}

TEST_F(ResolverTest, EqualQuestionsAreAskedOnce) {
  static constexpr auto one = [](Resolver& resolver, Core& core) -> Task<DnsAnswer> {
    co_return co_await resolver.lookup(core, "many.counted.example", DnsType::a, Steady::now() + 10s);
  };
  const size_t before = relay_->asked("many");
  loop_.run([&]() -> Task<void> {
    std::vector<Task<DnsAnswer>> all;
    for (int i = 0; i < 50; ++i) all.push_back(one(*resolver_, loop_.core()));
    for (const DnsAnswer& answer : co_await when_all(std::move(all))) EXPECT_EQ(answer.addresses().size(), 1U);
  });
  EXPECT_EQ(relay_->asked("many") - before, 1U);
}

TEST_F(ResolverTest, TheCacheHoldsAnAnswerAsLongAsItsTtl) {
  const size_t before = relay_->asked("brief");
  EXPECT_FALSE(ask("brief.counted.example", DnsType::a).cached);
  EXPECT_TRUE(ask("BRIEF.counted.example", DnsType::a).cached);
  EXPECT_EQ(relay_->asked("brief") - before, 1U);
  std::this_thread::sleep_for(2100ms);
  EXPECT_EQ(ask("brief.counted.example", DnsType::a).addresses().size(), 1U);
  EXPECT_EQ(relay_->asked("brief") - before, 2U);
}

TEST_F(ResolverTest, ForwardersAreAskedForEverything) {
  ResolverOptions forwarding;
  forwarding.forwarders = {server_->address()};
  auto resolver = make_resolver(forwarding);
  ASSERT_TRUE(resolver) << resolver.error().text();
  resolver_ = std::move(*resolver);
  EXPECT_EQ(ask("mx1.names.example", DnsType::a).addresses().size(), 2U);
  EXPECT_TRUE(ask("www.elsewhere.example", DnsType::a).temporary()) << "which the server refuses";
}

TEST_F(ResolverTest, ManyCoresAskAtOnce) {
  Cores cores(3);
  cores.start();
  std::vector<std::future<size_t>> ends;
  std::vector<std::promise<size_t>> results(cores.count());
  static constexpr auto many = [](Resolver& resolver, Core& core, std::promise<size_t>& result) -> Task<void> {
    size_t found = 0;
    for (int i = 0; i < 60; ++i) {
      const std::string name = i % 3 == 0 ? "mx1.names.example" : std::to_string(i) + ".names.example";
      const DnsAnswer answer = co_await resolver.lookup(core, name, DnsType::a, Steady::now() + 10s);
      found += answer.found() || answer.status == DnsStatus::nxdomain ? 1U : 0U;
    }
    result.set_value(found);
  };
  for (unsigned i = 0; i < cores.count(); ++i) {
    ends.push_back(results[i].get_future());
    cores.at(i).post([&, i] { spawn(many(*resolver_, cores.at(i), results[i])); });
  }
  for (auto& end : ends) {
    ASSERT_EQ(end.wait_for(20s), std::future_status::ready);
    EXPECT_EQ(end.get(), 60U);
  }
}

TEST_F(ResolverTest, DestroyingItResumesWhoWaits) {
  DnsAnswer answer;
  answer.status = DnsStatus::found;
  const auto before = Steady::now();
  loop_.run([&]() -> Task<void> {
    static constexpr auto end = [](Core& core, std::unique_ptr<Resolver>& resolver) -> Task<void> {
      co_await core.sleep(100ms);
      resolver.reset();
    };
    spawn(end(loop_.core(), resolver_));
    answer = co_await resolver_->lookup(loop_.core(), "other.silent.example", DnsType::a, Steady::now() + 1h);
  });
  EXPECT_EQ(answer.status, DnsStatus::servfail);
  EXPECT_LT(Steady::now() - before, 5s);
}

TEST(ResolverOptionsTest, WhatIsMalformedIsSaid) {
  const auto wrong = [](auto set) {
    ResolverOptions options;
    set(options);
    const auto made = make_resolver(options);
    return made ? std::string() : made.error().text();
  };
  EXPECT_THAT(wrong([](auto& o) { o.forwarders = {"dns.example"}; }),
              testing::HasSubstr("'dns.example' is no name server"));
  EXPECT_THAT(wrong([](auto& o) { o.forwarders = {"192.0.2.1@0"}; }), testing::HasSubstr("no name server"));
  EXPECT_THAT(wrong([](auto& o) { o.stub_zones = {{"a..b", "192.0.2.1"}}; }), testing::HasSubstr("'a..b' is no zone"));
  EXPECT_THAT(wrong([](auto& o) { o.trust_anchor_file = "/nonexistent"; }), testing::HasSubstr("/nonexistent"));
  EXPECT_THAT(wrong([](auto& o) { o.trust_anchor_file = "/proc/self/status"; }), testing::Not(testing::IsEmpty()));
  EXPECT_THAT(wrong([](auto& o) { o.resolv_conf = "/nonexistent"; }), testing::HasSubstr("/nonexistent"));
  EXPECT_EQ(wrong([](auto&) {}), "");
}

}  // namespace
}  // namespace doorward::net
