#include "gateway/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/trace.h"

namespace doorward::gateway {
namespace {

constexpr const char* kId = "01JD0000000000000000000000";

TEST(Answer, RefusesWithReasonAndReference) {
  sheet::GroupVerdict verdict;
  verdict.klass = sheet::Class::spam;
  verdict.disposition = sheet::Disposition::refuse;
  const auto reply = refusal(verdict, kId);
  EXPECT_EQ(reply.code, 550);
  EXPECT_EQ(reply.enhanced, (smtp::EnhancedStatus{5, 7, 1}));
  EXPECT_THAT(reply.lines.back(), testing::HasSubstr("spam"));
  EXPECT_THAT(reply.lines.back(), testing::EndsWith("[ref 01JD0000000000000000000000]"));
  verdict.disposition = sheet::Disposition::defer;
  EXPECT_EQ(refusal(verdict, kId).code, 451);
}

TEST(Answer, NamesTheReferenceOnce) {
  const auto once = with_reference(smtp::Reply(550, "no"), kId);
  EXPECT_EQ(with_reference(once, kId).lines, once.lines);
}

TEST(Answer, CombinesRepliesThatAgree) {
  const std::vector<smtp::Reply> all = {{250, "a"}, {250, "b"}};
  EXPECT_EQ(combine(all, kId).code, 250);
}

TEST(Answer, SaysTryAgainToAllWhereRepliesDiffer) {
  for (const int other : {451, 550}) {
    const std::vector<smtp::Reply> all = {{250, "a"}, {other, "b"}};
    EXPECT_EQ(combine(all, kId).code, 451);
  }
  EXPECT_EQ(combine({}, kId).code, 451) << "no reply at all is no promise";
}

TEST(Answer, ClosesAnExchangeWithPrdrPositivelyWhereAnybodyTookIt) {
  const std::vector<smtp::Reply> mixed = {{550, "a"}, {250, "b"}}, refused = {{550, "a"}, {550, "b"}};
  EXPECT_EQ(closing(mixed).code, 250);
  EXPECT_EQ(closing(refused).code, 550);
  EXPECT_EQ(closing({}).code, 451);
}

TEST(Trace, WritesAReceivedFieldThatForeignWordsCannotBreak) {
  mail::Client client;
  client.ip = *mail::IpAddress::parse("2001:db8::1");
  client.helo = "x)\r\nBcc: evil; y";
  client.esmtp = client.tls = true;
  client.tls_version = "TLSv1.3";
  client.tls_cipher = "TLS_AES_256_GCM_SHA384";
  mail::Envelope envelope;
  envelope.id = kId;
  envelope.received_at = SystemTime(std::chrono::milliseconds(1'790'000'000'000));
  const auto field = received_field(client, envelope, "mx.example", "b@example.net");
  EXPECT_EQ(field,
            "Received: from x???Bcc:?evil??y ([IPv6:2001:db8::1])\r\n"
            "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n"
            "\tby mx.example with ESMTPS id 01JD0000000000000000000000\r\n"
            "\tfor <b@example.net>;\r\n"
            "\tMon, 21 Sep 2026 14:13:20 +0000\r\n");
}

}  // namespace
}  // namespace doorward::gateway
