#include "app/learn.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "mime/message.h"

namespace doorward::app {
namespace {

namespace fs = std::filesystem;

TEST(Learn, TeachesBothKindsFromFoldersAndFiles) {
  std::string name = (fs::temp_directory_path() / "doorward-learn-XXXXXX").string();
  const fs::path folder = ::mkdtemp(name.data());
  fs::create_directories(folder / "ham");
  std::string mbox;
  for (int number = 0; number < 700; ++number) {  // more than are read ahead
    std::ofstream(folder / "ham" / std::to_string(number)) << "Subject: a\n\nminutes of meeting " << number << "\n";
  }
  for (int number = 0; number < 40; ++number) {
    mbox += "From x Tue Jan  1 10:00:00 2002\nSubject: b\n\nlottery prize " + std::to_string(number) + "\n\n";
  }
  std::ofstream(folder / "spam.mbox") << mbox;

  const auto statistics = std::move(*trust::WordStatistics::open({.table_entries = 1 << 16}));
  size_t calls = 0;
  const auto learnt = run_learn({(folder / "ham").string()}, {(folder / "spam.mbox").string()}, *statistics,
                                [&](const Learnt&) { ++calls; });
  ASSERT_TRUE(learnt);
  EXPECT_EQ(learnt->ham, 700u);
  EXPECT_EQ(learnt->spam, 40u);
  EXPECT_EQ(calls, 740u);
  const std::string raw = "Subject: b\n\nlottery prize 99\n";
  const auto opinion = statistics->judge(trust::features_of(mime::Message::parse(raw)), 0);
  EXPECT_TRUE(opinion.known);
  EXPECT_GT(opinion.spam, 0.5);
  EXPECT_FALSE(run_learn({(folder / "missing").string()}, {}, *statistics, {}));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace doorward::app
