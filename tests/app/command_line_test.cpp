// The man page and the completions name each command's options as its own --help does: none is missing, none is left
// over.
#include "app/command_line.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace doorward::app {
namespace {

using Options = std::set<std::string>;

const std::vector<std::string> kCommands = {"serve",
                                            "scan",
                                            "learn",
                                            "evaluate",
                                            "check",
                                            "policy export",
                                            "policy import",
                                            "policy diff",
                                            "sink",
                                            "centre serve",
                                            "centre key",
                                            "centre enrol",
                                            "centre trust",
                                            "centre distrust",
                                            "centre revoke",
                                            "centre list",
                                            "centre tell",
                                            "spool fsck",
                                            "reports send",
                                            "reports list",
                                            "reports show",
                                            "reports sources",
                                            "reports import",
                                            "queue list",
                                            "queue show",
                                            "queue retry",
                                            "queue hold",
                                            "queue release",
                                            "queue remove",
                                            "queue bounce",
                                            "quarantine list",
                                            "quarantine show",
                                            "quarantine release",
                                            "quarantine delete"};

std::string help_of(const std::string& command) {
  std::vector<std::string> words = {"doorward"};
  std::istringstream split(command);
  for (std::string word; split >> word;) words.push_back(word);
  words.emplace_back("--help");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  testing::internal::CaptureStdout();
  EXPECT_EQ(run(static_cast<int>(words.size()), arguments.data()), 0) << command;
  return testing::internal::GetCapturedStdout();
}

std::string packaged(const std::string& name) {
  std::ifstream in(TEST_DATA "/../../packaging/" + name);
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

// The long options in a text, but --help, which all commands have.
Options options_in(const std::string& text) {
  static const std::regex kOption("--([a-z][a-z-]*)");
  Options found;
  for (std::sregex_iterator at(text.begin(), text.end(), kOption), end; at != end; ++at) found.insert((*at)[1]);
  found.erase("help");
  return found;
}

// What --help lists at the beginnings of its lines; words of other options' descriptions do not count.
Options options_of(const std::string& command) {
  std::istringstream lines(help_of(command));
  Options found;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  -")) found.merge(options_in(line.substr(0, line.find(' ', 2))));
  }
  return found;
}

TEST(CommandLine, ManPageHasEachCommandsOptions) {
  const std::string page = std::regex_replace(packaged("doorward.1"), std::regex(R"(\\-)"), "-");
  const size_t begin = page.find(".SH SYNOPSIS"), end = page.find(".SH DESCRIPTION");
  ASSERT_LT(begin, end);
  std::map<std::string, Options> written;
  std::string synopsis = page.substr(begin, end - begin);
  for (size_t at = 0; (at = synopsis.find(".B doorward ", at)) != std::string::npos;) {
    at += std::string(".B doorward ").size();
    const size_t line_end = synopsis.find('\n', at);
    written[synopsis.substr(at, line_end - at)] =
        options_in(synopsis.substr(line_end, synopsis.find(".br", at) - line_end));
  }
  for (const std::string& command : kCommands) {
    ASSERT_TRUE(written.contains(command)) << command;
    EXPECT_EQ(written[command], options_of(command)) << command;
  }
}

TEST(CommandLine, BashCompletesEachCommandsOptions) {
  const std::string script = packaged("completions/doorward.bash");
  for (const std::string& command : kCommands) {
    const size_t at = script.find("\"" + command + "\") options=");
    ASSERT_NE(at, std::string::npos) << command;
    EXPECT_EQ(options_in(script.substr(at, script.find('\n', at) - at)), options_of(command)) << command;
  }
}

TEST(CommandLine, ZshCompletesEachOption) {
  Options all;
  for (const std::string& command : kCommands) all.merge(options_of(command));
  EXPECT_EQ(options_in(packaged("completions/doorward.zsh")), all);
}

TEST(CommandLine, EachCommandIsKnownToHelp) {
  const std::string help = help_of("");
  std::set<std::string> listed;
  std::istringstream lines(help.substr(help.find("Subcommands:") + 12));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  ") && line.size() > 2 && line[2] != ' ')
      listed.insert(line.substr(2, line.find(' ', 2) - 2));
  }
  EXPECT_EQ(listed, (std::set<std::string>{"serve", "scan", "learn", "evaluate", "check", "policy", "sink", "queue",
                                           "quarantine", "reports", "spool", "trust", "centre"}));
}

TEST(CommandLine, ChoicesReadAsWords) {
  EXPECT_NE(help_of("evaluate").find("--score points|statistics"), std::string::npos) << help_of("evaluate");
}

TEST(CommandLine, WrongUsageIsTwo) {
  testing::internal::CaptureStderr();
  std::string program = "doorward", wrong = "--no-such-option";
  char* arguments[] = {program.data(), wrong.data(), nullptr};
  EXPECT_EQ(run(2, arguments), 2);
  EXPECT_FALSE(testing::internal::GetCapturedStderr().empty());
}

}  // namespace
}  // namespace doorward::app
