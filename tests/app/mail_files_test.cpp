#include "app/mail_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace doorward::app {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> mails_of(std::string_view mbox) {
  std::vector<std::string> mails;
  for_each_mail_of_mbox(mbox, [&](std::string_view raw) {
    mails.emplace_back(raw);
    return true;
  });
  return mails;
}
using Mails = std::vector<std::string>;

TEST(Mbox, IsPartedAtSeparators) {
  EXPECT_EQ(mails_of("From a@x Tue Jan  1 10:00:00 2002\nSubject: 1\n\none\n\nFrom b@x Tue Jan  1 10:00:00 2002\n"
                     "Subject: 2\n\ntwo\n\n"),
            (Mails{"Subject: 1\n\none\n", "Subject: 2\n\ntwo\n"}));
}

TEST(Mbox, LineEndsMayBeCrLf) {
  EXPECT_EQ(
      mails_of("From a Tue Jan  1 10:00:00 2002\r\nSubject: 1\r\n\r\none\r\n\r\nFrom b Tue Jan  1 10:00:00 2002\r\n"
               "Subject: 2\r\n\r\ntwo\r\n"),
      (Mails{"Subject: 1\r\n\r\none\r\n", "Subject: 2\r\n\r\ntwo\r\n"}));
}

TEST(Mbox, SentencesThatBeginWithFromAreText) {
  const std::string text = "Subject: 1\n\none\n\nFrom here on it is text\nFrom b Tue Jan  1 10:00:00 2002\n";
  EXPECT_EQ(mails_of("From a Tue Jan  1 10:00:00 2002\n" + text), Mails{text});
}

TEST(Mbox, QuotingIsUndoneOnce) {
  EXPECT_EQ(mails_of("From a Tue Jan  1 10:00:00 2002\nS: 1\n\n>From here\n>>From there\n> From far\n>Frombe\n"),
            Mails{"S: 1\n\nFrom here\n>From there\n> From far\n>Frombe\n"});
}

TEST(Mbox, EmptyAndCutShort) {
  EXPECT_EQ(mails_of(""), Mails{});
  EXPECT_EQ(mails_of("From a Tue Jan  1 10:00:00 2002"), Mails{""});
  EXPECT_EQ(mails_of("no mbox at all\n"), Mails{});
}

class MailFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "doorward-mails-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  void put(const fs::path& path, std::string_view content) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << content;
  }
  // "name=content" of each, names relative to the folder.
  std::vector<std::string> read(const fs::path& path) {
    std::vector<std::string> found;
    const auto summary = for_each_mail((folder_ / path).string(), [&](const MailOnDisk& mail) {
      found.push_back(std::string(mail.name).substr(folder_.string().size() + 1) + "=" + std::string(mail.raw));
      return true;
    });
    EXPECT_TRUE(summary);
    if (summary) {
      EXPECT_EQ(summary->mails, found.size());
      unreadable_ = summary->unreadable;
    }
    return found;
  }
  fs::path folder_;
  size_t unreadable_ = 0;
};

TEST_F(MailFiles, OneFileIsOneMail) {
  put("a.eml", "Subject: a\n\nFrom here\n");
  EXPECT_EQ(read("a.eml"), Mails{"a.eml=Subject: a\n\nFrom here\n"});
  put("empty.eml", "");
  EXPECT_EQ(read("empty.eml"), Mails{"empty.eml="});
}

TEST_F(MailFiles, AFileOfOneMailMayHaveASeparator) {
  put("a.eml", "From a@x Tue Jan  1 10:00:00 2002\nSubject: a\n\ntext\n");
  EXPECT_EQ(read("a.eml"), Mails{"a.eml=Subject: a\n\ntext\n"});
}

TEST_F(MailFiles, MailsOfAnMboxAreNumbered) {
  put("box", "From a Tue Jan  1 10:00:00 2002\nS: 1\n\n1\n\nFrom b Tue Jan  1 10:00:00 2002\nS: 2\n\n2\n");
  EXPECT_EQ(read("box"), (Mails{"box:1=S: 1\n\n1\n", "box:2=S: 2\n\n2\n"}));
}

TEST_F(MailFiles, FoldersAreReadInOrderAndHiddenFilesLeftOut) {
  put("f/b.eml", "b");
  put("f/a/c.eml", "c");
  put("f/.hidden", "no");
  fs::create_directory_symlink(folder_ / "f", folder_ / "f/a/loop");
  EXPECT_EQ(read("f"), (Mails{"f/a/c.eml=c", "f/b.eml=b"}));
  EXPECT_EQ(unreadable_, 1u);  // the link, which is not followed, is told
}

TEST_F(MailFiles, AMaildirHasCurNewAndSubfolders) {
  put("m/cur/1:2,S", "one");
  put("m/new/2", "two");
  put("m/tmp/3", "not there yet");
  put("m/dovecot.index", "no mail");
  put("m/.Junk/cur/4", "four");
  fs::create_directories(folder_ / "m/.Junk/new");
  EXPECT_EQ(read("m"), (Mails{"m/.Junk/cur/4=four", "m/cur/1:2,S=one", "m/new/2=two"}));
}

TEST_F(MailFiles, StopsWhenTold) {
  for (const char* name : {"f/1", "f/2", "f/3"}) put(name, "x");
  size_t seen = 0;
  const auto summary = for_each_mail((folder_ / "f").string(), [&](const MailOnDisk&) { return ++seen < 2; });
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->mails, 2u);
}

TEST_F(MailFiles, MissingPathsAreErrors) {
  const auto summary = for_each_mail((folder_ / "none").string(), [](const MailOnDisk&) { return true; });
  ASSERT_FALSE(summary);
  EXPECT_NE(summary.error().text().find("none"), std::string::npos);
}

}  // namespace
}  // namespace doorward::app
