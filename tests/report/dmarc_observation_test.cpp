#include "report/dmarc_observation.h"

#include <gtest/gtest.h>

namespace doorward::report {
namespace {

using mailauth::DmarcPolicy;
using mailauth::Result;

// A mail of example.org's, with everything that can be said of it.
class Observation : public testing::Test {
 protected:
  Observation() {
    client_.ip = *mail::IpAddress::parse("192.0.2.7");
    envelope_.from.null = false;
    envelope_.from.mailbox = *mail::parse_mailbox("bounce@Example.ORG");
    auto& of = facts_.authentication.emplace();
    of.spf.result = Result::pass;
    of.spf.domain = "example.org";
    of.dmarc.result = Result::pass;
    of.dmarc.author_domain = "sub.example.org";
    of.dmarc.policy_domain = of.dmarc.organizational_domain = "example.org";
    of.dmarc.spf_aligned = true;
    of.dmarc.record = mailauth::parse_dmarc_record(
        "v=DMARC1; p=reject; sp=quarantine; aspf=s; t=n; rua=mailto:a@example.org!5m,mailto:b@example.net");
    sheet_.groups.resize(1);
    answered(sheet::Disposition::deliver, 250);
  }

  void answered(sheet::Disposition disposition, int code) {
    sheet_.groups.back().disposition = disposition;
    sheet_.groups.back().reply_code = code;
  }
  void failed(DmarcPolicy policy) {
    auto& dmarc = facts_.authentication->dmarc;
    dmarc.result = Result::fail;
    dmarc.policy = policy;
    dmarc.published = DmarcPolicy::reject;
    dmarc.spf_aligned = false;
  }
  std::optional<DmarcObservation> seen(std::string_view text = "From: a@sub.example.org\r\n\r\nhello\r\n") {
    const auto message = mime::Message::parse(text);
    return observe({facts_, client_, envelope_, message, sheet_, {}, SystemTime(std::chrono::seconds(1000))});
  }
  mailauth::DkimSignature signature(std::string domain, Result result) {
    mailauth::DkimSignature made;
    made.domain = std::move(domain);
    made.selector = "s";
    made.result = result;
    return made;
  }

  filter::Facts facts_;
  mail::Client client_;
  mail::Envelope envelope_;
  sheet::ScoreSheet sheet_;
};

TEST_F(Observation, TellsWhatThePolicyWasAndWhatCameOfIt) {
  const auto told = seen();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->published.domain, "example.org");
  EXPECT_EQ(told->published.p, "reject");
  EXPECT_EQ(told->published.sp, "quarantine");
  EXPECT_EQ(told->published.np, "quarantine");  // as sp= where it is not given
  EXPECT_EQ(told->published.adkim, "r");
  EXPECT_EQ(told->published.aspf, "s");
  EXPECT_EQ(told->published.fo, "0");
  EXPECT_FALSE(told->published.testing);
  EXPECT_EQ(told->addresses,
            (std::vector<ReportAddress>{{"mailto:a@example.org", 5U << 20U}, {"mailto:b@example.net", 0}}));
  EXPECT_EQ(told->row.source_ip, "192.0.2.7");
  EXPECT_EQ(told->row.disposition, "pass");
  EXPECT_TRUE(told->row.spf);
  EXPECT_FALSE(told->row.dkim);
  EXPECT_EQ(told->row.header_from, "sub.example.org");
  EXPECT_EQ(told->row.envelope_from, "example.org");
  EXPECT_EQ(told->row.spf_result, "pass");
}

TEST_F(Observation, ADispositionIsWhatDmarcAskedForAndNoOtherFilter) {
  failed(DmarcPolicy::none);
  facts_.authentication->dmarc.published = DmarcPolicy::none;
  answered(sheet::Disposition::refuse, 550);  // for another reason
  EXPECT_EQ(seen()->row.disposition, "none");
  failed(DmarcPolicy::quarantine);
  EXPECT_EQ(seen()->row.disposition, "quarantine");
  failed(DmarcPolicy::reject);
  auto told = seen();
  EXPECT_EQ(told->row.disposition, "reject");
  EXPECT_TRUE(told->row.reasons.empty());
  facts_.authentication->dmarc.result = Result::pass;
  facts_.authentication->dmarc.record->subdomains = DmarcPolicy::none;
  EXPECT_EQ(seen()->row.disposition, "none");
  facts_.authentication->dmarc.author_domain = "example.org";
  EXPECT_EQ(seen()->row.disposition, "pass");
}

TEST_F(Observation, AnOverrideHasAReason) {
  failed(DmarcPolicy::reject);
  ASSERT_EQ(seen()->row.reasons.size(), 1);
  EXPECT_EQ(seen()->row.disposition, "none");
  EXPECT_EQ(seen()->row.reasons[0].type, "local_policy");
  EXPECT_EQ(seen("List-Id: <l.example.net>\r\n\r\n")->row.reasons[0].type, "mailing_list");
  sheet_.findings.push_back({.filter = "sender_authentication", .symbol = "arc_trusted"});
  EXPECT_EQ(seen()->row.reasons[0].type, "trusted_forwarder");
  sheet_.findings.clear();
  failed(DmarcPolicy::quarantine);  // of a published reject: t=y
  answered(sheet::Disposition::quarantine, 250);
  ASSERT_EQ(seen()->row.reasons.size(), 1);
  EXPECT_EQ(seen()->row.reasons[0].type, "policy_test_mode");
}

TEST_F(Observation, OfSeveralRecipientsTheMildestCounts) {
  failed(DmarcPolicy::reject);
  answered(sheet::Disposition::refuse, 550);
  sheet_.groups.emplace_back();
  answered(sheet::Disposition::deliver, 250);
  EXPECT_EQ(seen()->row.disposition, "none");
  answered(sheet::Disposition::deliver, 451);  // that one comes again
  EXPECT_EQ(seen()->row.disposition, "reject");
}

TEST_F(Observation, NothingIsToldOfMailThatComesAgain) {
  answered(sheet::Disposition::deliver, 451);
  EXPECT_FALSE(seen());
}

TEST_F(Observation, NothingIsToldWhereNobodyAsked) {
  auto& dmarc = facts_.authentication->dmarc;
  dmarc.record = mailauth::parse_dmarc_record("v=DMARC1; p=reject");
  EXPECT_FALSE(seen());
  dmarc.record = mailauth::parse_dmarc_record("v=DMARC1; p=reject; rua=https://example.org/");
  EXPECT_FALSE(seen());
  dmarc.record.reset();
  EXPECT_FALSE(seen());
  facts_.authentication.reset();
  EXPECT_FALSE(seen());
}

TEST_F(Observation, ReportsAreNotReportedUnlessForged) {
  const std::string report = "Subject: Report Domain: x.example Submitter: y.example Report-ID: <1>\r\n\r\n";
  EXPECT_FALSE(seen(report));
  failed(DmarcPolicy::reject);
  EXPECT_TRUE(seen(report));
}

TEST_F(Observation, SignaturesStandInTheOrderThatTheStandardWants) {
  auto& signatures = facts_.authentication->dkim.signatures;
  signatures = {signature("other.example", Result::fail), signature("example.net", Result::pass),
                signature("example.org", Result::pass), signature("sub.example.org", Result::pass)};
  const auto told = seen()->row.signatures;
  ASSERT_EQ(told.size(), 4);
  EXPECT_EQ(told[0].domain, "sub.example.org");
  EXPECT_EQ(told[1].domain, "example.org");
  EXPECT_EQ(told[2].domain, "example.net");
  EXPECT_EQ(told[3].domain, "other.example");
  EXPECT_EQ(told[3].result, "fail");
  signatures.assign(50, signature("example.net", Result::pass));
  EXPECT_EQ(seen()->row.signatures.size(), kMostSignaturesTold);
}

TEST_F(Observation, NamesThatCanBeNoneAreNotTold) {
  facts_.authentication->dkim.signatures = {signature("a b\nc", Result::fail)};
  EXPECT_TRUE(seen()->row.signatures.empty());
  envelope_.from = {};
  EXPECT_EQ(seen()->row.envelope_from, "");
}

}  // namespace
}  // namespace doorward::report
