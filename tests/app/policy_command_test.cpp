#include "app/policy_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/policy_file.h"
#include "policy/file.h"
#include "policy/tables.h"
#include "store/database.h"

namespace doorward::app {
namespace {

using testing::HasSubstr;
using What = PolicyOptions::What;

constexpr const char* kPolicy = R"([[backend]]
name = "main"
address = ["127.0.0.1:2525"]

[[customer]]
name = "C"

[[customer.domain]]
name = "example.org"
backend = "main"
)";

class PolicyCommand : public testing::Test {
 protected:
  PolicyCommand() {
    std::string pattern = (std::filesystem::temp_directory_path() / "doorward-policy-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    write("doorward.toml", "state_directory = \"state\"\ncache_directory = \"\"\n");
    write("policy.toml", kPolicy);
  }
  ~PolicyCommand() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  std::string read(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(path(name)).rdbuf();
    return text.str();
  }
  // The exit status; what was printed goes to out_ and err_.
  int run(What what, const std::string& file, bool json = false) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = policy_command({what, path("doorward.toml"), file.empty() ? file : path(file), json});
    std::fflush(nullptr);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return status;
  }

  std::string folder_, out_, err_;
};

TEST_F(PolicyCommand, ImportThenExportThenImportIsIdentical) {
  ASSERT_EQ(run(What::diff, "policy.toml"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("domain example.org: added\n"));
  ASSERT_EQ(run(What::import_, "policy.toml"), 0) << err_;
  ASSERT_EQ(run(What::export_, "first.toml"), 0) << err_;
  ASSERT_EQ(run(What::import_, "first.toml"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("0 changes imported"));
  ASSERT_EQ(run(What::export_, ""), 0) << err_;
  EXPECT_EQ(out_, read("first.toml"));
  ASSERT_EQ(run(What::diff, "policy.toml"), 0);
  EXPECT_EQ(out_, "nothing would change\n");
}

TEST_F(PolicyCommand, DiffIsJsonWhereAsked) {
  ASSERT_EQ(run(What::import_, "policy.toml"), 0) << err_;
  write("next.toml", std::string(kPolicy) + "threshold = \"strict\"\n");
  ASSERT_EQ(run(What::diff, "next.toml", true), 0) << err_;
  EXPECT_EQ(out_, "{\"object\":\"domain example.org\",\"what\":\"threshold\",\"before\":null,\"after\":\"strict\"}\n");
}

TEST_F(PolicyCommand, WrongFileChangesNothing) {
  ASSERT_EQ(run(What::import_, "policy.toml"), 0) << err_;
  write("wrong.toml", std::string(kPolicy) + "treshold = 3\n");
  EXPECT_EQ(run(What::import_, "wrong.toml"), 1);
  EXPECT_THAT(err_, HasSubstr("wrong.toml:11: unknown key 'treshold'; did you mean 'threshold'?"));
  // Well-formed, but no automaton can be made of it.
  write("regex.toml",
        std::string(kPolicy) + "[[word_list]]\nname = \"x\"\n[[word_list.entry]]\npattern = \"(\"\nkind = \"regex\"\n");
  EXPECT_EQ(run(What::import_, "regex.toml"), 1);
  ASSERT_EQ(run(What::diff, "policy.toml"), 0);
  EXPECT_EQ(out_, "nothing would change\n");
}

TEST_F(PolicyCommand, SaysThatTheNodesOwnFileWillReplaceTheImport) {
  write("doorward.toml", "state_directory = \"state\"\ncache_directory = \"\"\npolicy = \"own.toml\"\n");
  ASSERT_EQ(run(What::import_, "policy.toml"), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("replaces this import at the next reload"));
}

TEST_F(PolicyCommand, NodesOwnFileIsImportedWhenItSaysSomethingElse) {
  auto database = store::Database::open(":memory:");
  ASSERT_TRUE(database);
  EXPECT_TRUE(import_if_changed(**database, path("policy.toml")).value());
  EXPECT_FALSE(import_if_changed(**database, path("policy.toml")).value());
  write("policy.toml", std::string("# only a comment more\n") + kPolicy);
  EXPECT_FALSE(import_if_changed(**database, path("policy.toml")).value());
  write("policy.toml", std::string(kPolicy) + "threshold = 2\n");
  EXPECT_TRUE(import_if_changed(**database, path("policy.toml")).value());
  EXPECT_THAT(policy::to_file(*policy::read_policy(**database)), HasSubstr("threshold = 2"));
  write("policy.toml", "nonsense");
  EXPECT_FALSE(import_if_changed(**database, path("policy.toml")));
  EXPECT_THAT(policy::to_file(*policy::read_policy(**database)), HasSubstr("threshold = 2"));
  EXPECT_FALSE(import_if_changed(**database, path("missing.toml")));
}

}  // namespace
}  // namespace doorward::app
