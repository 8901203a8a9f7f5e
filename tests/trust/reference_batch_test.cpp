#include "trust/reference_batch.h"

#include <gtest/gtest.h>

namespace doorward::trust {
namespace {

TEST(ReferenceBatch, questions_come_through) {
  const std::vector<std::string> ids{"one", std::string(155, 'x')};
  const auto text = questions_text(ids);
  const auto back = parse_questions(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(std::vector<std::string>(back->begin(), back->end()), ids);
}

TEST(ReferenceBatch, answers_come_through_to_the_percent_and_minute) {
  ReferenceAnswer answer;
  answer.known = true;
  answer.bulk = 0.5;
  answer.spam = 0.923;
  answer.outbreak = 1.2;
  answer.domains = Breadth::fifty;
  answer.gateways = Breadth::three;
  answer.since = SystemTime(std::chrono::seconds(1'800'000'030));
  const auto back = parse_answers(answers_text({ReferenceAnswer{}, answer}));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 2u);
  EXPECT_FALSE((*back)[0].known);
  const auto& told = (*back)[1];
  EXPECT_TRUE(told.known);
  EXPECT_DOUBLE_EQ(told.bulk, 0.5);
  EXPECT_DOUBLE_EQ(told.spam, 0.92);
  EXPECT_DOUBLE_EQ(told.outbreak, 1);
  EXPECT_EQ(told.domains, Breadth::fifty);
  EXPECT_EQ(told.gateways, Breadth::three);
  EXPECT_EQ(told.since, SystemTime(std::chrono::seconds(1'800'000'000)));
}

TEST(ReferenceBatch, reports_come_through) {
  const auto back = parse_reports(reports_text({{Report::not_spam, "id"}, {Report::seen, "other"}}));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 2u);
  EXPECT_EQ((*back)[0].what, Report::not_spam);
  EXPECT_EQ((*back)[0].id, "id");
  EXPECT_EQ((*back)[1].what, Report::seen);
}

TEST(ReferenceBatch, numbers_are_told_in_classes) {
  EXPECT_EQ(breadth_of(0), Breadth::few);
  EXPECT_EQ(breadth_of(2.4), Breadth::few);
  EXPECT_EQ(breadth_of(2.6), Breadth::three);
  EXPECT_EQ(breadth_of(10), Breadth::ten);
  EXPECT_EQ(breadth_of(49.4), Breadth::ten);
  EXPECT_EQ(breadth_of(266), Breadth::many);
  EXPECT_EQ(least_of(Breadth::fifty), 50u);
}

TEST(ReferenceBatch, what_is_malformed_is_refused_as_a_whole) {
  for (const std::string text : {"", "\2", "\1\5four", "\1\1", "\1\4four\3x"}) {
    const auto parsed = parse_questions(text);
    ASSERT_FALSE(parsed) << text.size();
    EXPECT_EQ(parsed.error().blame, Blame::peer);
  }
  EXPECT_FALSE(parse_questions(std::string("\1\0", 2))) << "an empty id";
  EXPECT_FALSE(parse_questions(questions_text(std::vector<std::string>(kMostInBatch + 1, "id"))));
  EXPECT_TRUE(parse_questions(questions_text(std::vector<std::string>(kMostInBatch, "id"))));

  EXPECT_FALSE(parse_answers(""));
  EXPECT_FALSE(parse_answers("\1short"));
  EXPECT_FALSE(parse_answers(answers_text(std::vector<ReferenceAnswer>(kMostInBatch + 1))));
  for (const size_t at : {1u, 2u, 5u, 6u}) {
    auto text = answers_text({ReferenceAnswer{}});
    text[at] = 101;
    EXPECT_FALSE(parse_answers(text)) << at;
  }

  EXPECT_FALSE(parse_reports(""));
  EXPECT_FALSE(parse_reports(std::string("\1\0\2id", 5))) << "of no kind";
  EXPECT_FALSE(parse_reports("\1\6\2id")) << "of an unknown kind";
  EXPECT_FALSE(parse_reports("\1\1\3id"));
  EXPECT_FALSE(parse_reports("\1\1"));
}

}  // namespace
}  // namespace doorward::trust
