#include "filter/word_automaton.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

namespace doorward::filter {
namespace {

using sheet::Points;

WordEntry exact(std::string pattern) { return {.pattern = std::move(pattern), .points = Points::of(1)}; }
WordEntry similar(std::string pattern) {
  return {.pattern = std::move(pattern), .points = Points::of(1), .spelling = Spelling::similar};
}
WordEntry regex(std::string pattern) {
  return {.pattern = std::move(pattern), .points = Points::of(1), .kind = PatternKind::regex};
}

std::shared_ptr<const WordAutomaton> automaton(std::vector<WordEntry> entries) {
  auto made = WordAutomaton::compile({{.id = 7, .name = "test", .entries = std::move(entries)}}, "");
  EXPECT_TRUE(made) << made.error().text();
  return *made;
}

std::vector<std::string> hits(const WordAutomaton& words, std::string_view text, Where part = Where::body,
                              size_t most = 5) {
  std::vector<std::string> found;
  words.scan(text, part, {7}, most, [&](const WordHit& hit) {
    EXPECT_EQ(hit.list, 7U);
    EXPECT_LE(hit.start, hit.end);
    EXPECT_LE(hit.end, text.size());
    found.emplace_back(text.substr(hit.start, hit.end - hit.start));
  });
  return found;
}
std::vector<std::string> hits_of(WordEntry entry, std::string_view text) {
  return hits(*automaton({std::move(entry)}), text);
}
using Hits = std::vector<std::string>;

TEST(WordAutomaton, finds_whole_words_only) {
  EXPECT_EQ(hits_of(exact("rapist"), "a rapist, no therapist"), Hits{"rapist"});
  EXPECT_EQ(hits_of(exact("cash"), "(CASH) cash-flow cashier cash"), (Hits{"CASH", "cash", "cash"}));
  EXPECT_EQ(hits_of(exact("cash"), "cash"), Hits{"cash"});
  EXPECT_EQ(hits_of(exact("cash"), "cash9 9cash xcash"), Hits{});
}

TEST(WordAutomaton, compares_without_case_in_unicode) {
  EXPECT_EQ(hits_of(exact("größe"), "Die GRÖßE zählt"), Hits{"GRÖßE"});
  EXPECT_EQ(hits_of(exact("ВАС"), "для вас"), Hits{"вас"});
  EXPECT_EQ(hits_of(exact("ΣΟΦΟΣ"), "σοφος"), Hits{"σοφος"});
  EXPECT_EQ(hits_of(exact("größe"), "grosse"), Hits{});
}

TEST(WordAutomaton, question_mark_is_one_character) {
  EXPECT_EQ(hits_of(exact("v?agra"), "viagra v*agra vägra v agra vagra"), (Hits{"viagra", "v*agra"}));
  EXPECT_EQ(hits_of(exact("sch?n"), "schön"), Hits{"schön"});
  EXPECT_EQ(hits_of(exact("pill?"), "pill pills pillow"), Hits{"pills"});
}

TEST(WordAutomaton, star_stays_within_a_word) {
  EXPECT_EQ(hits_of(exact("casino*"), "casinos casino! casinobonus mycasino"),
            (Hits{"casinos", "casino", "casinobonus"}));
  EXPECT_EQ(hits_of(exact("*casino"), "mycasino casino casinos"), (Hits{"mycasino", "casino"}));
  EXPECT_EQ(hits_of(exact("gr*gratis"), "gratis gr gratis großgratis"), Hits{"großgratis"});
  EXPECT_EQ(hits_of(exact("*win*prize*"), "you winaprizenow"), Hits{"winaprizenow"});
  EXPECT_EQ(hits_of(exact("ca*no"), "ca" + std::string(40, 'x') + "no"), Hits{"ca" + std::string(40, 'x') + "no"});
  EXPECT_EQ(hits_of(exact("ca*no"), "ca" + std::string(41, 'x') + "no"), Hits{});
}

TEST(WordAutomaton, a_word_with_stars_hits_once) {
  EXPECT_EQ(hits_of(exact("*in*"), "singing in"), (Hits{"singing", "in"}));
}

TEST(WordAutomaton, the_spaces_of_a_phrase_match_any_white_space) {
  EXPECT_EQ(hits_of(exact("click here now"), "Click  \r\n here\t\u00A0now!"), Hits{"Click  \r\n here\t\u00A0now"});
  EXPECT_EQ(hits_of(exact("click here"), "clickhere click-here click hereby"), Hits{});
  EXPECT_EQ(hits_of(exact("*day trial"), "a 7day trial"), Hits{"7day trial"});
}

TEST(WordAutomaton, signs_in_a_pattern_are_meant) {
  EXPECT_EQ(hits_of(exact("100% free"), "It is 100% free."), Hits{"100% free"});
  EXPECT_EQ(hits_of(exact("100% free"), "It is 100 free."), Hits{});
  EXPECT_EQ(hits_of(exact("e-mail"), "e-mail e mail email"), Hits{"e-mail"});
  EXPECT_EQ(hits_of(exact("really\\?"), "really? really!"), Hits{"really?"});
  EXPECT_EQ(hits_of(exact("5\\* hotel"), "a 5* hotel, a 5th hotel"), Hits{"5* hotel"});
}

TEST(WordAutomaton, exact_spelling_is_exact) {
  for (const auto* text : {"v1agra", "v i a g r a", "viaagra", "vіagra", "víagra", "vlagra"}) {
    EXPECT_EQ(hits_of(exact("viagra"), text), Hits{}) << text;
  }
  EXPECT_EQ(hits_of(exact("viagra"), "vi\u200Bagra vi\u00ADagra"), (Hits{"vi\u200Bagra", "vi\u00ADagra"}));
}

TEST(WordAutomaton, similar_spelling_sees_through_disguises) {
  for (const auto* text : {"viagra",
                           "V1AGRA",
                           "v1@gra",
                           "V!agra",
                           "vi4gra",
                           "víàgrä",
                           "vіаgra",
                           "viaagraa",
                           "vlagra",
                           "ＶＩＡＧＲＡ",
                           "𝐯𝐢𝐚𝐠𝐫𝐚",
                           "vi\u200Bag\u00ADra",
                           "v\u0336i\u0336a\u0336g\u0336r\u0336a",
                           "v i a g r a",
                           "v.i.a.g.r.a",
                           "V-1-A-G-R-A",
                           "v_i_a_g_r_a",
                           "v  i  a  g  r  a",
                           "VVIAGRA",
                           "v í a g r a"}) {
    EXPECT_EQ(hits_of(similar("viagra"), text), Hits{text}) << text;
    EXPECT_EQ(hits_of(similar("viagra"), std::string("buy ") + text + ", now"), Hits{text}) << text;
  }
  EXPECT_EQ(hits_of(similar("click here"), "CL1CK  HERE"), Hits{"CL1CK  HERE"});
  EXPECT_EQ(hits_of(similar("cialis"), "c1al1s CIAlIS"), (Hits{"c1al1s", "CIAlIS"}));
}

TEST(WordAutomaton, similar_spelling_keeps_other_words_apart) {
  EXPECT_EQ(hits_of(similar("mail"), "mali maill ma1l"), (Hits{"maill", "ma1l"}));
  EXPECT_EQ(hits_of(similar("leet"), "1337"), Hits{}) << "a number is a number";
  EXPECT_EQ(hits_of(similar("ass"), "as a s"), Hits{}) << "letters may be said more often, not less";
  EXPECT_EQ(hits_of(similar("cop"), "сор"), Hits{}) << "a whole word of another script";
  EXPECT_EQ(hits_of(similar("schön"), "schon schön SCHÖN"), (Hits{"schön", "SCHÖN"}));
  EXPECT_EQ(hits_of(similar("free"), "freedom fr33dom careFree"), Hits{});
  EXPECT_EQ(hits_of(similar("sex"), "Essex sexton"), Hits{});
}

TEST(WordAutomaton, spaced_letters_need_an_edge) {
  EXPECT_EQ(hits_of(similar("viagra"), "v i a g r a n o w"), Hits{"v i a g r a"});
  EXPECT_EQ(hits_of(similar("sex"), "a b s e x y z"), Hits{});
  EXPECT_EQ(hits_of(exact("viagra"), "v i a g r a"), Hits{});
}

TEST(WordAutomaton, scripts_without_spaces_need_no_word_ends) {
  EXPECT_EQ(hits_of(exact("发票"), "代开发票请联系"), Hits{"发票"});
  EXPECT_EQ(hits_of(exact("無料"), "今なら無料です"), Hits{"無料"});
}

TEST(WordAutomaton, regexes_are_searched_in_the_text_as_it_is) {
  EXPECT_EQ(hits_of(regex(R"(\$\d+(,\d{3})+)"), "win $1,000,000 or $25"), Hits{"$1,000,000"});
  EXPECT_EQ(hits_of(regex("gr[aeä]tis"), "GRÄTIS gratis"), (Hits{"GRÄTIS", "gratis"}));
  EXPECT_EQ(hits_of(regex(R"(\bfree\b)"), "freedom is free"), Hits{"free"});
  EXPECT_EQ(hits_of(regex("a+b"), "\xFF\xFE aab \xC3"), Hits{"aab"}) << "bytes that are no UTF-8 do no harm";
}

TEST(WordAutomaton, each_entry_hits_no_more_than_allowed) {
  const auto words = automaton({exact("spam"), exact("ham"), regex("sp.m")});
  EXPECT_EQ(hits(*words, "spam spam spam spam ham", Where::body, 2), (Hits{"spam", "spam", "ham", "spam", "spam"}));
}

TEST(WordAutomaton, where_and_lists_decide_what_counts) {
  WordEntry in_subject = exact("offer");
  in_subject.where = Where::subject;
  const auto made = WordAutomaton::compile(
      {{.id = 9, .name = "nine", .entries = {exact("offer")}}, {.id = 3, .name = "three", .entries = {in_subject}}},
      "");
  ASSERT_TRUE(made);
  const auto owners = [&](Where part, const std::vector<uint64_t>& lists) {
    std::vector<uint64_t> found;
    (*made)->scan("an offer", part, lists, 5, [&](const WordHit& hit) { found.push_back(hit.list); });
    std::ranges::sort(found);
    return found;
  };
  EXPECT_EQ(owners(Where::subject, {3, 9}), (std::vector<uint64_t>{3, 9}));
  EXPECT_EQ(owners(Where::body, {3, 9}), (std::vector<uint64_t>{9}));
  EXPECT_EQ(owners(Where::subject, {3}), (std::vector<uint64_t>{3}));
  EXPECT_EQ(owners(Where::subject, {4}), (std::vector<uint64_t>{}));
  ASSERT_NE((*made)->list(3), nullptr);
  EXPECT_EQ((*made)->list(3)->name, "three");
  EXPECT_EQ((*made)->list(4), nullptr);
}

TEST(WordAutomaton, check_says_what_is_wrong) {
  const auto wrong = [](WordEntry entry) {
    const auto checked = WordAutomaton::check(entry);
    return checked ? std::string() : checked.error().what;
  };
  EXPECT_EQ(wrong(exact("viagra")), "");
  EXPECT_EQ(wrong(similar("click * here")), "");
  EXPECT_EQ(wrong(regex("[a-z]{3,20}@example")), "");
  EXPECT_NE(wrong(exact("")), "");
  EXPECT_NE(wrong(exact("*")), "");
  EXPECT_NE(wrong(exact("a?b*c")), "") << "no two characters beside each other";
  EXPECT_NE(wrong(exact(std::string(201, 'a'))), "");
  EXPECT_NE(wrong(exact("ab\xFF")), "");
  EXPECT_NE(wrong(exact("ab*c*d*e*f*g*h*i*j*k")), "");
  EXPECT_NE(wrong(regex("(")), "");
  EXPECT_NE(wrong(regex("a*")), "") << "it matches nothing at all";
  EXPECT_NE(wrong(regex("a\\Cb")), "");
  EXPECT_NE(wrong(regex("((a{1,100}){1,100}){1,100}x")), "");
  WordEntry dear = exact("word");
  dear.points = Points::of(11);
  EXPECT_NE(wrong(dear), "");
}

TEST(WordAutomaton, a_bad_entry_does_not_take_the_others_down) {
  const auto words = automaton({regex("("), exact("spam"), exact("?"), regex("ham")});
  std::vector<uint32_t> entries;
  words->scan("spam ham", Where::body, {7}, 5, [&](const WordHit& hit) { entries.push_back(hit.entry); });
  EXPECT_EQ(entries, (std::vector<uint32_t>{1, 3}));
}

TEST(WordAutomaton, hostile_regexes_take_no_time) {
  using Clock = std::chrono::steady_clock;
  const std::string text = std::string(60'000, 'a') + "!";
  for (const auto* pattern :
       {"(a+)+$", "(a|aa)+$", "(.*a){20}$", "(a?){50}a{50}", "[a-z]{1,200}b", "(x+x+)+y", "(.{1,60}a){1,9}b"}) {
    const auto start = Clock::now();
    if (WordAutomaton::check(regex(pattern))) {
      const auto words = automaton({regex(pattern)});
      hits(*words, text);
    }
    EXPECT_LT(Clock::now() - start, std::chrono::seconds(5)) << pattern;
  }
}

TEST(WordAutomaton, hostile_texts_take_no_time) {
  std::vector<WordEntry> entries;
  for (int i = 0; i < 50; ++i) entries.push_back(similar("*ab?ab?ab*ab?" + std::to_string(1000 + i)));
  const auto words = automaton(std::move(entries));
  std::string text;
  while (text.size() < 500'000) text += "ab";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(hits(*words, text), Hits{});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

struct Folder {
  std::string path = testing::TempDir() + "words-" + std::to_string(getpid());
  Folder() { std::filesystem::remove_all(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(path)) found.push_back(entry.path());
    return found;
  }
};

std::vector<WordList> many_lists() {
  std::vector<WordEntry> entries{similar("viagra"), regex("gr[ae]tis")};
  for (int i = 0; i < 2000; ++i) entries.push_back(exact("word" + std::to_string(i * 7919)));
  return {{.id = 7, .name = "many", .entries = std::move(entries)}};
}

TEST(WordAutomaton, comes_back_from_its_cache) {
  const Folder folder;
  ASSERT_TRUE(WordAutomaton::compile(many_lists(), folder.path));
  ASSERT_EQ(folder.files().size(), 1U);
  const auto file = folder.files().front();
  const auto written = std::filesystem::last_write_time(file);
  const auto again = WordAutomaton::compile(many_lists(), folder.path);
  ASSERT_TRUE(again);
  EXPECT_EQ(std::filesystem::last_write_time(file), written) << "it was read, not made again";
  EXPECT_EQ(hits(**again, "V1agra gratis word7919"), (Hits{"V1agra", "word7919", "gratis"}));
}

TEST(WordAutomaton, a_broken_cache_is_made_again) {
  const Folder folder;
  ASSERT_TRUE(WordAutomaton::compile(many_lists(), folder.path));
  const auto file = folder.files().front();
  std::string bytes;
  {
    std::ifstream in(file, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  for (const size_t at : {size_t{3}, size_t{30}, bytes.size() / 2, bytes.size() - 1}) {
    std::string broken = bytes;
    broken[at] = static_cast<char>(broken[at] ^ 1);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << broken;
    const auto again = WordAutomaton::compile(many_lists(), folder.path);
    ASSERT_TRUE(again);
    EXPECT_EQ(hits(**again, "V1agra gratis"), (Hits{"V1agra", "gratis"}));
  }
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes.substr(0, bytes.size() / 2);
  ASSERT_TRUE(WordAutomaton::compile(many_lists(), folder.path));
  EXPECT_EQ(std::filesystem::file_size(file), bytes.size());
}

TEST(WordAutomaton, a_folder_that_cannot_be_written_is_no_error) {
  EXPECT_TRUE(WordAutomaton::compile(many_lists(), "/proc/nowhere"));
}

TEST(WordAutomaton, old_caches_are_removed) {
  const Folder folder;
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(
        WordAutomaton::compile({{.id = 7, .name = "x", .entries = {exact("word" + std::to_string(i))}}}, folder.path));
  }
  EXPECT_EQ(folder.files().size(), 4U);
}

TEST(WordAutomaton, many_threads_scan_at_once) {
  const auto words = automaton({similar("viagra"), regex("gr[ae]tis")});
  std::vector<std::jthread> threads;
  std::atomic<int> found = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) words->scan("v1agra gratis", Where::body, {7}, 5, [&](const WordHit&) { ++found; });
    });
  }
  threads.clear();
  EXPECT_EQ(found, 4000);
}

TEST(WordAutomaton, an_empty_automaton_finds_nothing) {
  const auto none = WordAutomaton::compile({}, "");
  ASSERT_TRUE(none);
  EXPECT_EQ(hits(**none, "text"), Hits{});
}

}  // namespace
}  // namespace doorward::filter
