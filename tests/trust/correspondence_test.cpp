#include "trust/correspondence.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace doorward::trust {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr SystemTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h + 12min;
constexpr uint64_t kUs = 7;
const Correspondent kPartner{"ann@partner.example", "partner.example"};
const Correspondent kColleague{"joe@partner.example", "partner.example"};
const std::string kBob = "bob@in.example", kEve = "eve@in.example";
const mail::IpAddress kHome = *mail::IpAddress::parse("192.0.2.1"), kNeighbour = *mail::IpAddress::parse("192.0.2.77"),
                      kStranger = *mail::IpAddress::parse("198.51.100.7");

class CorrespondenceTest : public testing::Test {
 protected:
  using Known = Correspondence::Known;
  static std::unique_ptr<Correspondence> open(Correspondence::Options options = {.entries = 1 << 14}) {
    auto opened = Correspondence::open(std::move(options));
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().text());
    return opened ? std::move(*opened) : nullptr;
  }
  SentMail sent(const std::string& subject = "", const Correspondent& to = kPartner, const std::string& from = kBob) {
    return {.customer = kUs, .senders = {from}, .recipients = {to}, .subject = subject, .message_id = "<1@in.example>"};
  }
  ReceivedMail received(ReceivedMail::Kind kind, const Correspondent& from = kPartner,
                        const mail::IpAddress& ip = kHome) {
    return {.kind = kind, .customer = kUs, .recipients = {kBob}, .sender = from, .client = ip};
  }
  Known known(const Correspondence& of, SystemTime now = kNow, const Correspondent& who = kPartner,
              const std::string& to = kBob, std::string_view subject = "", std::vector<std::string> answers = {}) {
    const std::vector<std::string> recipients{to};
    return of.look_up(
        {.customer = kUs, .recipients = recipients, .sender = who, .subject = subject, .answers = answers}, now);
  }
  std::unique_ptr<Correspondence> memory_ = open();
};

TEST_F(CorrespondenceTest, one_mail_of_ours_makes_them_known_at_once) {
  EXPECT_FALSE(known(*memory_).pair.any());
  memory_->sent(sent(), kNow);
  const Known after = known(*memory_);
  EXPECT_GE(after.pair.level, 40);
  EXPECT_GE(after.address.level, 40);
  EXPECT_GT(after.domain.level, 0);
  EXPECT_FALSE(known(*memory_, kNow, kPartner, kEve).pair.any()) << "eve did not write";
  EXPECT_GE(known(*memory_, kNow, kPartner, kEve).address.level, 40) << "but her house did";
  EXPECT_GT(known(*memory_, kNow, kColleague).domain.level, 0);
  EXPECT_FALSE(known(*memory_, kNow, kColleague).address.any());
  const std::vector<std::string> recipients{kBob};
  const auto other =
      memory_->look_up({.customer = 8, .recipients = recipients, .sender = kPartner, .subject = {}}, kNow);
  EXPECT_FALSE(other.pair.any() || other.address.any() || other.domain.any()) << "another customer's";
}

TEST_F(CorrespondenceTest, writing_forgives_also_on_the_day_of_the_spam) {
  for (int i = 0; i < 5; ++i) memory_->received(received(ReceivedMail::Kind::spam), kNow + i * 24h);
  EXPECT_LT(known(*memory_, kNow + 96h).address.level, -30);
  EXPECT_LT(known(*memory_, kNow + 96h).domain.level, -20);
  memory_->sent(sent(), kNow + 97h);
  EXPECT_GE(known(*memory_, kNow + 98h).pair.level, 39);
  EXPECT_GE(known(*memory_, kNow + 98h).address.level, 39);
}

TEST_F(CorrespondenceTest, silence_lets_good_and_bad_decay_to_nothing) {
  memory_->sent(sent(), kNow);
  memory_->received(received(ReceivedMail::Kind::spam, {"x@bad.example", "bad.example"}), kNow);
  const auto days = [](int count) { return std::chrono::days(count); };
  EXPECT_NEAR(known(*memory_, kNow + days(60)).pair.level, 20, 1);
  EXPECT_EQ(known(*memory_, kNow + days(60 * 8)).pair.level, 0);
  const Correspondent bad{"x@bad.example", "bad.example"};
  const double at_first = known(*memory_, kNow, bad).domain.level;
  EXPECT_LT(at_first, 0);
  EXPECT_NEAR(known(*memory_, kNow + days(60), bad).domain.level, at_first / 2, 0.2);
  EXPECT_EQ(known(*memory_, kNow + days(60 * 8), bad).domain.level, 0);
}

TEST_F(CorrespondenceTest, the_curve_can_be_straight) {
  const auto straight = open({.entries = 1024, .forgetting = {.decay = Decay::straight, .half_life = 10}});
  straight->sent(sent(), kNow);
  EXPECT_NEAR(known(*straight, kNow + std::chrono::days(10)).pair.level, 20, 1);
  EXPECT_NEAR(known(*straight, kNow + std::chrono::days(15)).pair.level, 10, 1);
  EXPECT_EQ(known(*straight, kNow + std::chrono::days(20)).pair.level, 0);
}

TEST_F(CorrespondenceTest, steady_mail_builds_more_than_a_burst_and_lasts_longer) {
  const Correspondent burst{"burst@a.example", "a.example"}, steady{"steady@b.example", "b.example"};
  for (int i = 0; i < 40; ++i) {
    memory_->received(received(ReceivedMail::Kind::good, burst), kNow + 40 * 24h);
    memory_->received(received(ReceivedMail::Kind::good, steady), kNow + (i + 1) * 24h);
  }
  const SystemTime then = kNow + 40 * 24h;
  EXPECT_GT(known(*memory_, then, steady).pair.level, 2 * known(*memory_, then, burst).pair.level);
  EXPECT_EQ(known(*memory_, then, steady).pair.days, 40u);
  EXPECT_EQ(known(*memory_, then, burst).pair.days, 1u);
  const SystemTime later = then + std::chrono::days(60);
  EXPECT_GT(known(*memory_, later, steady).pair.level, 0.75 * known(*memory_, then, steady).pair.level);
  EXPECT_LT(known(*memory_, later, burst).pair.level, 0.55 * known(*memory_, then, burst).pair.level);
}

TEST_F(CorrespondenceTest, one_harmless_mail_is_worth_little) {
  memory_->received(received(ReceivedMail::Kind::good), kNow);
  EXPECT_LE(known(*memory_, kNow).pair.level, 1);
}

TEST_F(CorrespondenceTest, answers_are_known_by_subject_and_by_thread) {
  memory_->sent(sent("Your offer of Monday"), kNow);
  EXPECT_TRUE(known(*memory_, kNow, kColleague, kEve, "AW: Re[2]: your  offer of monday").subject);
  EXPECT_FALSE(known(*memory_, kNow, kColleague, kEve, "Another offer of Monday").subject);
  EXPECT_FALSE(known(*memory_, kNow, {"x@else.example", "else.example"}, kEve, "Re: Your offer of Monday").subject);
  EXPECT_TRUE(known(*memory_, kNow, kColleague, kEve, "", {"<1@in.example>"}).thread);
  EXPECT_FALSE(known(*memory_, kNow, {"x@else.example", "else.example"}, kEve, "", {"<1@in.example>"}).thread)
      << "a Message-ID may be public";
  EXPECT_FALSE(known(*memory_, kNow, kPartner, kBob, "", {"<2@in.example>"}).thread);
}

TEST_F(CorrespondenceTest, subjects_are_those_that_somebody_would_recognise) {
  EXPECT_EQ(thread_subject("Re: AW: Fwd: The  house\r\n by the lake "), "the house by the lake");
  EXPECT_EQ(thread_subject("RE[3]: The house"), "the house");
  EXPECT_EQ(thread_subject("hello"), "");
  EXPECT_EQ(thread_subject("Re: "), "");
  EXPECT_EQ(thread_subject("Report: the house"), "report: the house");
  EXPECT_EQ(thread_subject(std::string(5000, ':')), "");
}

TEST_F(CorrespondenceTest, mailings_and_stolen_accounts_make_no_friends) {
  SentMail mailing = sent();
  for (int i = 0; i < 30; ++i) mailing.recipients.push_back({"p" + std::to_string(i) + "@x.example", "x.example"});
  memory_->sent(mailing, kNow);
  EXPECT_FALSE(known(*memory_).pair.any());
  for (int i = 0; i < 300; ++i) {
    memory_->sent(sent("", {"p" + std::to_string(i) + "@y.example", ""}), kNow);
  }
  EXPECT_TRUE(known(*memory_, kNow, {"p50@y.example", ""}).pair.any());
  EXPECT_FALSE(known(*memory_, kNow, {"p299@y.example", ""}).pair.any());
  memory_->sent(sent("", {"p299@y.example", ""}), kNow + 24h);
  EXPECT_TRUE(known(*memory_, kNow + 24h, {"p299@y.example", ""}).pair.any()) << "the next day";
}

TEST_F(CorrespondenceTest, who_takes_many_names_makes_few_friends_too) {
  for (int i = 0; i < 3000; ++i) {
    const std::string number = std::to_string(i);
    memory_->sent(sent("", {"p" + number + "@y.example", ""}, "u" + number + "@in.example"), kNow);
  }
  const auto is_known = [&](int i) {
    const std::string number = std::to_string(i);
    return known(*memory_, kNow, {"p" + number + "@y.example", ""}, "u" + number + "@in.example").pair.any();
  };
  EXPECT_TRUE(is_known(1500));
  EXPECT_FALSE(is_known(2500));
}

TEST_F(CorrespondenceTest, domains_that_send_newsletters_get_no_trust_as_domains) {
  memory_->sent(sent(), kNow);
  EXPECT_TRUE(known(*memory_).domain.any());
  ReceivedMail letter = received(ReceivedMail::Kind::good);
  letter.bulk = true;
  for (int i = 0; i < 30; ++i) memory_->received(letter, kNow);
  EXPECT_TRUE(known(*memory_).bulk);
  EXPECT_FALSE(known(*memory_).domain.any());
  EXPECT_TRUE(known(*memory_).pair.any());
  EXPECT_FALSE(known(*memory_, kNow, {"news@partner.example", "partner.example"}).address.any());
  // It is each customer's own, and decays like all else.
  const std::vector<std::string> recipients{kBob};
  memory_->sent({.customer = 8, .senders = {kBob}, .recipients = {kPartner}}, kNow);
  EXPECT_TRUE(memory_->look_up({.customer = 8, .recipients = recipients, .sender = kPartner, .subject = ""}, kNow)
                  .domain.any());
  memory_->sent(sent(), kNow + 24h * 90);
  EXPECT_TRUE(known(*memory_, kNow + 24h * 90).domain.any());
}

TEST_F(CorrespondenceTest, newsletters_do_not_hide_the_spam_of_their_domain) {
  ReceivedMail letter = received(ReceivedMail::Kind::good);
  letter.bulk = true;
  for (int i = 0; i < 30; ++i) memory_->received(letter, kNow);
  memory_->received(received(ReceivedMail::Kind::spam, kColleague), kNow);
  EXPECT_TRUE(known(*memory_).bulk);
  EXPECT_LT(known(*memory_).domain.level, 0);
}

TEST_F(CorrespondenceTest, who_proves_nothing_is_known_by_the_network_that_was_refused) {
  const auto is_from = [&](const mail::IpAddress& ip) {
    return memory_->is_from_recorded_network(kUs, kPartner.address, ip, kNow + 2h);
  };
  memory_->received(received(ReceivedMail::Kind::unproven_refused), kNow);
  EXPECT_FALSE(is_from(kHome)) << "nobody wrote to them";
  memory_->sent(sent(), kNow + 1h);
  EXPECT_TRUE(is_from(kHome));
  EXPECT_TRUE(is_from(kNeighbour));
  EXPECT_FALSE(is_from(kStranger));
  // A forger's refusal afterwards changes nothing, for him or for them.
  memory_->received(received(ReceivedMail::Kind::unproven_refused, kPartner, kStranger), kNow + 1h);
  EXPECT_FALSE(is_from(kStranger));
  EXPECT_TRUE(is_from(kHome));
  EXPECT_TRUE(known(*memory_, kNow + 2h).pair.level >= 39) << "and forgeries cost nobody his trust";
}

TEST_F(CorrespondenceTest, two_networks_refused_are_one_too_many) {
  memory_->received(received(ReceivedMail::Kind::unproven_refused), kNow);
  memory_->received(received(ReceivedMail::Kind::unproven_refused, kPartner, kStranger), kNow);
  memory_->sent(sent(), kNow);
  EXPECT_FALSE(memory_->is_from_recorded_network(kUs, kPartner.address, kHome, kNow));
  EXPECT_FALSE(memory_->is_from_recorded_network(kUs, kPartner.address, kStranger, kNow));
}

TEST_F(CorrespondenceTest, a_forger_refused_while_trust_stands_does_not_inherit_it) {
  memory_->sent(sent(), kNow);
  memory_->received(received(ReceivedMail::Kind::unproven_refused, kPartner, kStranger), kNow);
  EXPECT_FALSE(memory_->is_from_recorded_network(kUs, kPartner.address, kStranger, kNow));
}

TEST_F(CorrespondenceTest, no_network_speaks_for_who_proved_himself) {
  const auto is_from = [&](const mail::IpAddress& ip) {
    return memory_->is_from_recorded_network(kUs, kPartner.address, ip, kNow + 2h);
  };
  memory_->received(received(ReceivedMail::Kind::good), kNow);
  memory_->received(received(ReceivedMail::Kind::unproven_refused, kPartner, kStranger), kNow);
  memory_->sent(sent(), kNow + 1h);
  EXPECT_FALSE(is_from(kStranger));
  // Whose network was recorded before loses it with the first mail that proves him.
  memory_ = open();
  memory_->received(received(ReceivedMail::Kind::unproven_refused, kPartner, kStranger), kNow);
  memory_->sent(sent(), kNow + 1h);
  EXPECT_TRUE(is_from(kStranger));
  memory_->received(received(ReceivedMail::Kind::good), kNow + 1h);
  EXPECT_FALSE(is_from(kStranger));
}

TEST_F(CorrespondenceTest, a_clock_that_was_ahead_does_not_stop_the_decay) {
  memory_->sent(sent(), kNow + 24h * 1000);
  memory_->sent(sent(), kNow);
  EXPECT_LT(known(*memory_, kNow + 24h * 200).pair.level, 30);
}

TEST_F(CorrespondenceTest, an_administrator_sets_and_forgets) {
  memory_->sent(sent("Your offer of Monday"), kNow);
  memory_->set(kUs, kPartner, 0, kNow);
  EXPECT_FALSE(known(*memory_).pair.any()) << "with all its pairs";
  EXPECT_FALSE(known(*memory_).address.any());
  EXPECT_TRUE(known(*memory_).domain.any());
  memory_->set(kUs, {"", "partner.example"}, 0, kNow);
  EXPECT_FALSE(known(*memory_).domain.any());
  EXPECT_FALSE(known(*memory_, kNow, kPartner, kBob, "Re: your offer of Monday").subject);
  memory_->set(kUs, kPartner, -70, kNow);
  EXPECT_NEAR(known(*memory_).address.level, -70, 0.1);
  memory_->sent(sent(), kNow + 2min);
  EXPECT_GE(known(*memory_, kNow + 3min).pair.level, 39) << "and life goes on";
}

TEST_F(CorrespondenceTest, is_kept_under_a_key_of_its_own) {
  const fs::path directory = fs::temp_directory_path() / ("doorward-trust-" + std::to_string(::getpid()));
  fs::remove_all(directory);
  {
    const auto kept = open({.entries = 4096, .directory = directory});
    kept->sent(sent(), kNow);
    ASSERT_TRUE(kept->flush());
    EXPECT_FALSE(Correspondence::open({.entries = 4096, .directory = directory})) << "one process writes";
    EXPECT_TRUE(known(*open({.entries = 4096, .directory = directory, .read_only = true})).pair.any());
  }
  EXPECT_TRUE(known(*open({.entries = 4096, .directory = directory})).pair.any());
  struct stat status{};
  ASSERT_EQ(::stat((directory / "key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  fs::resize_file(directory / "key", 5);
  const auto damaged = Correspondence::open({.entries = 4096, .directory = directory});
  ASSERT_FALSE(damaged);
  EXPECT_NE(damaged.error().text().find("key"), std::string::npos);
  fs::remove_all(directory);
}

// Senders of spam have no end of addresses, and domains at which anything proves.
TEST_F(CorrespondenceTest, spam_pushes_no_friend_out) {
  const auto small = open({.entries = 1 << 10});
  memory_.reset();
  for (int i = 0; i < 100; ++i) small->sent(sent("", {"f" + std::to_string(i) + "@x.example", ""}), kNow - 24h * 100);
  for (int i = 0; i < 20'000; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".example";
    ReceivedMail spam = received(ReceivedMail::Kind::spam, {"a@" + domain, domain});
    for (int each = 0; each < 10; ++each) spam.recipients.push_back("u" + std::to_string(each) + "@in.example");
    small->received(spam, kNow);
  }
  int left = 0;
  for (int i = 0; i < 100; ++i) left += known(*small, kNow, {"f" + std::to_string(i) + "@x.example", ""}).pair.any();
  EXPECT_GE(left, 90);
}

TEST_F(CorrespondenceTest, what_counts_a_day_gives_way_the_day_after) {
  const auto small = open({.entries = 1 << 10});
  SentMail mail = sent("", {"f@x.example", ""});
  for (int i = 0; i < 19; ++i) mail.recipients.push_back({"f" + std::to_string(i) + "@x.example", ""});
  for (int day = 0; day < 400; ++day) {
    for (int user = 0; user < 10; ++user) {
      mail.senders = {"u" + std::to_string(user) + "@in.example"};
      small->sent(mail, kNow + 24h * day);
    }
  }
  EXPECT_EQ(small->fill().evicted, 0u) << "what is worth nothing gave way, and nothing else";
}

TEST_F(CorrespondenceTest, what_was_forgotten_does_not_come_back_when_the_table_is_full) {
  const auto small = open({.entries = 1 << 10});
  for (int day = 0; day < 20; ++day) small->sent(sent(), kNow - (20 - day) * 24h);
  small->set(kUs, kPartner, 0, kNow);
  for (int i = 0; i < 20'000; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".example";
    small->received(received(ReceivedMail::Kind::good, {"a@" + domain, domain}), kNow);
  }
  EXPECT_FALSE(known(*small).pair.any());
}

// DOORWARD_ENTRIES=10000000: the size that a provider has. Memory is what the table takes, and what is weak gives way.
TEST_F(CorrespondenceTest, a_full_table_keeps_the_strongest) {
  const char* const wanted = std::getenv("DOORWARD_ENTRIES");
  const size_t entries = wanted != nullptr ? std::stoul(wanted) : 1 << 13;
  const auto full = open({.entries = entries});
  for (int day = 0; day < 20; ++day) full->sent(sent(), kNow - (20 - day) * 24h);
  for (size_t i = 0; i < entries; ++i) {
    const std::string domain = "d" + std::to_string(i) + ".example";
    full->received(received(ReceivedMail::Kind::good, {"a@" + domain, domain}), kNow);
  }
  EXPECT_GT(full->fill().evicted, 0u);
  EXPECT_LE(full->fill().used, full->fill().entries);
  EXPECT_LE(full->fill().entries, entries + 8);
  EXPECT_GT(known(*full).pair.level, 40);
}

}  // namespace
}  // namespace doorward::trust
