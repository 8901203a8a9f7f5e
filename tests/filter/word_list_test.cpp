#include "filter/word_list.h"

#include <gtest/gtest.h>

#include <set>

#include "filter/base_words.h"
#include "filter/case.h"
#include "filter/word_automaton.h"

namespace doorward::filter {
namespace {

using sheet::Points;

std::shared_ptr<const WordAutomaton> words_of(std::vector<WordEntry> entries, uint64_t id = 7) {
  return *WordAutomaton::compile({{.id = id, .name = "test", .entries = std::move(entries)}}, "");
}

const std::string kHead = "From: a@example.org\nMIME-Version: 1.0\n";

TEST(WordList, counts_subject_and_body_hits_each) {
  TestMail mail(kHead + "Subject: Lottery\n\nA lottery, yes, a lottery.\n");
  const auto words = words_of({{.pattern = "lottery", .points = Points::of(1.5)}});
  mail.input.words = words.get();
  mail.input.word_lists = {7};
  const auto findings = mail.judged_by(word_list());
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_TRUE(mail.unknown.empty());
  EXPECT_EQ(findings[0].symbol, "word_hit");
  EXPECT_EQ(findings[0].strength, 1);
  EXPECT_EQ(findings[0].own_points, Points::of(1.5));
  EXPECT_EQ(findings[0].evidence, "\"lottery\" 1 times in the subject: \"Lottery\"");
  EXPECT_EQ(findings[1].strength, 2);
  EXPECT_EQ(findings[1].own_points, Points::of(3));
  EXPECT_EQ(findings[1].owner, 7U);
}

TEST(WordList, five_hits_of_an_entry_are_the_most) {
  TestMail mail(kHead + "\ncash cash cash cash cash cash cash\n");
  const auto words = words_of({{.pattern = "cash", .points = Points::of(1)}});
  mail.input.words = words.get();
  mail.input.word_lists = {7};
  const auto findings = mail.judged_by(word_list());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].own_points, Points::of(5));
}

TEST(WordList, both_forms_of_one_text_count_once) {
  TestMail mail(kHead +
                "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\ncash now\n--b\n"
                "Content-Type: text/html\n\n<p>cash now</p>\n--b--\n");
  const auto words = words_of({{.pattern = "cash", .points = Points::of(1)}});
  mail.input.words = words.get();
  mail.input.word_lists = {7};
  const auto findings = mail.judged_by(word_list());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].strength, 1);
}

TEST(WordList, hidden_words_speak_against_a_mail_and_never_for_it) {
  TestMail mail(kHead + "Content-Type: text/html\n\n<p>Hello</p><div style='display:none'>cash invoice</div>\n");
  const auto words =
      words_of({{.pattern = "cash", .points = Points::of(2)}, {.pattern = "invoice", .points = Points::of(-3)}});
  mail.input.words = words.get();
  mail.input.word_lists = {7};
  const auto findings = mail.judged_by(word_list());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].symbol, "word_hidden");
  EXPECT_EQ(findings[0].own_points, Points::of(2));
}

TEST(WordList, lists_that_do_not_apply_are_silent) {
  TestMail mail(kHead + "\ncash\n");
  const auto words = words_of({{.pattern = "cash", .points = Points::of(1)}});
  EXPECT_TRUE(mail.judged_by(word_list()).empty()) << "no automaton";
  mail.input.words = words.get();
  EXPECT_TRUE(mail.judged_by(word_list()).empty()) << "no lists";
  mail.input.word_lists = {8};
  EXPECT_TRUE(mail.judged_by(word_list()).empty()) << "another list";
}

TEST(BaseWords, every_entry_is_sound_and_modest) {
  std::set<std::string> seen;
  const WordList& list = base_word_list();
  EXPECT_EQ(list.id, kBaseWordList);
  EXPECT_GT(list.entries.size(), 100U);
  for (const auto& entry : list.entries) {
    const auto checked = WordAutomaton::check(entry);
    EXPECT_TRUE(checked) << entry.pattern << ": " << checked.error().what;
    EXPECT_GT(entry.points, Points());
    EXPECT_LE(entry.points, Points::of(2.5)) << entry.pattern;
    seen.insert(entry.pattern);
  }
  EXPECT_GT(seen.size() + 5, list.entries.size()) << "an entry may stand for two languages, not more";
}

TEST(BaseWords, finds_disguised_words) {
  TestMail mail(kHead + "Subject: Ch3ap V1agra\n\nwithout  prescr1ption\n");
  const auto words = *WordAutomaton::compile({base_word_list()}, "");
  mail.input.words = words.get();
  mail.input.word_lists = {kBaseWordList};
  EXPECT_EQ(mail.judged_by(word_list()).size(), 2U);
}

}  // namespace
}  // namespace doorward::filter
