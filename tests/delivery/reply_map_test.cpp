#include "delivery/reply_map.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace doorward::delivery {
namespace {

using smtp::EnhancedStatus;
using smtp::Reply;

struct Case {
  Stage stage;
  int code;
  EnhancedStatus enhanced;
  const char* words;
  int to_code;
  EnhancedStatus to_enhanced;
  Fault fault = Fault::none;
};

constexpr auto kRcpt = Stage::recipient;
constexpr auto kData = Stage::content;
constexpr auto kMisconfigured = Fault::misconfigured;
constexpr auto kNonsense = Fault::nonsense;
constexpr EnhancedStatus kNone{};

const std::vector<Case> kCases{
    // Taken.
    {kRcpt, 250, {2, 1, 5}, "ok", 250, {2, 1, 5}},
    {kRcpt, 251, kNone, "will forward to <inner@backend.internal>", 250, {2, 1, 5}},
    {kRcpt, 252, kNone, "cannot verify", 250, {2, 1, 5}},
    {kData, 250, {2, 0, 0}, "queued as 4711", 250, {2, 0, 0}},
    // The recipient.
    {kRcpt, 550, {5, 1, 1}, "User unknown in virtual mailbox table", 550, {5, 1, 1}},
    {kRcpt, 550, {5, 1, 1}, "User unknown in relay recipient table", 550, {5, 1, 1}},
    {kRcpt, 550, {5, 1, 10}, "RESOLVER.ADR.RecipientNotFound", 550, {5, 1, 1}},
    {kRcpt, 550, kNone, "No such user here", 550, {5, 1, 0}},
    {kRcpt, 550, kNone, "unknown user in relay table", 550, {5, 1, 0}},
    {kRcpt, 550, {5, 2, 1}, "disabled", 550, {5, 2, 1}},
    {kRcpt, 552, {5, 2, 2}, "over quota", 552, {5, 2, 2}},
    {kRcpt, 552, kNone, "over quota", 552, {5, 2, 2}},
    {kRcpt, 551, kNone, "user not local", 551, {5, 1, 6}},
    {kRcpt, 553, kNone, "bad address", 553, {5, 1, 3}},
    {kRcpt, 501, {5, 1, 3}, "bad syntax", 553, {5, 1, 3}},
    {kRcpt, 501, kNone, "bad syntax", 553, {5, 1, 3}},
    {kRcpt, 550, {5, 1, 8}, "sender domain not found", 550, {5, 1, 8}},
    {kRcpt, 550, {5, 7, 1}, "not allowed to write to this group", 550, {5, 7, 1}},
    {kRcpt, 550, {5, 9, 9}, "made up", 550, {5, 1, 0}},
    {kRcpt, 550, {4, 2, 2}, "classes that disagree", 550, {5, 1, 0}},
    {kRcpt, 552, {5, 5, 3}, "too many recipients", 452, {4, 5, 3}},
    {kRcpt, 452, {4, 5, 3}, "too many recipients", 452, {4, 5, 3}},
    {kRcpt, 450, {4, 2, 1}, "greylisted", 450, {4, 2, 1}},
    {kRcpt, 450, {4, 7, 1}, "greylisted", 450, {4, 7, 1}},
    {kRcpt, 450, kNone, "busy", 450, {4, 2, 0}},
    {kRcpt, 451, kNone, "local error", 451, {4, 3, 0}},
    {kRcpt, 452, {4, 2, 2}, "full", 452, {4, 2, 2}},
    {kRcpt, 452, kNone, "no room", 452, {4, 3, 1}},
    {kRcpt, 454, {4, 7, 0}, "TLS not available", 450, {4, 7, 0}},
    {kRcpt, 499, {4, 9, 9}, "made up", 451, {4, 3, 0}},
    {kRcpt, 421, {4, 7, 0}, "closing", 451, {4, 3, 2}},
    // The gateway.
    {kRcpt, 554, {5, 7, 1}, "<a@b.example>: Relay access denied", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt, 550, {5, 7, 1}, "Unable to RELAY", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt, 550, kNone, "relaying denied", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt, 551, kNone, "we do not relay", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt, 550, {5, 0, 0}, "relay not permitted", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt,
     553,
     kNone,
     "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
     451,
     {4, 3, 5},
     kMisconfigured},
    {kRcpt, 550, {5, 7, 54}, "SMTP; Unable to relay recipient in non-accepted domain", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt, 550, {5, 7, 64}, "TenantAttribution; Relay Access Denied", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt, 550, {5, 7, 57}, "Client not authenticated to send mail", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt, 550, {5, 7, 606}, "Access denied, banned sending IP", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt, 550, {5, 7, 23}, "SPF fail", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt, 550, {5, 7, 25}, "no reverse DNS", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt,
     554,
     {5, 7, 1},
     "Service unavailable; Client host [192.0.2.1] blocked using list.example",
     451,
     {4, 3, 5},
     kMisconfigured},
    {kRcpt, 504, {5, 5, 2}, "<gate>: Helo command rejected: need fully-qualified hostname", 451, {4, 3, 0}, kNonsense},
    {kRcpt, 530, {5, 7, 0}, "Must issue a STARTTLS command first", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt, 530, {5, 7, 1}, "Authentication required", 451, {4, 3, 5}, kMisconfigured},
    {kRcpt, 550, {5, 1, 2}, "domain unknown", 451, {4, 3, 5}, kMisconfigured},
    // The dialog.
    {kRcpt, 500, {5, 5, 2}, "what?", 451, {4, 3, 0}, kNonsense},
    {kRcpt, 503, {5, 5, 1}, "need MAIL", 451, {4, 3, 0}, kNonsense},
    {kRcpt, 354, kNone, "go ahead", 451, {4, 3, 0}, kNonsense},
    {kRcpt, 0, kNone, "", 451, {4, 3, 0}, kNonsense},
    {kData, 354, kNone, "again?", 451, {4, 3, 0}, kNonsense},
    {kData, 501, {5, 5, 4}, "bad BDAT", 451, {4, 3, 0}, kNonsense},
    {kData, 503, {5, 5, 1}, "no recipients", 451, {4, 3, 0}, kNonsense},
    // The content.
    {kData, 550, {5, 7, 1}, "spam", 550, {5, 7, 1}},
    {kData, 554, kNone, "no", 554, {5, 0, 0}},
    {kData, 550, kNone, "no", 554, {5, 0, 0}},
    {kData, 552, kNone, "too large", 552, {5, 3, 4}},
    {kData, 552, {5, 3, 4}, "too large", 552, {5, 3, 4}},
    {kData, 552, {5, 2, 2}, "full", 552, {5, 2, 2}},
    {kData, 552, {5, 2, 3}, "too large for it", 552, {5, 2, 3}},
    {kData, 554, {5, 4, 6}, "Too many hops", 554, {5, 4, 6}},
    {kData, 554, {5, 6, 0}, "bare LF", 554, {5, 6, 0}},
    {kData, 554, {5, 7, 1}, "Relaying not allowed", 451, {4, 3, 5}, kMisconfigured},
    {kData, 451, {4, 7, 1}, "try later", 450, {4, 7, 1}},
    {kData, 452, {4, 3, 1}, "disk full", 452, {4, 3, 1}},
    {kData, 421, {4, 3, 2}, "going down", 451, {4, 3, 2}},
    // Before any recipient: never a 5xx to the sender.
    {Stage::session, 554, {5, 7, 1}, "go away", 451, {4, 3, 5}, kMisconfigured},
    {Stage::session, 421, kNone, "too many connections", 451, {4, 3, 2}},
    {Stage::session, 450, kNone, "later", 451, {4, 3, 2}},
    {Stage::session, 502, kNone, "no STARTTLS", 451, {4, 3, 5}, kMisconfigured},
    {Stage::mail, 550, {5, 1, 1}, "whoever", 451, {4, 3, 5}, kMisconfigured},
    {Stage::mail, 552, {5, 3, 4}, "too big", 451, {4, 3, 5}, kMisconfigured},
    {Stage::mail, 530, {5, 7, 0}, "authenticate", 451, {4, 3, 5}, kMisconfigured},
    {Stage::mail, 452, {4, 3, 1}, "Insufficient system storage", 452, {4, 3, 1}},
    {Stage::mail, 451, kNone, "wait", 451, {4, 3, 0}},
};

TEST(ReplyMap, MapsAsTheTableSays) {
  for (const Case& each : kCases) {
    const Mapped mapped = map_reply(each.stage, Reply(each.code, each.enhanced, each.words));
    const std::string what = std::to_string(each.code) + " " + each.words;
    EXPECT_EQ(mapped.reply.code, each.to_code) << what;
    EXPECT_EQ(mapped.reply.enhanced, each.to_enhanced) << what;
    EXPECT_EQ(mapped.fault, each.fault) << what;
  }
}

// Every code, with and without every enhanced code there could be: what holds for all of them.
TEST(ReplyMap, KeepsItsPromisesForEveryReply) {
  const std::string secret = "backend.internal says user bob";
  for (const Stage stage : {Stage::session, Stage::mail, Stage::recipient, Stage::content}) {
    for (int code = 0; code < 700; ++code) {
      for (uint16_t klass = 0; klass <= 5; ++klass) {
        for (uint16_t subject = 0; subject <= 9; ++subject) {
          for (const uint16_t detail : std::initializer_list<uint16_t>{0, 1, 2, 5, 7, 10, 30, 64, 700}) {
            const Mapped mapped = map_reply(stage, Reply(code, {klass, subject, detail}, secret));
            const Reply& ours = mapped.reply;
            ASSERT_TRUE(ours.code == 250 || ours.transient() || ours.permanent()) << code;
            ASSERT_NE(ours.code, 421) << code;  // the client's session does not end for it
            ASSERT_EQ(ours.code == 250, code >= 200 && code < 300) << code;
            if (code >= 400 && code < 500) ASSERT_TRUE(ours.transient()) << code;
            if (ours.permanent()) ASSERT_TRUE(stage == Stage::recipient || stage == Stage::content) << code;
            if (ours.permanent()) ASSERT_TRUE(code >= 500 && code < 600) << code;
            ASSERT_EQ(ours.enhanced.klass, ours.code / 100) << code;
            ASSERT_EQ(ours.lines.size(), 1U);
            ASSERT_EQ(ours.lines[0].find("backend.internal"), std::string::npos) << code;
          }
        }
      }
    }
  }
}

TEST(ReplyMap, AnEchoedAddressDoesNotChooseTheWords) {
  const smtp::Reply echo(554, {5, 7, 1}, "<relay-team@in.example>: Recipient address rejected: Access denied");
  EXPECT_EQ(map_reply(Stage::recipient, echo).reply.code / 100, 5);
  const smtp::Reply denied(554, {5, 7, 1}, "<bob@in.example>: Relay access denied");
  EXPECT_EQ(map_reply(Stage::recipient, denied).reply.code, 451);
}

TEST(ReplyMap, FailuresAreTemporary) {
  using net::IoError;
  for (const IoError kind : {IoError::closed, IoError::timed_out, IoError::reset, IoError::refused,
                             IoError::unreachable, IoError::tls, IoError::exhausted, IoError::other}) {
    for (const bool opening : {true, false}) {
      const Reply ours = map_failure(net::IoFailure(kind, "10.0.0.1 said"), opening);
      EXPECT_EQ(ours.code, 451);
      EXPECT_EQ(ours.enhanced.klass, 4);
      EXPECT_EQ(ours.lines.at(0).find("10.0"), std::string::npos);
    }
  }
  EXPECT_EQ(map_failure(net::IoFailure(IoError::refused, ""), true).enhanced, (EnhancedStatus{4, 4, 1}));
  EXPECT_EQ(map_failure(net::IoFailure(IoError::timed_out, ""), false).enhanced, (EnhancedStatus{4, 4, 2}));
  EXPECT_EQ(map_failure(net::IoFailure(IoError::other, ""), false).enhanced, (EnhancedStatus{4, 3, 0}));
  EXPECT_EQ(map_failure(net::IoFailure(IoError::tls, ""), true).enhanced, (EnhancedStatus{4, 3, 5}));
}

}  // namespace
}  // namespace doorward::delivery
