// The power goes at every moment of a run: before and after each operation that the spool does to its disk. Of what was
// not durable then nothing survives, or each prefix down to the block of 512 octets, or some blocks and some names by
// chance. Whatever was acknowledged
// must be found each time, with its content, and what had ended durably must stay gone; a second cut during recovery
// changes nothing. DOORWARD_CUTS says how many random outcomes are tried a moment (3).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "spool/spool_fixture.h"

namespace doorward::spool {
namespace {

using namespace std::chrono_literals;
using Kind = Outcome::Kind;

class PowerCut : public SpoolTest {
 protected:
  static constexpr size_t kMostPrefixes = 64;    // a moment
  using Place = std::pair<std::string, size_t>;  // id, recipient

  PowerCut() {
    options_.segment = 4096;
    options_.budget = 256 << 10;
    if (const char* given = std::getenv("DOORWARD_CUTS")) random_ = static_cast<size_t>(std::atoi(given));
    disk_.on_change = [this] { cut(); };
  }
  ~PowerCut() override { spool_.reset(); }  // before what its last writes are checked against

  // A mail to as many recipients, with a content of its own; acknowledged when this returns.
  std::string send(size_t recipients, size_t octets) {
    std::vector<std::string> addresses;
    for (size_t i = 0; i < recipients; ++i) addresses.push_back(fmt::format("r{}@in.example", i));
    auto mail = mail_to(addresses, clock_.now());
    const std::string content = fmt::format("{} {}", mail->id, std::string(octets, 'x'));
    {
      const std::lock_guard held(lock_);
      contents_[mail->id] = content;
    }
    if (!commit(*spool_, mail, content_of(content))) return {};
    const std::lock_guard held(lock_);
    for (size_t i = 0; i < recipients; ++i) promised_.insert({mail->id, i});
    return mail->id;
  }
  // Takes what is due and delivers the first recipient of each, or all.
  void deliver_some(size_t jobs, bool all) {
    for (size_t i = 0; i < jobs; ++i) {
      const auto job = spool_->take(Spool::For::delivery);
      if (!job) return;
      std::vector<Outcome> outcomes;
      for (const size_t recipient : job->recipients) {
        outcomes.push_back(outcome(recipient, all || recipient == 0 ? Kind::delivered : Kind::retry, "later"));
        if (outcomes.back().kind != Kind::delivered) continue;
        const std::lock_guard held(lock_);
        promised_.erase({job->mail->id, recipient});  // a cut may still bring it back
        ending_.insert({job->mail->id, recipient});
      }
      spool_->report(*job, std::move(outcomes), Health::good);
    }
  }
  // An administrator's word is durable when he is told so, and with it all that was reported before.
  void remove(const std::string& id) {
    Filter filter;
    filter.ids = {id};
    std::set<Place> ended;
    {
      const std::lock_guard held(lock_);
      for (size_t i = 0; i < 3; ++i) {
        promised_.erase({id, i});
        ending_.insert({id, i});
      }
      ended = ending_;
    }
    ASSERT_EQ(spool_->remove(filter), 1U);
    const std::lock_guard held(lock_);
    ended_.insert(ended.begin(), ended.end());
  }

  // On whatever thread changes the disk.
  void cut() {
    const std::lock_guard held(lock_);
    ++moments_;
    check(*disk_.after_power_cut(dice_, 0));
    // Each prefix of what was written, the last write torn at each block; of very long ones every so many.
    const size_t blocks = disk_.unsynced_blocks(), stride = blocks / kMostPrefixes + 1;
    for (size_t let_through = 0; let_through < blocks; let_through += stride) check(*disk_.after_prefix(let_through));
    check(*disk_.after_prefix(blocks));
    for (size_t i = 0; i < random_; ++i) check(*disk_.after_power_cut(dice_, 0.5));
  }
  void check(journal::FakeDisk& disk) {
    if (testing::Test::HasFailure()) return;  // one is enough
    ++cuts_;
    // Recovery itself is cut too, now and then.
    if (cuts_ % 16 == 0) {
      std::vector<std::unique_ptr<journal::FakeDisk>> during;
      disk.on_change = [&] { during.push_back(disk.after_power_cut(dice_, 0.5)); };
      look(disk);
      disk.on_change = nullptr;
      for (const auto& again : during) look(*again);
    }
    look(disk);
  }
  void look(journal::FakeDisk& disk) {
    auto spool = Spool::open(options_, at_the_cut_, disk);
    ASSERT_TRUE(spool) << spool.error().text();
    std::set<Place> found;
    for (const auto& listed : (*spool)->list({}, SIZE_MAX)) {
      for (const auto& part : listed.parts)
        for (const size_t recipient : part.recipients) found.insert({listed.mail->id, recipient});
      const auto content = (*spool)->read(*listed.mail);
      ASSERT_TRUE(content) << listed.mail->id << ": " << content.error().text();
      ASSERT_EQ((*content)->raw(), contents_[listed.mail->id]);
    }
    for (const auto& [id, recipient] : promised_)
      ASSERT_TRUE(found.contains({id, recipient})) << "lost: " << id << " " << recipient << " at moment " << moments_;
    for (const auto& [id, recipient] : ended_)
      ASSERT_FALSE(found.contains({id, recipient})) << "back: " << id << " " << recipient << " at moment " << moments_;
  }
  void report(size_t least) const {
    std::printf("%zu moments, %zu cuts\n", moments_, cuts_);
    EXPECT_GT(moments_, least);
  }
  void wait_for_cleaning(size_t files) {
    for (int i = 0; i < 200 && disk_.names().size() > files; ++i) std::this_thread::sleep_for(20ms);
  }

  const ManualClock at_the_cut_{clock_.now()};  // the other one moves while the spool's threads look
  std::mutex lock_;                             // of what follows
  std::mt19937_64 dice_{42};
  size_t random_ = 3;
  size_t moments_ = 0, cuts_ = 0;
  std::map<std::string, std::string> contents_;
  std::set<Place> promised_;  // acknowledged, and nothing says otherwise
  std::set<Place> ending_;    // delivered or removed, perhaps not durably yet
  std::set<Place> ended_;     // durably
  std::unique_ptr<Spool> spool_;
};

TEST_F(PowerCut, WhileMailComesAndGoes) {
  spool_ = open(disk_);
  std::vector<std::string> ids;
  for (size_t i = 0; i < 16; ++i) {
    ids.push_back(send(i % 3 + 1, i * 97 % 1500));
    if (i % 3 == 2) deliver_some(2, false);
    if (i % 5 == 4) remove(ids[i - 2]);
  }
  clock_.advance(10min);
  deliver_some(20, true);
  remove(send(1, 10));
  spool_.reset();
  cut();
  report(100);
}

TEST_F(PowerCut, WhileSegmentsAreSealedAndCleaned) {
  spool_ = open(disk_);
  // These live on, spread over the segments that are cleaned.
  std::set<std::string> kept;
  for (size_t i = 0; i < 40; ++i) {
    const std::string id = send(i % 3 + 1, 300 + i * 53 % 900);
    if (i % 8 == 0 || i < 3) {
      kept.insert(id);
      Filter filter;
      filter.ids = {id};
      ASSERT_EQ(spool_->hold(filter), 1U);
    }
    deliver_some(1, i % 4 != 0);
    if (i == 8) {  // their progress comes long after their mail, and is all that says who has it already
      spool_->release({});
      kept.clear();
      deliver_some(20, false);
    }
    if (i % 5 == 4) remove(send(1, 1));
    if (i % 10 == 9) wait_for_cleaning(8);
  }
  clock_.advance(10min);
  deliver_some(100, true);
  remove(send(1, 10));
  wait_for_cleaning(8);
  EXPECT_FALSE(disk_.has("spool/0000000000000001.journal")) << "the first segment, in which one lives, was cleaned";
  for (const auto& id : kept) remove(id);
  spool_.reset();
  cut();
  report(200);
}

TEST_F(PowerCut, WhileTheDiskFailsAndFillsUp) {
  spool_ = open(disk_);
  std::vector<std::string> ids;
  for (size_t i = 0; i < 6; ++i) ids.push_back(send(2, 400));
  disk_.syncs_fail = true;
  EXPECT_EQ(send(2, 400), "");
  deliver_some(2, true);
  disk_.syncs_fail = false;
  for (size_t i = 0; i < 4; ++i) ids.push_back(send(1, 700));
  disk_.writes_fail = true;
  EXPECT_EQ(send(1, 700), "");
  disk_.writes_fail = false;
  ids.push_back(send(3, 100));
  disk_.capacity = disk_.octets() + 1000;
  EXPECT_EQ(send(1, 3000), "");
  disk_.capacity = UINT64_MAX;
  ids.push_back(send(1, 3000));
  std::this_thread::sleep_for(2500ms);  // it was careful for two seconds; what the disk did not take is written then
  remove(send(1, 1));
  deliver_some(20, true);
  remove(send(1, 1));
  spool_.reset();
  cut();
  report(80);
}

// Not a cut, but the same disk: one that removes nothing is asked again after a while, not all the time.
TEST_F(SpoolTest, ADiskThatRemovesNothingIsLeftAlone) {
  options_.segment = 4096;
  disk_.removes_fail = true;
  const auto spool = open(disk_);
  for (size_t i = 0; i < 8; ++i) {
    ASSERT_TRUE(commit(*spool, mail_to({"a@in.example"}, clock_.now()), content_of(std::string(1500, 'x'))));
  }
  EXPECT_EQ(spool->remove({}), 8U);
  std::this_thread::sleep_for(800ms);
  EXPECT_GE(disk_.removes, 1U);
  EXPECT_LT(disk_.removes, 20U);
}

}  // namespace
}  // namespace doorward::spool
