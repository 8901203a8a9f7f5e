#include "sheet/sheet.h"

#include <gtest/gtest.h>

namespace doorward::sheet {
namespace {

ScoreSheet example() {
  ScoreSheet sheet;
  sheet.id = "01JD0000000000000000000000";
  sheet.time = SystemTime(std::chrono::milliseconds(1'790'000'000'123));
  sheet.client_ip = "192.0.2.7";
  sheet.helo = "mail.example";
  sheet.sender = "a@example.org";
  sheet.subject = "Say \"hi\"\n\x1b[2J \xff";
  sheet.size = 5321;
  Finding words{"word_list", "word_hit", 2, "\"cheap\" in the subject"};
  words.own_points = Points::of(3.5);
  words.owner = 12;
  Finding structure{"structure", "date_missing", 1};
  sheet.findings = {words, structure};
  GroupVerdict group;
  group.recipients = {"b@example.net"};
  group.customer = 4;
  group.rule = "default";
  group.threshold = 4;
  group.priced.points = {Points::of(3.5), Points::of(2)};
  group.priced.counted = {true, false};
  group.priced.total = Points::of(5.5);
  group.priced.scl = Scl(5);
  group.klass = Class::spam;
  group.disposition = Disposition::refuse;
  group.reply_code = 550;
  group.reply_text = "no";
  sheet.groups = {group};
  sheet.skipped = {"other: timed out"};
  sheet.lookups = {{"txt example.org", "found", false, 1234}, {"mx example.org", "nxdomain", true, 0}};
  return sheet;
}

TEST(Sheet, ComesBackFromJsonAsItWas) {
  const auto sheet = example();
  const auto json = to_json(sheet);
  EXPECT_EQ(json.find('\n'), std::string::npos);
  const auto back = from_json(json);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->id, sheet.id);
  EXPECT_EQ(back->time, sheet.time);
  EXPECT_EQ(back->subject, "Say \"hi\"\n\x1b[2J \xEF\xBF\xBD");
  ASSERT_EQ(back->findings.size(), 2U);
  EXPECT_EQ(back->findings[0].filter, "word_list");
  EXPECT_EQ(back->findings[0].own_points, Points::of(3.5));
  EXPECT_EQ(back->findings[0].owner, 12U);
  ASSERT_EQ(back->groups.size(), 1U);
  EXPECT_EQ(back->groups[0].priced.counted, sheet.groups[0].priced.counted);
  EXPECT_EQ(back->groups[0].priced.points[0], Points::of(3.5));
  EXPECT_EQ(back->groups[0].klass, Class::spam);
  EXPECT_EQ(back->groups[0].disposition, Disposition::refuse);
  EXPECT_EQ(back->skipped, sheet.skipped);
  ASSERT_EQ(back->lookups.size(), 2U);
  EXPECT_EQ(back->lookups[0].question, "txt example.org");
  EXPECT_EQ(back->lookups[0].microseconds, 1234U);
  EXPECT_EQ(back->lookups[1].answer, "nxdomain");
  EXPECT_TRUE(back->lookups[1].cached);
}

TEST(Sheet, SaysWhatIsWrongWithADamagedRecord) {
  EXPECT_FALSE(from_json("{\"id\":"));
  EXPECT_FALSE(from_json("[]"));
  const auto odd = from_json(R"({"id":5,"findings":[1,{"strength":"x"}],"groups":[{"class":"?"}]})");
  ASSERT_TRUE(odd);  // what is there is taken, what is odd is not
  EXPECT_EQ(odd->findings.size(), 1U);
  EXPECT_EQ(odd->groups[0].klass, Class::unsure);
}

TEST(Sheet, ExplainsItselfWithoutDrivingTheTerminal) {
  const auto text = to_text(example());
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("SCL 5 exceeds the threshold 4"), std::string::npos) << text;
  EXPECT_NE(text.find("word_hit"), std::string::npos);
  EXPECT_EQ(text.find("date_missing"), std::string::npos) << "does not count for these recipients";
  EXPECT_NE(text.find("550 no"), std::string::npos);
}

}  // namespace
}  // namespace doorward::sheet
