#include "mailauth/authentication_results.h"

#include <gtest/gtest.h>

#include "mailauth/dkim_mail.h"

namespace doorward::mailauth {
namespace {

using namespace test;

TEST(AuthenticationResults, Written) {
  EXPECT_EQ(authentication_results_field("mx.example", {}), "Authentication-Results: mx.example; none\r\n");
  const std::vector<MethodResult> results{
      {.method = "spf", .result = "pass", .properties = {{"smtp", "mailfrom", "a@example.org"}}},
      {.method = "dkim",
       .result = "fail",
       .reason = "the body \"was\" changed",
       .comment = "a (key)",
       .properties = {{"header", "d", "example.org"}, {"header", "i", "@example.org"}, {"header", "b", "ab/c="}}}};
  EXPECT_EQ(authentication_results_text("mx.example", results),
            "mx.example;\r\n\tspf=pass smtp.mailfrom=a@example.org;\r\n\tdkim=fail (a \\(key\\))"
            " reason=\"the body \\\"was\\\" changed\"\r\n\t header.d=example.org header.i=@example.org"
            " header.b=\"ab/c=\"");
}

TEST(AuthenticationResults, HostileValuesStayValues) {
  const std::vector<MethodResult> results{
      {.method = "spf",
       .result = "fail",
       .properties = {{"smtp", "mailfrom", "a@b; dkim=pass header.d=bank.example\r\nX-Evil: 1"}}}};
  const std::string text = authentication_results_text("mx.example", results);
  EXPECT_EQ(text.find("\r\nX-Evil"), std::string::npos);
  const auto read = read_authentication_results(text);
  ASSERT_TRUE(read) << read.error();
  ASSERT_EQ(read->results.size(), 1U);
  EXPECT_EQ(read->results[0].properties[0].value, "a@b; dkim=pass header.d=bank.example??X-Evil: 1");
}

// A value is cut between characters, where it has characters.
TEST(AuthenticationResults, LongValuesAreCut) {
  const auto written = [](const std::string& value) {
    const auto read = read_authentication_results(authentication_results_text(value, {}));
    return read ? read->id.size() : 0;
  };
  EXPECT_EQ(written(std::string(400, 'x')), 300U);
  EXPECT_EQ(written("x" + std::string(400, '\xAC')), 297U);
  std::string umlauts = "x";
  for (int i = 0; i < 300; ++i) umlauts += "ü";
  EXPECT_EQ(written(umlauts), 299U);
}

// RFC 8601 B.1 to B.6, and what the grammar allows beside it.
TEST(AuthenticationResults, Read) {
  const auto none = read_authentication_results(" example.org 1; none");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->id, "example.org");
  EXPECT_TRUE(none->results.empty());
  const auto read = read_authentication_results(
      " foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
      " policy (A dot can go here) . (like that) expired\r\n (this surprised me) = (as I wasn't expecting it)"
      " 1362471462; auth=pass (cram-md5)\r\n smtp.auth=\"sender\"@example.net reason = \"good; really\"");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->id, "foo.example.net");
  ASSERT_EQ(read->results.size(), 2U);
  EXPECT_EQ(read->results[0].method, "dkim");
  EXPECT_EQ(read->results[0].result, "fail");
  EXPECT_EQ(read->results[0].properties[0].type, "policy");
  EXPECT_EQ(read->results[0].properties[0].name, "expired");
  EXPECT_EQ(read->results[0].properties[0].value, "1362471462");
  EXPECT_EQ(read->results[1].reason, "good; really");
  EXPECT_EQ(read->results[1].properties[0].value, "sender@example.net");
}

TEST(AuthenticationResults, Malformed) {
  for (const std::string_view text :
       {"", ";", "mx.example", "mx.example;", "; dkim=pass", "mx.example 2; none", "mx.example; dkim",
        "mx.example; =pass", "mx.example; dkim=pass header", "mx.example; dkim=pass header.b=/x",
        "mx.example; dkim=pass (open", "mx.example; dkim/2=pass", "example/net; dkim=pass", "mx.example dkim=pass"}) {
    EXPECT_FALSE(read_authentication_results(text)) << text;
  }
}

TEST(AuthenticationResults, ForgedOnesAreFound) {
  for (const std::string_view text :
       {"mx.example; dkim=pass", " MX.Example;spf=pass", "(x) mx.example (y) 1; none", "\"mx.example\"; a=b",
        "\r\n\tmx.example.; a=b", "mx.example 7; a=b", "mx.example/1; a=b", "mx.example", "(open mx.example; a=b",
        "\"mx.\\example\"; a=b", "((mx) mx.example; dkim=pass", "mx.example=x; dkim=pass"}) {
    EXPECT_TRUE(claims_authserv_id(text, "mx.example")) << text;
  }
  for (const std::string_view text : {"other.example; dkim=pass header.d=mx.example", "xmx.example; none",
                                      "mx.example.org; a=b", "other.example (mx.example); a=b", ""}) {
    EXPECT_FALSE(claims_authserv_id(text, "mx.example")) << text;
  }
  const SignedMail mail{
      std::string_view("authentication-results: mx.example; a=b\r\nX: 1\r\nAuthentication-Results : mx.EXAMPLE; c=d\r\n"
                       "Authentication-Results: other; c=d\r\n\r\n")};
  EXPECT_EQ(forged_authentication_results(mail.fields(), "mx.example"), (std::vector<size_t>{0, 2}));
}

TEST(AuthenticationResults, Merged) {
  const SignedMail mail{
      std::string_view("Authentication-Results: a.example; arc=none;\r\n  spf=pass (x;y) smtp.mfrom=\"a;b\"\r\n"
                       "Authentication-Results: b.example; dkim=pass\r\nAuthentication-Results: A.example 1; none\r\n"
                       "Authentication-Results: a.example; dmarc=pass;\r\n\r\n")};
  EXPECT_EQ(merged_authentication_results(mail.fields(), "a.example"),
            "a.example; arc=none;\r\n spf=pass (x;y) smtp.mfrom=\"a;b\";\r\n dmarc=pass");
  EXPECT_EQ(merged_authentication_results(mail.fields(), "c.example"), "c.example; none");
}

// The samples of dkim_verifier: which of their fields are well-made, by their names.
TEST(AuthenticationResults, SamplesOfDkimVerifier) {
  size_t read = 0, malformed = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(TEST_DATA) / "dkim/dkim_verifier/arh")) {
    const std::string raw = crlf(read_file(entry.path()));
    const SignedMail mail{std::string_view(raw)};
    for (const mime::Header& field : mail.fields()) {
      if (field.name != "Authentication-Results") continue;
      read_authentication_results(field.value) ? ++read : ++malformed;
    }
  }
  EXPECT_GT(read, 25U);
  EXPECT_GT(malformed, 2U);
}

}  // namespace
}  // namespace doorward::mailauth
