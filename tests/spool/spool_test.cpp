#include "spool/spool.h"

#include <gmock/gmock.h>

#include <thread>

#include "spool_fixture.h"

namespace doorward::spool {
namespace {

using namespace std::chrono_literals;
using Kind = Outcome::Kind;
using testing::ElementsAre;

TEST_F(SpoolTest, WhatIsCommittedIsDeliveredFromMemoryAndThenGone) {
  auto spool = open(disk_);
  const auto id = put(*spool, {"bob@in.example", "carol@in.example"});
  auto job = spool->take(Spool::For::delivery);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->mail->id, id);
  EXPECT_THAT(job->recipients, ElementsAre(0U, 1U));
  ASSERT_TRUE(job->content);
  EXPECT_EQ(whole(*job->content), "Received: here\r\nSubject: Hello\r\n\r\nx\r\n");
  EXPECT_FALSE(spool->take(Spool::For::delivery)) << "it is out";
  deliver(*spool, *job);
  EXPECT_EQ(spool->figures().mails, 0U);
  EXPECT_EQ(spool->figures().recipients, 0U);
  EXPECT_EQ(spool->figures().content_in_memory, 0U);
}

TEST_F(SpoolTest, EverythingIsThereAfterAPowerCut) {
  std::mt19937_64 dice(1);
  std::string id;
  std::unique_ptr<journal::FakeDisk> cut;
  {
    auto spool = open(disk_);
    auto mail = std::make_shared<Mail>(*mail_to({"bob@in.example", "carol@in.example"}, clock_.now()));
    mail->envid = "QQ314159";
    mail->ret = mail::DsnReturn::headers;
    mail->smtputf8 = mail->may_bounce = true;
    mail->recipients[1].to.notify = {true, false, true, true, false};
    mail->recipients[1].to.orcpt = "rfc822;carol@elsewhere.example";
    mail->recipients[1].customer = 7;
    id = mail->id;
    ASSERT_TRUE(commit(*spool, mail, content_of("raw")));
    cut = disk_.after_power_cut(dice, 0);
  }
  auto spool = open(*cut);
  auto job = spool->take(Spool::For::delivery);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->mail->id, id);
  EXPECT_EQ(job->mail->envid, "QQ314159");
  EXPECT_EQ(job->mail->ret, mail::DsnReturn::headers);
  EXPECT_TRUE(job->mail->smtputf8 && job->mail->may_bounce);
  EXPECT_EQ(job->mail->from.text(), "alice@out.example");
  const auto& carol = job->mail->recipients[1];
  EXPECT_TRUE(carol.to.notify.given && carol.to.notify.success && carol.to.notify.failure && !carol.to.notify.delay);
  EXPECT_EQ(carol.to.orcpt, "rfc822;carol@elsewhere.example");
  EXPECT_EQ(carol.customer, 7U);
  EXPECT_FALSE(job->content) << "what was not in memory is read";
  EXPECT_EQ(whole(**spool->read(*job->mail)), "Received: here\r\nraw");
}

TEST_F(SpoolTest, EachRecipientHasAFateOfTheirOwnAndItIsRemembered) {
  std::string id;
  {
    auto spool = open(disk_);
    id = put(*spool, {"a@in.example", "b@in.example", "c@in.example", "d@in.example"});
    const auto job = spool->take(Spool::For::delivery);
    spool->report(*job,
                  {outcome(0, Kind::delivered), outcome(1, Kind::retry, "come back"), outcome(2, Kind::stranded),
                   outcome(3, Kind::failed)},
                  Health::good);
  }
  auto spool = open(disk_);
  const auto listed = spool->list({}, 10);
  ASSERT_EQ(listed.size(), 1U);
  std::vector<Fate> fates;
  for (const auto& recipient : listed[0].mail->recipients) fates.push_back(recipient.fate);
  EXPECT_THAT(fates, ElementsAre(Fate::delivered, Fate::waiting, Fate::stranded, Fate::failed));
  ASSERT_EQ(listed[0].parts.size(), 1U);
  EXPECT_EQ(listed[0].parts[0].last_reply, "450 4.2.0 come back");
  EXPECT_EQ(listed[0].parts[0].attempts, 1U);
  EXPECT_FALSE(spool->take(Spool::For::delivery)) << "its time has not come";
  clock_.advance(2min);
  auto job = spool->take(Spool::For::delivery);
  ASSERT_TRUE(job);
  EXPECT_THAT(job->recipients, ElementsAre(1U));
  deliver(*spool, *job);
  EXPECT_EQ(spool->figures().stranded, 1U);
  clock_.advance(std::chrono::days(30));
  EXPECT_FALSE(spool->take(Spool::For::delivery)) << "what is stranded waits for a person";

  Filter all;
  EXPECT_EQ(spool->release(all), 1U);
  job = spool->take(Spool::For::delivery);
  ASSERT_TRUE(job);
  EXPECT_THAT(job->recipients, ElementsAre(2U));
  EXPECT_FALSE(job->expired);
  deliver(*spool, *job);
  EXPECT_EQ(spool->figures().mails, 0U);
}

TEST_F(SpoolTest, PausesGrowUpToTheLongest) {
  auto spool = open(disk_);
  put(*spool);
  std::vector<int64_t> pauses;
  auto before = clock_.now();
  for (int i = 0; i < 20; ++i) {
    auto job = spool->take(Spool::For::delivery);
    for (; !job; job = spool->take(Spool::For::delivery)) clock_.advance(5s);
    pauses.push_back((clock_.now() - before) / 1s);
    before = clock_.now();
    spool->report(*job, {}, Health::good);
  }
  EXPECT_EQ(pauses[0], 0);
  EXPECT_NEAR(static_cast<double>(pauses[1]), 60, 10);
  EXPECT_NEAR(static_cast<double>(pauses[2]), 102, 12);
  EXPECT_GT(pauses[6], pauses[5]);
  EXPECT_NEAR(static_cast<double>(pauses.back()), 4 * 3600, 800);
}

TEST_F(SpoolTest, ADeadDestinationIsAskedWithOneMailAtATimeAndDelaysNobody) {
  auto spool = open(disk_);
  for (int i = 0; i < 50; ++i) put(*spool, {"x@dead.example"}, {Destination::Kind::mx, "dead.example"});
  std::vector<Job> out;
  while (auto job = spool->take(Spool::For::delivery)) out.push_back(std::move(*job));
  EXPECT_EQ(out.size(), options_.first_concurrency);
  for (const Job& job : out) spool->report(job, {}, Health::dead);
  EXPECT_FALSE(spool->take(Spool::For::delivery));
  const auto live = put(*spool);
  auto job = spool->take(Spool::For::delivery);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->mail->id, live);
  deliver(*spool, *job);

  int attempts = 0;
  for (int minute = 0; minute < 60; ++minute) {
    clock_.advance(1min);
    const auto probe = spool->take(Spool::For::delivery);
    if (!probe) continue;
    EXPECT_FALSE(spool->take(Spool::For::delivery)) << "one at a time";
    ++attempts;
    spool->report(*probe, {}, Health::dead);
  }
  EXPECT_GT(attempts, 3);
  EXPECT_LT(attempts, 20);
  clock_.advance(20min);
  EXPECT_EQ(take_all(*spool).size(), 50U) << "one that works opens the lane for all that are due";
}

TEST_F(SpoolTest, LanesTakeTurns) {
  auto spool = open(disk_);
  for (int i = 0; i < 20; ++i) put(*spool, {"x@big.example"}, {Destination::Kind::mx, "big.example"});
  for (int i = 0; i < 2; ++i) put(*spool, {"x@small.example"}, {Destination::Kind::mx, "small.example"});
  std::vector<std::string> order;
  for (int i = 0; i < 4; ++i) {
    auto job = spool->take(Spool::For::delivery);
    order.push_back(job->destination.name);
    deliver(*spool, *job);
  }
  EXPECT_THAT(order, ElementsAre("big.example", "small.example", "big.example", "small.example"));
}

TEST_F(SpoolTest, ConcurrencyGrowsWithSuccessAndHalvesWhenBusy) {
  options_.most_concurrency = 12;
  auto spool = open(disk_);
  for (int i = 0; i < 400; ++i) put(*spool);
  const auto out = [&] {
    std::vector<Job> jobs;
    while (auto job = spool->take(Spool::For::delivery)) jobs.push_back(std::move(*job));
    return jobs;
  };
  size_t most = 0;
  for (int round = 0; round < 20; ++round) {
    const auto jobs = out();
    most = std::max(most, jobs.size());
    for (const auto& job : jobs) deliver(*spool, job);
  }
  EXPECT_EQ(most, 12U);
  for (const auto& job : out()) spool->report(job, {}, Health::busy);
  clock_.advance(2min);
  EXPECT_EQ(out().size(), 1U);
}

TEST_F(SpoolTest, WhatIsTooOldIsHandedOutForALastWordThoughItsDestinationIsDead) {
  auto spool = open(disk_);
  put(*spool);
  spool->report(*spool->take(Spool::For::delivery), {}, Health::dead);
  clock_.advance(options_.lifetime + 1s);
  EXPECT_LE(spool->next_due(), clock_.now());
  const auto job = spool->take(Spool::For::delivery);
  ASSERT_TRUE(job);
  EXPECT_TRUE(job->expired);
  spool->report(*job, {outcome(0, Kind::failed)}, Health::unknown);
  EXPECT_EQ(spool->figures().mails, 0U);
}

TEST_F(SpoolTest, ADelayIsToldOnceToThoseWhoMayBeTold) {
  auto spool = open(disk_);
  auto mail = std::make_shared<Mail>(*mail_to({"bob@in.example"}, clock_.now()));
  mail->may_bounce = true;
  ASSERT_TRUE(commit(*spool, mail, content_of("x")));
  put(*spool);
  while (auto job = spool->take(Spool::For::delivery)) spool->report(*job, {}, Health::dead);
  clock_.advance(options_.warn_after + 1s);
  const auto job = spool->take(Spool::For::delivery);
  ASSERT_TRUE(job);
  EXPECT_TRUE(job->warn_only);
  EXPECT_EQ(job->mail->id, mail->id);
  spool->report(*job, {}, Health::unknown, true);
  size_t later = 0;
  while (auto next = spool->take(Spool::For::delivery)) {
    EXPECT_FALSE(next->warn_only);
    later += 1;
    deliver(*spool, *next);
  }
  EXPECT_EQ(later, 2U) << "both are still delivered";
}

TEST_F(SpoolTest, ReroutedRecipientsGoElsewhereAtOnce) {
  auto spool = open(disk_);
  put(*spool, {"a@in.example", "b@in.example"});
  const auto job = spool->take(Spool::For::delivery);
  Outcome elsewhere = outcome(1, Kind::reroute);
  elsewhere.destination = {Destination::Kind::backend, "200"};
  spool->report(*job, {outcome(0, Kind::delivered), elsewhere}, Health::good);
  const auto next = spool->take(Spool::For::delivery);
  ASSERT_TRUE(next);
  EXPECT_EQ(text(next->destination), "backend:200");
  EXPECT_THAT(next->recipients, ElementsAre(1U));
}

TEST_F(SpoolTest, TheVaultHasATurnOfItsOwn) {
  auto spool = open(disk_);
  put(*spool, {"a@in.example"}, {Destination::Kind::vault, ""});
  EXPECT_FALSE(spool->take(Spool::For::delivery));
  clock_.advance(options_.lifetime + 1h);
  EXPECT_FALSE(spool->take(Spool::For::delivery)) << "what is to be kept does not expire";
  const auto job = spool->take(Spool::For::vault);
  ASSERT_TRUE(job);
  deliver(*spool, *job);
  EXPECT_EQ(spool->figures().mails, 0U);
}

TEST_F(SpoolTest, AnAdministratorHoldsReleasesRetriesRemovesAndReturns) {
  auto spool = open(disk_);
  const auto first = put(*spool), second = put(*spool, {"carol@other.example"});
  Filter only;
  only.ids = {first};
  EXPECT_EQ(spool->hold(only), 1U);
  EXPECT_EQ(take_all(*spool, false), std::set{second});
  EXPECT_EQ(spool->figures().held, 1U);
  EXPECT_EQ(spool->release(only), 1U);
  auto job = spool->take(Spool::For::delivery);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->mail->id, first);
  spool->report(*job, {outcome(0, Kind::retry, "greylisted")}, Health::good);

  Filter by_reason;
  by_reason.reason = "grey";
  EXPECT_EQ(spool->list(by_reason, 10).size(), 1U);
  EXPECT_EQ(spool->retry(by_reason), 1U);
  job = spool->take(Spool::For::delivery);
  ASSERT_TRUE(job);
  spool->report(*job, {}, Health::dead);
  EXPECT_EQ(spool->bounce(only), 1U);
  job = spool->take(Spool::For::delivery);
  ASSERT_TRUE(job) << "though its destination is dead";
  EXPECT_TRUE(job->bounce);
  spool->report(*job, {outcome(0, Kind::failed)}, Health::unknown);

  Filter by_recipient;
  by_recipient.recipient = "*@other.example";
  EXPECT_EQ(spool->remove(by_recipient), 1U);
  EXPECT_EQ(spool->figures().mails, 0U);
  spool.reset();
  spool = open(disk_);
  EXPECT_EQ(spool->figures().mails, 0U);
}

TEST_F(SpoolTest, AHeldMailIsHeldAfterARestart) {
  {
    auto spool = open(disk_);
    put(*spool);
    EXPECT_EQ(spool->hold({}), 1U);
  }
  auto spool = open(disk_);
  EXPECT_EQ(spool->figures().held, 1U);
  EXPECT_FALSE(spool->take(Spool::For::delivery));
}

TEST_F(SpoolTest, AFailedCommitIsToldAndNothingIsScheduled) {
  auto spool = open(disk_);
  disk_.writes_fail = true;
  EXPECT_FALSE(commit(*spool, mail_to({"bob@in.example"}, clock_.now()), content_of("x")));
  EXPECT_FALSE(spool->take(Spool::For::delivery));
  EXPECT_FALSE(spool->has_room(1));
  disk_.writes_fail = false;
  put(*spool);
  EXPECT_TRUE(spool->take(Spool::For::delivery));
}

TEST_F(SpoolTest, SpaceIsWonBackAndWhatLivesIsMoved) {
  auto spool = open(disk_);
  auto kept = mail_to({"kept@in.example"}, clock_.now());
  ASSERT_TRUE(commit(*spool, kept, content_of("kept content")));
  Filter hold;
  hold.ids = {kept->id};
  ASSERT_EQ(spool->hold(hold), 1U);
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(commit(*spool, mail_to({"b@in.example"}, clock_.now()), content_of(std::string(2000, 'x'))));
    take_all(*spool);
  }
  for (int i = 0; i < 100 && spool->figures().disk > 20 * options_.segment; ++i) std::this_thread::sleep_for(50ms);
  EXPECT_LE(spool->figures().disk, 20 * options_.segment) << "of some 800 kB written";
  EXPECT_EQ(whole(**spool->read(*kept)), "Received: here\r\nkept content");
  spool.reset();
  spool = open(disk_);
  EXPECT_EQ(spool->figures().mails, 1U);
  EXPECT_EQ(spool->figures().held, 1U);
  EXPECT_EQ(whole(**spool->read(*kept)), "Received: here\r\nkept content");
}

TEST_F(SpoolTest, WhatIsReadWhileItIsMovedIsReadWhereItIsThen) {
  options_.memory = 0;
  // Whoever opens the first segment to read that mail stops, until the cleaner has moved it and dropped the file.
  const std::string first = "spool/0000000000000001.journal";
  const auto reader = std::this_thread::get_id();
  size_t stopped = 0;
  disk_.on_open = [&](const std::string& path) {
    if (path != first || std::this_thread::get_id() != reader) return;
    ++stopped;
    for (int i = 0; i < 200 && disk_.has(first); ++i) std::this_thread::sleep_for(50ms);
  };
  auto spool = open(disk_);
  auto kept = mail_to({"kept@in.example"}, clock_.now());
  ASSERT_TRUE(commit(*spool, kept, content_of("kept content")));
  const auto fill = [&] {
    for (int i = 0; i < 100; ++i) {
      const auto gone = mail_to({"b@in.example"}, clock_.now(), {Destination::Kind::backend, "200"});
      ASSERT_TRUE(commit(*spool, gone, content_of(std::string(2000, 'x'))));
      Filter filter;
      filter.ids = {gone->id};
      ASSERT_EQ(spool->remove(filter), 1U);
    }
  };
  fill();
  const auto job = spool->take(Spool::For::delivery);
  EXPECT_EQ(stopped, 1U);
  ASSERT_TRUE(job) << "it was not taken for unreadable";
  EXPECT_EQ(job->mail->id, kept->id);
  EXPECT_EQ(whole(**spool->read(*kept)), "Received: here\r\nkept content");
  EXPECT_EQ(spool->figures().held, 0U);
}

TEST_F(SpoolTest, TheCleanerMovesALittleAtATime) {
  options_.segment = 20 << 20;
  options_.budget = 200 << 20;
  options_.memory = 0;
  auto spool = open(disk_);
  std::set<std::string> kept;
  const auto big = std::make_shared<std::string>(1 << 20, 'x');
  for (int i = 0; i < 18; ++i) {
    const auto mail = mail_to({"b@in.example"}, clock_.now());
    ASSERT_TRUE(commit(*spool, mail, content_of(*big)));
    if (i % 2 == 0) kept.insert(mail->id);
  }
  Filter others;
  for (const auto& listed : spool->list({}, 100))
    if (!kept.contains(listed.mail->id)) others.ids.push_back(listed.mail->id);
  ASSERT_EQ(spool->remove(others), 9U);
  const std::string first = disk_.names().front();
  // More garbage, until cleaning pays.
  disk_.largest_write = 0;
  for (int i = 0; i < 60 && disk_.has(first); ++i) {
    const auto mail = mail_to({"b@in.example"}, clock_.now());
    ASSERT_TRUE(commit(*spool, mail, content_of(*big)));
    Filter filter;
    filter.ids = {mail->id};
    ASSERT_EQ(spool->remove(filter), 1U);
  }
  for (int i = 0; i < 200 && disk_.has(first); ++i) std::this_thread::sleep_for(50ms);
  ASSERT_FALSE(disk_.has(first));
  EXPECT_LE(disk_.largest_write, uint64_t{7} << 20) << "four mails and what came meanwhile";
  EXPECT_EQ(take_all(*spool), kept);
}

TEST_F(SpoolTest, AnEndThatTheDiskDidNotTakeIsWrittenOnceItTakesItAgain) {
  auto spool = open(disk_);
  const auto delivered = put(*spool);
  const auto tried = put(*spool, {"a@in.example", "b@in.example"});
  disk_.syncs_fail = true;
  while (auto job = spool->take(Spool::For::delivery)) {
    if (job->mail->id == delivered) {
      deliver(*spool, *job);
    } else {
      spool->report(*job, {outcome(0, Outcome::Kind::delivered)}, Health::good);
    }
  }
  std::this_thread::sleep_for(200ms);
  disk_.syncs_fail = false;
  std::this_thread::sleep_for(3s);  // it was careful for two
  std::mt19937_64 dice(1);
  auto cut = disk_.after_power_cut(dice, 0);
  auto again = open(*cut);
  EXPECT_EQ(again->figures().mails, 1U);
  clock_.advance(1h);
  const auto job = again->take(Spool::For::delivery);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->mail->id, tried);
  EXPECT_EQ(job->recipients, std::vector<size_t>{1});
}

TEST_F(SpoolTest, WhatDoesNotFitIntoMemoryIsReadFromTheDisk) {
  options_.memory = 10'000;
  auto spool = open(disk_);
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(commit(*spool, mail_to({"b@in.example"}, clock_.now()), content_of(std::string(2000, 'x'))));
  EXPECT_LE(spool->figures().content_in_memory, 10'000U);
  size_t read = 0;
  while (auto job = spool->take(Spool::For::delivery)) {
    const auto content = job->content ? job->content : *spool->read(*job->mail);
    EXPECT_EQ(content->raw().size(), 2000U);
    read += job->content ? 0 : 1;
    deliver(*spool, *job);
  }
  EXPECT_GT(read, 5U);
}

TEST_F(SpoolTest, WhatAContentTakesInMemoryIsCounted) {
  auto spool = open(disk_);
  mail::Content received(1 << 20, "/tmp");  // as one that was received: its buffer is larger than a small mail
  ASSERT_TRUE(received.append("Subject: Hello\r\n\r\nx\r\n") && received.finish());
  const size_t held = received.in_memory();
  ASSERT_GT(held, received.size());
  const auto mail = mail_to({"bob@in.example"}, clock_.now());
  const auto content = std::make_shared<const Content>(std::move(received), std::vector<mime::Edits>(1));
  ASSERT_TRUE(commit(*spool, mail, content));
  EXPECT_GE(spool->figures().content_in_memory, held);
}

TEST_F(SpoolTest, MailsOfADeadDestinationGiveWayInMemory) {
  options_.memory = 20'000;
  auto spool = open(disk_);
  const Destination dead{Destination::Kind::mx, "dead.example"};
  for (int i = 0; i < 20; ++i) put(*spool, {"x@dead.example"}, dead);
  while (auto job = spool->take(Spool::For::delivery)) spool->report(*job, {}, Health::dead);
  const auto live = put(*spool);
  const auto job = spool->take(Spool::For::delivery);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->mail->id, live);
  EXPECT_TRUE(job->content) << "from memory";
}

TEST_F(SpoolTest, ASegmentThatCouldNotBeBegunHoldsUpNoCleaning) {
  auto spool = open(disk_);
  disk_.syncs_fail = true;
  EXPECT_FALSE(commit(*spool, mail_to({"bob@in.example"}, clock_.now()), content_of("x")));
  disk_.syncs_fail = false;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(commit(*spool, mail_to({"b@in.example"}, clock_.now()), content_of(std::string(2000, 'x'))));
    take_all(*spool);
  }
  for (int i = 0; i < 100 && spool->figures().disk > 20 * options_.segment; ++i) std::this_thread::sleep_for(50ms);
  EXPECT_LE(spool->figures().disk, 20 * options_.segment);
}

// Many runs, each cut off at a random moment: whatever was acknowledged before is there, and goes on to be delivered.
TEST_F(SpoolTest, PowerMayFailAtAnyMoment) {
  options_.segment = 4096;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    std::mt19937_64 dice(seed);
    journal::FakeDisk disk;
    std::set<std::string> acknowledged, ended;
    std::unique_ptr<journal::FakeDisk> cut;
    {
      auto spool = open(disk);
      const auto steps = std::uniform_int_distribution(1, 60)(dice);
      for (int i = 0; i < steps; ++i) {
        acknowledged.insert(put(*spool, {"b@in.example", "c@in.example"}));
        if (dice() % 2 == 0) {
          if (auto job = spool->take(Spool::For::delivery)) {
            spool->report(*job, {outcome(0, Kind::delivered), outcome(1, dice() % 2 ? Kind::delivered : Kind::retry)},
                          Health::good);
          }
        }
        if (dice() % 8 == 0) clock_.advance(5min);
        if (dice() % 8 == 0) ended = acknowledged;
        for (const auto& listed : dice() % 8 == 0 ? spool->list({}, SIZE_MAX) : std::vector<Listed>())
          ended.erase(listed.mail->id);
      }
      ended = acknowledged;
      for (const auto& listed : spool->list({}, SIZE_MAX)) ended.erase(listed.mail->id);
      cut = disk.after_power_cut(dice, std::uniform_real_distribution(0.0, 1.0)(dice));
    }
    auto spool = open(*cut);
    std::set<std::string> found;
    for (const auto& listed : spool->list({}, SIZE_MAX)) {
      found.insert(listed.mail->id);
      EXPECT_EQ(listed.mail->recipients[1].fate, Fate::waiting);
      EXPECT_TRUE(spool->read(*listed.mail)) << listed.mail->id;
    }
    for (const auto& id : acknowledged)
      EXPECT_TRUE(found.contains(id) || ended.contains(id)) << "seed " << seed << ": " << id;
  }
}

}  // namespace
}  // namespace doorward::spool
