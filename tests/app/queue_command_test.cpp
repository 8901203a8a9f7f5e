#include "app/queue_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "app/control_print.h"
#include "app/keeping.h"
#include "app/quarantine_command.h"
#include "base/id.h"
#include "journal/disk.h"
#include "policy/file.h"
#include "policy/tables.h"
#include "store/database.h"

namespace doorward::app {
namespace {

using testing::HasSubstr;
using testing::Not;

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
)";

// Commands over a spool and a vault on disk: opened by the commands themselves, or by a gateway's Keeping.
class SteeringTest : public testing::Test {
 protected:
  SteeringTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "doorward-steer-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    std::filesystem::create_directory(folder_ + "/state");
    std::ofstream(file()) << "state_directory = \"state\"\ncache_directory = \"\"\nuser = \"\"\n";
    config_ = *load_config(file());
    auto policy = policy::parse_file(kPolicy, "policy.toml");
    auto database = store::Database::open(config_.policy_path());
    if (!policy || !policy::write_policy(**database, *policy)) throw std::runtime_error("policy");
  }
  ~SteeringTest() override {
    keeping_.reset();
    spool_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string file() const { return folder_ + "/doorward.toml"; }

  void open_spool() {
    spool::Options options;
    options.directory = config_.spool_path();
    auto opened = spool::Spool::open(options, clock_, journal::real_disk());
    if (!opened) throw std::runtime_error(opened.error().text());
    spool_ = std::move(*opened);
  }
  void start_keeping() {
    auto database = store::Database::open(config_.policy_path());
    auto snapshot = policy::Snapshot::load(**database, "");
    if (!snapshot) throw std::runtime_error(snapshot.error().text());
    auto opened = Keeping::open(config_, *spool_, clock_, [snapshot] { return *snapshot; }, {});
    if (!opened) throw std::runtime_error(opened.error().text());
    keeping_ = std::move(*opened);
    keeping_->start();
  }
  std::string commit(const std::string& to, spool::Destination destination, const std::string& subject,
                     bool may_bounce = false, uint64_t customer = 1) {
    auto mail = std::make_shared<spool::Mail>();
    mail->id = new_id(clock_.now());
    mail->received_at = clock_.now();
    mail->from = {*mail::parse_mailbox("sender@remote.example"), false};
    mail->subject = subject.substr(0, 200);
    mail->may_bounce = may_bounce;
    spool::Recipient recipient;
    recipient.to.mailbox = *mail::parse_mailbox(to);
    recipient.given = to;
    recipient.destination = std::move(destination);
    recipient.customer = customer;
    recipient.klass = sheet::Class::spam;
    recipient.disposition = sheet::Disposition::quarantine;
    mail->recipients.push_back(std::move(recipient));
    std::string text = "Subject: " + subject + "\r\n\r\nunique body of " + mail->id + "\r\n";
    mail->size = text.size();
    auto content = std::make_shared<spool::Content>(mail::Content::of(std::move(text)), std::vector<mime::Edits>(1));
    SpoolCommit committer;
    auto done = committer.commit(*spool_, mail, content);
    if (!done) throw std::runtime_error(done.error().text());
    return mail->id;
  }
  int captured(const std::function<int()>& command) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = command();
    std::fflush(nullptr);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return status;
  }
  int queue(QueueOptions options) {
    options.config_file = file();
    return captured([&] { return queue_command(options); });
  }
  int quarantine(QuarantineOptions options) {
    options.config_file = file();
    return captured([&] { return quarantine_command(options); });
  }

  std::string folder_, out_, err_;
  NodeConfig config_;
  RealClock clock_;
  std::unique_ptr<spool::Spool> spool_;
  std::unique_ptr<Keeping> keeping_;
};

const spool::Destination kBackend{spool::Destination::Kind::backend, "1"};
const spool::Destination kVault{spool::Destination::Kind::vault, ""};
using What = QueueOptions::What;

TEST_F(SteeringTest, WithoutAGatewayTheSpoolIsOpened) {
  open_spool();
  const auto one = commit("a@example.org", kBackend, "first");
  const auto two = commit("b@example.org", kBackend, "\x1b[2Jsecond");
  spool_.reset();
  EXPECT_EQ(queue({.what = What::list}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("ID  "));
  EXPECT_THAT(out_, HasSubstr(one));
  EXPECT_THAT(out_, HasSubstr("sender@remote.example"));
  EXPECT_EQ(queue({.what = What::list, .recipient = "b@*", .json = true}), 0);
  auto object = boost::json::parse(out_).as_object();
  EXPECT_EQ(object["id"].as_string(), two);
  EXPECT_EQ(object["recipients"].as_array().at(0).as_object()["fate"].as_string(), "waiting");
  EXPECT_EQ(object["parts"].as_array().at(0).as_object()["destination"].as_string(), "backend:1");
  EXPECT_EQ(queue({.what = What::show, .ids = {two}}), 0);
  EXPECT_THAT(out_, Not(HasSubstr("\x1b")));
  EXPECT_EQ(queue({.what = What::show, .ids = {one}, .headers = true}), 0) << err_;
  EXPECT_EQ(out_, "Subject: first\r\n");
  EXPECT_EQ(queue({.what = What::show, .ids = {one}, .raw = true}), 0);
  EXPECT_EQ(out_, "Subject: first\r\n\r\nunique body of " + one + "\r\n");
  EXPECT_EQ(queue({.what = What::list, .domain = "elsewhere.example"}), 3);
  EXPECT_EQ(queue({.what = What::list, .older_than = "soon"}), 2);
}

TEST_F(SteeringTest, ChangesAreHeldBackUntilTheyAreMeant) {
  open_spool();
  const auto one = commit("a@example.org", kBackend, "1");
  commit("b@example.org", kBackend, "2");
  commit("c@example.org", kBackend, "3");
  spool_.reset();
  EXPECT_EQ(queue({.what = What::hold, .ids = {one}}), 0) << err_;
  EXPECT_EQ(out_, "1 mails\n");
  EXPECT_EQ(queue({.what = What::list, .held = true}), 0);
  EXPECT_THAT(out_, HasSubstr("held"));
  EXPECT_EQ(queue({.what = What::remove}), 2);
  EXPECT_EQ(queue({.what = What::remove, .domain = "example.org"}), 2);
  EXPECT_THAT(err_, HasSubstr("3 mails fit, none was changed"));
  EXPECT_EQ(queue({.what = What::remove, .ids = {one}}), 0);
  EXPECT_EQ(queue({.what = What::remove, .domain = "example.org", .yes = true}), 0);
  EXPECT_EQ(out_, "2 mails\n");
  EXPECT_EQ(queue({.what = What::list}), 3);
}

TEST_F(SteeringTest, NothingIsReturnedToASenderWhoIsNotProvenUnlessForced) {
  open_spool();
  const auto stranger = commit("a@example.org", kBackend, "from a stranger");
  const auto proven = commit("b@example.org", kBackend, "from a proven sender", true);
  spool_.reset();
  EXPECT_EQ(queue({.what = What::bounce, .ids = {stranger}}), 1);
  EXPECT_THAT(err_, HasSubstr("1 mails are left: their senders are not proven"));
  EXPECT_THAT(err_, HasSubstr("--force"));
  EXPECT_EQ(queue({.what = What::bounce, .domain = "example.org"}), 2);
  EXPECT_THAT(err_, HasSubstr("1 mails fit, none was changed"));
  EXPECT_EQ(queue({.what = What::bounce, .domain = "example.org", .json = true, .yes = true}), 1);
  EXPECT_EQ(out_, "{\"mails\":1,\"withheld\":1}\n");
  EXPECT_EQ(queue({.what = What::bounce, .ids = {proven}}), 0) << err_;
  EXPECT_EQ(queue({.what = What::bounce, .ids = {stranger}, .force = true}), 0) << err_;
  EXPECT_EQ(out_, "1 mails\n");
}

TEST_F(SteeringTest, ACustomerIsNamedOrNumbered) {
  open_spool();
  auto database = store::Database::open(config_.policy_path());
  const auto policy = policy::read_policy(**database);
  const auto number = policy->provider.below.at(0).id;
  const auto own = commit("a@example.org", kBackend, "1", false, number);
  commit("b@example.net", kBackend, "2", false, number + 1000);
  spool_.reset();
  EXPECT_EQ(queue({.what = What::list, .customer = "c"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr(own));
  EXPECT_THAT(out_, Not(HasSubstr("example.net")));
  EXPECT_EQ(queue({.what = What::list, .customer = std::to_string(number + 1000)}), 0) << err_;
  EXPECT_THAT(out_, Not(HasSubstr(own)));
  EXPECT_EQ(queue({.what = What::list, .customer = "unknown"}), 2);
  EXPECT_THAT(err_, HasSubstr("there is no customer \"unknown\""));
  EXPECT_EQ(quarantine({.what = QuarantineOptions::What::list, .customer = "C"}), 3);
  EXPECT_EQ(quarantine({.what = QuarantineOptions::What::list, .customer = "D"}), 2);
}

// Contents come in pieces of 48 KiB: wherever the empty line lies, the header ends there.
TEST_F(SteeringTest, AHeaderEndsAtItsEmptyLine) {
  for (const size_t length :
       std::initializer_list<size_t>{49'145, 49'146, 49'147, 49'148, 49'149, 49'150, 49'151, 49'152, 49'153}) {
    open_spool();
    const std::string subject(length - std::string_view("Subject: ").size(), 's');
    const auto id = commit("a@example.org", kBackend, subject);
    spool_.reset();
    EXPECT_EQ(queue({.what = What::show, .ids = {id}, .headers = true}), 0) << err_;
    EXPECT_EQ(out_, "Subject: " + subject + "\r\n") << length;
  }
}

TEST_F(SteeringTest, TheRunningGatewayAnswers) {
  open_spool();
  start_keeping();
  const auto waiting = commit("a@example.org", kBackend, "waiting");
  EXPECT_EQ(queue({.what = What::list}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr(waiting));
  EXPECT_EQ(queue({.what = What::remove, .ids = {waiting}, .json = true}), 0) << err_;
  EXPECT_EQ(out_, "{\"mails\":1}\n");
}

TEST_F(SteeringTest, WhatIsKeptIsShownReleasedAndDeleted) {
  open_spool();
  start_keeping();
  const auto one = commit("a@example.org", kVault, "to release");
  const auto two = commit("b@example.org", kVault, "to delete");
  keeping_->wake();
  for (int i = 0; i < 100 && *keeping_->vault().count(vault::State::kept) < 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  using Ask = QuarantineOptions::What;
  ASSERT_EQ(quarantine({.what = Ask::list, .mail = one, .json = true}), 0) << err_;
  const std::string first(boost::json::parse(out_).as_object()["id"].as_string());
  ASSERT_EQ(quarantine({.what = Ask::list}), 0);
  EXPECT_THAT(out_, HasSubstr("to delete"));
  EXPECT_EQ(quarantine({.what = Ask::show, .ids = {first}, .raw = true}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("unique body of " + one));
  EXPECT_EQ(quarantine({.what = Ask::release, .recipient = "a@*"}), 2);
  EXPECT_THAT(err_, HasSubstr("1 entries fit"));
  EXPECT_EQ(quarantine({.what = Ask::release, .ids = {first}}), 0) << err_;
  EXPECT_EQ(queue({.what = What::list, .json = true}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("to release"));
  EXPECT_THAT(out_, HasSubstr("\"destination\":\"backend:"));
  EXPECT_EQ(quarantine({.what = Ask::release, .ids = {first}}), 1);
  EXPECT_THAT(err_, HasSubstr("released on"));
  EXPECT_EQ(quarantine({.what = Ask::delete_, .subject = "DELETE", .yes = true}), 0) << err_;
  EXPECT_EQ(out_, "1 entries\n");
  EXPECT_EQ(quarantine({.what = Ask::list, .mail = two}), 3);
}

TEST(Terminal, GetsNoCommandsFromStrangers) {
  EXPECT_EQ(on_terminal("a\x1b[31mb\r\n\x7f\xff"), "a?[31mb????");
  EXPECT_EQ(on_terminal("Gr\xc3\xbc\xc3\x9f"), "Gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(on_terminal("x\xc2\x9b"
                        "31m"),
            "x??31m");                                             // the C1 form of ESC [
  EXPECT_EQ(on_terminal("a\u202eb\u2066c\u2070"), "a?b?c\u2070");  // turned direction
  EXPECT_EQ(short_text("abcdef", 4), "abc…");
  EXPECT_EQ(short_text("Gr\xc3\xbc\xc3\x9f"
                       "e",
                       4),
            "Gr…");
  EXPECT_EQ(age_text(119), "119s");
  EXPECT_EQ(age_text(7'300), "2h");
}

}  // namespace
}  // namespace doorward::app
