#include "vault/vault.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "journal/disk.h"
#include "policy/file.h"
#include "policy/model.h"
#include "store/database.h"
#include "vault/cipher.h"
#include "vault/importer.h"

namespace doorward::vault {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kPolicy = R"([[backend]]
name = "main"
address = ["127.0.0.1:2525"]

[[customer]]
name = "C"

[[customer.domain]]
name = "example.org"
backend = "main"
legal = "quarantine"
[[customer.domain.consent]]
mode = "quarantine"
who = "the customer"
when = "2026-01-31"
text = "contract"

[[customer.domain.mailbox]]
address = "short@example.org"
quarantine.keep_days = 3

[[customer.domain]]
name = "strict.example"
backend = "main"
)";

constexpr std::string_view kSecret = "the plain words of a stranger, 4711";

std::shared_ptr<const policy::Snapshot> snapshot() {
  static const auto made = [] {
    auto policy = policy::parse_file(kPolicy, "policy.toml");
    if (!policy) throw std::runtime_error(policy.error().text());
    auto compiled = policy::Snapshot::make(std::move(*policy), "");
    if (!compiled) throw std::runtime_error(compiled.error().text());
    return *compiled;
  }();
  return made;
}

std::shared_ptr<const spool::Content> content(std::string text) {
  std::vector<mime::Edits> versions(1);
  versions[0].prepend("Received: here\r\n");
  return std::make_shared<spool::Content>(mail::Content::of(std::move(text)), std::move(versions));
}

std::shared_ptr<spool::Mail> mail_to(const std::string& id, std::initializer_list<const char*> recipients) {
  auto mail = std::make_shared<spool::Mail>();
  mail->id = id;
  mail->from = {*mail::parse_mailbox("sender@remote.example"), false};
  mail->subject = "Win a prize";
  mail->client_ip = "192.0.2.7";
  mail->received_at = SystemTime(1'700'000'000s);
  for (const char* text : recipients) {
    spool::Recipient recipient;
    recipient.to.mailbox = *mail::parse_mailbox(text);
    recipient.given = text;
    recipient.destination.kind = spool::Destination::Kind::vault;
    recipient.customer = recipient.to.mailbox.domain.key() == "example.org" ? 7 : 8;
    recipient.domain = 70;
    recipient.klass = sheet::Class::spam;
    recipient.disposition = sheet::Disposition::quarantine;
    mail->recipients.push_back(std::move(recipient));
  }
  return mail;
}

class VaultTest : public testing::Test {
 protected:
  VaultTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "doorward-vault-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    reopen();
  }
  ~VaultTest() override {
    vault_.reset();
    std::filesystem::remove_all(folder_);
  }

  void reopen() {
    vault_.reset();
    Options options;
    options.directory = folder_ + "/vault";
    options.reserve = 0;
    options.segment = segment_;
    options.budget = budget_;
    auto opened = Vault::open(options, clock_, journal::real_disk());
    if (!opened) throw std::runtime_error(opened.error().text());
    vault_ = std::move(*opened);
  }
  std::vector<Kept> keep(std::shared_ptr<const spool::Mail> mail, std::shared_ptr<const spool::Content> body) {
    std::vector<size_t> all;
    for (size_t i = 0; i < mail->recipients.size(); ++i) all.push_back(i);
    const Incoming incoming{std::move(mail), std::move(body), 0, all};
    auto kept = vault_->keep({&incoming, 1}, *snapshot());
    if (!kept) throw std::runtime_error(kept.error().text());
    return *kept;
  }
  std::string keep_one(const std::string& id = "MAIL1") {
    return keep(mail_to(id, {"a@example.org"}), content(std::string(kSecret) + id)).at(0).id;
  }
  // All that lies on disk.
  std::string files() const {
    std::stringstream all;
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder_)) {
      if (file.is_regular_file() && file.file_size() > 0) all << std::ifstream(file.path()).rdbuf();
    }
    return all.str();
  }
  // As a disk does that loses a block: in the middle of that entry's content.
  void damage(const std::string& id) {
    auto reader = store::Database::open(folder_ + "/vault/vault.db");
    auto select = (*reader)->prepare(
        "SELECT b.segment, b.start, b.head, b.octets FROM vault_bodies b JOIN vault_keys k ON k.body = b.id "
        "WHERE k.entry = $1");
    ASSERT_TRUE(*select->bind(1, id).step());
    char name[32];
    std::snprintf(name, sizeof name, "%016lx.journal", static_cast<unsigned long>(select->integer(0)));
    std::fstream file(folder_ + "/vault/bodies/" + name, std::ios::in | std::ios::out | std::ios::binary);
    ASSERT_TRUE(file) << name;
    file.seekp(select->integer(1) + select->integer(2) + select->integer(3) / 2);
    file << "damage";
  }
  size_t set_aside() const {
    size_t count = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder_ + "/vault/bodies")) {
      count += file.path().extension() == ".damaged" ? 1U : 0U;
    }
    return count;
  }
  Commit committing() {
    return [this](std::shared_ptr<const spool::Mail> mail, std::shared_ptr<const spool::Content> body) -> Result<void> {
      if (broken_) return fail("the queue is full");
      std::string text;
      for (const auto piece : body->pieces(0)) text += piece;
      sent_.emplace_back(std::move(mail), std::move(text));
      return {};
    };
  }

  std::string folder_;
  ManualClock clock_{SystemTime(1'700'000'100s)};
  std::unique_ptr<Vault> vault_;
  std::vector<std::pair<std::shared_ptr<const spool::Mail>, std::string>> sent_;
  bool broken_ = false;
  uint64_t segment_ = uint64_t{64} << 20, budget_ = uint64_t{10} << 30;
};

TEST_F(VaultTest, IsKeptAsLongAsItsRecipientsSettingsSay) {
  const auto kept = keep(mail_to("01HF7YAT00ABCDEFGHJKMNPQRS", {"a@example.org", "short@example.org"}), content("x"));
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(vault_->show(kept[0].id)->expires, clock_.now() + 24h * 30);
  EXPECT_EQ(vault_->show(kept[1].id)->expires, clock_.now() + 24h * 3);
}

TEST_F(VaultTest, KeepsWhatTheRecipientWouldHaveGot) {
  const auto id = keep_one();
  auto entry = vault_->show(id);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->recipient, "a@example.org");
  EXPECT_EQ(entry->sender, "sender@remote.example");
  EXPECT_EQ(entry->klass, sheet::Class::spam);
  EXPECT_EQ(entry->expires, clock_.now() + 24h * 30);
  EXPECT_EQ(entry->size, std::string_view("Received: here\r\n").size() + kSecret.size() + 5);
  EXPECT_EQ(*vault_->content(id), "Received: here\r\n" + std::string(kSecret) + "MAIL1");
  reopen();
  EXPECT_EQ(*vault_->content(id), "Received: here\r\n" + std::string(kSecret) + "MAIL1");
}

TEST_F(VaultTest, PlainTextIsInNoFile) {
  keep_one();
  const std::string all = files();
  EXPECT_GT(all.size(), 1000U);
  EXPECT_THAT(all, HasSubstr("Win a prize"));  // metadata are: the search would find it
  EXPECT_THAT(all, testing::Not(HasSubstr(kSecret)));
}

TEST_F(VaultTest, DeletionErasesTheKeyEverywhere) {
  const auto id = keep_one();
  // The key as it lies in the database, to look for it afterwards.
  std::string key;
  {
    auto database = store::Database::open(folder_ + "/vault/vault.db");
    auto select = (*database)->prepare("SELECT secret FROM vault_keys");
    ASSERT_TRUE(*select->step());
    key = select->text(0);
  }
  ASSERT_EQ(key.size(), kKey);
  ASSERT_NE(files().find(key), std::string::npos);
  ASSERT_TRUE(vault_->remove(id));
  EXPECT_EQ(files().find(key), std::string::npos);
  EXPECT_EQ(files().find("Win a prize"), std::string::npos);
  EXPECT_FALSE(vault_->content(id));
  EXPECT_EQ(vault_->show(id)->state, State::deleted);
  auto again = vault_->remove(id);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().text(), HasSubstr("deleted on 2023-11-14"));
}

TEST_F(VaultTest, ASharedBodyStaysUntilItsLastEntryIsGone) {
  const auto kept = keep(mail_to("M", {"a@example.org", "b@example.org"}), content("shared"));
  ASSERT_EQ(kept.size(), 2U);
  ASSERT_TRUE(vault_->remove(kept[0].id));
  EXPECT_FALSE(vault_->content(kept[0].id));
  EXPECT_EQ(*vault_->content(kept[1].id), "Received: here\r\nshared");
  reopen();
  EXPECT_TRUE(vault_->content(kept[1].id));
}

TEST_F(VaultTest, ARepeatedImportMakesNoSecondEntry) {
  const auto mail = mail_to("M", {"a@example.org", "a@example.org", "b@example.org"});
  const auto first = keep(mail, content("text"));
  ASSERT_EQ(first.size(), 3U);
  const auto second = keep(mail, content("text"));
  for (const auto& one : second) EXPECT_EQ(one.what, Kept::What::known);
  EXPECT_EQ(*vault_->count(State::kept), 2U);
  // Nor does the sender's retry: another mail, the same content.
  EXPECT_EQ(keep(mail_to("N", {"a@example.org"}), content("text")).at(0).what, Kept::What::known);
  EXPECT_EQ(keep(mail_to("O", {"c@example.org"}), content("text")).at(0).what, Kept::What::made);
  // Nor an import that is repeated after the entry was deleted; what is sent anew after that is a new one.
  const auto entry = vault_->list({.mail = "O"}, 9)->at(0).id;
  ASSERT_TRUE(vault_->remove(entry));
  EXPECT_EQ(keep(mail_to("O", {"c@example.org"}), content("text")).at(0).what, Kept::What::known);
  EXPECT_EQ(keep(mail_to("P", {"c@example.org"}), content("text")).at(0).what, Kept::What::made);
}

TEST_F(VaultTest, WhatStandsForAnotherMailIsKeptAsLongAsThatOneWouldBe) {
  const auto first = keep(mail_to("M", {"short@example.org"}), content("text")).at(0);  // three days
  clock_.advance(2 * 24h);
  const auto again = keep(mail_to("N", {"short@example.org"}), content("text")).at(0);
  EXPECT_EQ(again.what, Kept::What::known);
  EXPECT_EQ(again.id, first.id);
  clock_.advance(2 * 24h);
  EXPECT_EQ(*vault_->sweep(), 0U);
  EXPECT_TRUE(vault_->content(first.id));
  clock_.advance(24h);
  EXPECT_EQ(*vault_->sweep(), 1U);
}

TEST_F(VaultTest, WhatCannotBeReadStandsForNoOtherMail) {
  const std::string text(20'000, 'x');
  const auto first = keep(mail_to("M", {"a@example.org"}), content(text)).at(0);
  damage(first.id);
  ASSERT_FALSE(vault_->content(first.id));
  const auto again = keep(mail_to("N", {"a@example.org"}), content(text)).at(0);
  EXPECT_EQ(again.what, Kept::What::made);
  EXPECT_EQ(*vault_->content(again.id), "Received: here\r\n" + text);
  EXPECT_EQ(keep(mail_to("O", {"a@example.org"}), content(text)).at(0).id, again.id);
}

TEST_F(VaultTest, WithoutRoomNothingIsKept) {
  budget_ = 100'000;
  reopen();
  const auto mail = mail_to("M", {"a@example.org"});
  const Incoming incoming{mail, content(std::string(200'000, 'x')), 0, {0}};
  const auto kept = vault_->keep({&incoming, 1}, *snapshot());
  ASSERT_FALSE(kept);
  EXPECT_THAT(kept.error().text(), HasSubstr("no room"));
  EXPECT_EQ(*vault_->count(State::kept), 0U);
  EXPECT_FALSE(keep_one().empty());
}

TEST_F(VaultTest, ABodyThatCannotBeReadIsNotInTheWayOfTheOthers) {
  segment_ = 64 * 1024;
  reopen();
  std::vector<std::string> ids;
  for (int i = 0; i < 40; ++i) {
    const std::string id = "M" + std::to_string(i);
    ids.push_back(keep(mail_to(id, {"a@example.org"}), content(id + std::string(8'000, 'x'))).at(0).id);
  }
  damage(ids[1]);
  for (size_t i = 3; i < ids.size() - 1; ++i) ASSERT_TRUE(vault_->remove(ids[i]));
  const auto files_before = std::distance(std::filesystem::directory_iterator(folder_ + "/vault/bodies"), {});
  EXPECT_TRUE(vault_->sweep());
  EXPECT_EQ(set_aside(), 0U) << "it may be readable again";
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(vault_->sweep());
  EXPECT_EQ(set_aside(), 1U);
  EXPECT_LT(std::distance(std::filesystem::directory_iterator(folder_ + "/vault/bodies"), {}), files_before / 2);
  for (const size_t readable : {size_t{0}, size_t{2}, ids.size() - 1}) EXPECT_TRUE(vault_->content(ids[readable]));
  EXPECT_FALSE(vault_->content(ids[1]));
  reopen();
  for (const size_t readable : {size_t{0}, size_t{2}, ids.size() - 1}) EXPECT_TRUE(vault_->content(ids[readable]));
  EXPECT_TRUE(vault_->remove(ids[1]));
}

TEST_F(VaultTest, OnlyWhereTheLegalModeIsQuarantine) {
  const auto kept = keep(mail_to("M", {"a@strict.example", "a@example.org", "a@elsewhere.example"}), content("x"));
  std::array<Kept::What, 3> what{};
  for (const auto& one : kept) what.at(one.recipient) = one.what;
  EXPECT_THAT(what, testing::ElementsAre(Kept::What::forbidden, Kept::What::made, Kept::What::forbidden));
  EXPECT_EQ(*vault_->count(State::kept), 1U);
}

TEST_F(VaultTest, ExpiresAndForgets) {
  const auto id = keep_one();
  clock_.advance(24h * 30 - 1s);
  EXPECT_EQ(*vault_->sweep(), 0U);
  clock_.advance(1s);
  EXPECT_EQ(*vault_->sweep(), 1U);
  EXPECT_FALSE(vault_->content(id));
  EXPECT_EQ(vault_->show(id)->state, State::expired);
  EXPECT_EQ(vault_->show(id)->subject, "");
  clock_.advance(24h * 8 + 1s);
  EXPECT_EQ(*vault_->sweep(), 0U);
  EXPECT_FALSE(vault_->show(id));
}

TEST_F(VaultTest, ListsByTenantWildcardAndTime) {
  keep(mail_to("M1", {"ann@example.org"}), content("1"));
  auto later = mail_to("M2", {"bob@example.org"});
  later->received_at += 1h;
  later->subject = "Invoice";
  keep(later, content("2"));
  const auto ids = [&](const Filter& filter) {
    std::vector<std::string> mails;
    for (const auto& entry : *vault_->list(filter, 10)) mails.push_back(entry.mail);
    return mails;
  };
  EXPECT_THAT(ids({}), testing::ElementsAre("M2", "M1"));
  EXPECT_THAT(ids({.customer = 7}), testing::SizeIs(2));
  EXPECT_THAT(ids({.customer = 8}), testing::IsEmpty());
  EXPECT_THAT(ids({.recipient = "ANN@*"}), testing::ElementsAre("M1"));
  EXPECT_THAT(ids({.sender = "*@remote.example"}), testing::SizeIs(2));
  EXPECT_THAT(ids({.subject = "invoice"}), testing::ElementsAre("M2"));
  EXPECT_THAT(ids({.domain = "strict.example"}), testing::IsEmpty());
  EXPECT_THAT(ids({.since = SystemTime(1'700'000'000s) + 30min}), testing::ElementsAre("M2"));
  EXPECT_THAT(ids({.until = SystemTime(1'700'000'000s) + 30min}), testing::ElementsAre("M1"));
  EXPECT_THAT(ids({.klass = sheet::Class::virus}), testing::IsEmpty());
  EXPECT_EQ(vault_->list({}, 1)->size(), 1U);
}

TEST_F(VaultTest, ReleasesOnce) {
  const auto id = keep_one();
  auto released = vault_->release(id, *snapshot(), committing());
  ASSERT_TRUE(released) << released.error().text();
  EXPECT_EQ(released->state, State::released);
  EXPECT_EQ(released->releases, 1U);
  ASSERT_EQ(sent_.size(), 1U);
  const auto& [mail, text] = sent_[0];
  EXPECT_EQ(mail->from.text(), "sender@remote.example");
  EXPECT_FALSE(mail->may_bounce);
  ASSERT_EQ(mail->recipients.size(), 1U);
  EXPECT_EQ(mail->recipients[0].to.mailbox.text(), "a@example.org");
  EXPECT_EQ(mail->recipients[0].destination.kind, spool::Destination::Kind::backend);
  EXPECT_EQ(text.find("X-Doorward-Released: " + id), 0U);
  EXPECT_THAT(text, HasSubstr("\r\nReceived: here\r\n" + std::string(kSecret)));
  auto again = vault_->release(id, *snapshot(), committing());
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().text(), HasSubstr("was released on"));
  EXPECT_EQ(sent_.size(), 1U);
}

TEST_F(VaultTest, AReleaseThatTheQueueRefusesLeavesTheEntry) {
  const auto id = keep_one();
  broken_ = true;
  ASSERT_FALSE(vault_->release(id, *snapshot(), committing()));
  EXPECT_EQ(vault_->show(id)->state, State::kept);
  EXPECT_EQ(vault_->show(id)->releases, 0U);
  broken_ = false;
  EXPECT_TRUE(vault_->release(id, *snapshot(), committing()));
}

TEST_F(VaultTest, ARetryDuringAReleaseThatFailsLeavesTheEntryKept) {
  const auto first = keep(mail_to("M", {"a@example.org"}), content("text")).at(0);
  const auto retried = [&](const auto&, const auto&) -> Result<void> {
    EXPECT_EQ(keep(mail_to("N", {"a@example.org"}), content("text")).at(0).id, first.id);
    return fail("the queue is full");
  };
  ASSERT_FALSE(vault_->release(first.id, *snapshot(), retried));
  EXPECT_EQ(vault_->show(first.id)->state, State::kept);
  EXPECT_TRUE(vault_->release(first.id, *snapshot(), committing()));
}

TEST_F(VaultTest, ACrashWithinAReleaseIsMadeGood) {
  const auto id = keep_one();
  // The process ends within the commit: as the database has it then.
  struct Crash {};
  EXPECT_THROW((void)vault_->release(id, *snapshot(), [](const auto&, const auto&) -> Result<void> { throw Crash(); }),
               Crash);
  reopen();
  EXPECT_EQ(vault_->show(id)->state, State::releasing);
  EXPECT_FALSE(vault_->remove(id));
  EXPECT_EQ(*vault_->resume_releases(*snapshot(), committing()), 1U);
  EXPECT_EQ(sent_.size(), 1U);
  EXPECT_EQ(vault_->show(id)->state, State::released);
  EXPECT_EQ(vault_->show(id)->releases, 2U);
  EXPECT_EQ(*vault_->resume_releases(*snapshot(), committing()), 0U);
}

TEST_F(VaultTest, AReleaseThatCannotBeResumedHoldsUpNoOther) {
  struct Crash {};
  const auto crash = [](const auto&, const auto&) -> Result<void> { throw Crash(); };
  const auto kept = keep(mail_to("M", {"a@example.org", "b@example.org"}), content("shared"));
  for (const auto& one : kept) EXPECT_THROW((void)vault_->release(one.id, *snapshot(), crash), Crash);
  reopen();
  size_t tried = 0;
  const auto once_refused = [&](const auto& mail, const auto& bytes) -> Result<void> {
    if (tried++ == 0) return fail("the queue is full");
    return committing()(mail, bytes);
  };
  EXPECT_EQ(*vault_->resume_releases(*snapshot(), once_refused), 1U);
  EXPECT_EQ(tried, 2U);
  size_t released = 0, kept_again = 0;
  for (const auto& one : kept) {
    released += vault_->show(one.id)->state == State::released ? 1U : 0U;
    kept_again += vault_->show(one.id)->state == State::kept ? 1U : 0U;
  }
  EXPECT_EQ(released, 1U);
  EXPECT_EQ(kept_again, 1U);
}

TEST_F(VaultTest, AKeyThatCouldNotBeErasedAtOnceIsErasedAtTheNextSweep) {
  const auto id = keep_one();
  std::string key;
  {
    auto reader = store::Database::open(folder_ + "/vault/vault.db");
    auto select = (*reader)->prepare("SELECT secret FROM vault_keys");
    ASSERT_TRUE(*select->step());
    key = select->text(0);
    // While somebody reads, the write-ahead log cannot be emptied.
    EXPECT_FALSE(vault_->remove(id));
    EXPECT_NE(files().find(key), std::string::npos);
  }
  EXPECT_TRUE(vault_->sweep());
  EXPECT_EQ(files().find(key), std::string::npos);
}

TEST_F(VaultTest, OneProcessAtATime) {
  Options options;
  options.directory = folder_ + "/vault";
  auto second = Vault::open(options, clock_, journal::real_disk());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("in use by process"));
}

TEST_F(VaultTest, ImporterReportsEachRecipient) {
  std::vector<spool::Job> jobs;
  jobs.push_back({.mail = mail_to("M", {"a@example.org", "a@strict.example", "a@elsewhere.example"}),
                  .content = content("x"),
                  .destination = {},
                  .recipients = {0, 1, 2}});
  jobs.push_back({.mail = mail_to("N", {"b@example.org"}), .content = {}, .destination = {}, .recipients = {0}});
  std::map<std::string, std::vector<spool::Outcome>> reports;
  Source source{
      .take = [&]() -> std::optional<spool::Job> {
        if (jobs.empty()) return {};
        auto job = jobs.front();
        jobs.erase(jobs.begin());
        return job;
      },
      .read = [](const spool::Mail&) -> Result<std::shared_ptr<const spool::Content>> { return content("y"); },
      .report = [&](const spool::Job& job,
                    std::vector<spool::Outcome> outcomes) { reports[job.mail->id] = std::move(outcomes); }};
  Importer importer(*vault_, source, [] { return snapshot(); });
  EXPECT_EQ(importer.import_some(), 2U);
  ASSERT_EQ(reports["M"].size(), 3U);
  std::map<size_t, spool::Outcome> by_recipient;
  for (const auto& outcome : reports["M"]) by_recipient[outcome.recipient] = outcome;
  EXPECT_EQ(by_recipient[0].kind, spool::Outcome::Kind::delivered);
  EXPECT_EQ(by_recipient[1].kind, spool::Outcome::Kind::reroute);
  EXPECT_EQ(by_recipient[1].destination.kind, spool::Destination::Kind::backend);
  EXPECT_EQ(by_recipient[2].kind, spool::Outcome::Kind::stranded);
  ASSERT_EQ(reports["N"].size(), 1U);
  EXPECT_EQ(reports["N"][0].kind, spool::Outcome::Kind::delivered);
  EXPECT_EQ(*vault_->count(State::kept), 2U);
}

TEST(Cipher, FindsEveryChange) {
  const std::string key = new_key();
  const std::string plain(200'000, 'x');
  const std::array<std::string_view, 2> pieces{std::string_view(plain).substr(0, 70'000),
                                               std::string_view(plain).substr(70'000)};
  const std::string sealed = seal(key, "name", pieces);
  EXPECT_EQ(*vault::open(key, "name", sealed), plain);
  EXPECT_FALSE(vault::open(key, "other", sealed));
  EXPECT_FALSE(vault::open(new_key(), "name", sealed));
  for (const size_t at : {size_t{0}, size_t{30}, size_t{100'000}, sealed.size() - 1}) {
    std::string changed = sealed;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(vault::open(key, "name", changed)) << at;
  }
  for (const size_t size : {size_t{0}, size_t{24}, size_t{24 + kChunk + 17}, sealed.size() - 1}) {
    EXPECT_FALSE(vault::open(key, "name", sealed.substr(0, size))) << size;
  }
  const std::string none = seal(key, "name", {});
  EXPECT_EQ(*vault::open(key, "name", none), "");
}

}  // namespace
}  // namespace doorward::vault
