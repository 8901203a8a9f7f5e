#include "app/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "app/control_commands.h"
#include "app/control_socket.h"

namespace doorward::app {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "doorward-control-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/control.sock";
  }
  ~ControlTest() override {
    control_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open(ControlHandler handler) {
    auto opened = Control::open(path_, std::move(handler));
    if (!opened) throw std::runtime_error(opened.error().text());
    control_ = std::move(*opened);
    control_->start();
  }
  // What comes back for these octets.
  std::string say(std::string_view octets) const {
    auto socket = LocalSocket::connect(path_);
    if (!socket || !*socket) return "(no connection)";
    (*socket)->write(octets, 5s);
    std::string all;
    for (;;) {
      auto line = (*socket)->read_line(1 << 20, 10s);
      if (!line || !*line) return all;
      all += **line + "\n";
    }
  }

  std::string folder_, path_;
  std::unique_ptr<Control> control_;
};

TEST_F(ControlTest, AnswersInLines) {
  open([](std::string_view request, const Answer& answer) -> Result<void> {
    answer("{\"got\":\"" + std::string(request) + "\"}");
    for (int i = 0; i < 5'000; ++i) answer("{\"n\":" + std::to_string(i) + "}");
    return {};
  });
  size_t lines = 0;
  std::string first;
  auto done = ask(path_, "hello", [&](std::string_view line) {
    if (lines++ == 0) first = line;
    return true;
  });
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(*done, Asked::done);
  EXPECT_EQ(first, "{\"got\":\"hello\"}");
  EXPECT_EQ(lines, 5'001U);
}

TEST_F(ControlTest, NobodyListens) {
  EXPECT_EQ(*ask(path_, "x", [](std::string_view) { return true; }), Asked::nobody);
  {  // what a crash leaves behind
    auto left = LocalSocket::listen(path_);
    ASSERT_TRUE(left);
  }
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_EQ(*ask(path_, "x", [](std::string_view) { return true; }), Asked::nobody);
  open([](std::string_view, const Answer&) -> Result<void> { return {}; });
  EXPECT_EQ(*ask(path_, "x", [](std::string_view) { return true; }), Asked::done);
  auto second = Control::open(path_, {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text(), HasSubstr("another gateway"));
}

TEST_F(ControlTest, IsForItsOwnerAlone) {
  open([](std::string_view, const Answer&) -> Result<void> { return {}; });
  struct stat found{};
  ASSERT_EQ(lstat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
  control_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ControlTest, TheKernelSaysWhoAsks) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const LocalSocket one(ends[0]), other(ends[1]);
  EXPECT_TRUE(one.is_from_root_or_us());
}

TEST_F(ControlTest, AnotherAccountIsNotLetIn) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another account";
  open([](std::string_view, const Answer&) -> Result<void> { return {}; });
  // Even where someone opened the way to it: the kernel's word on the other end counts.
  std::filesystem::permissions(folder_, std::filesystem::perms::all);
  std::filesystem::permissions(path_, std::filesystem::perms::all);
  const pid_t child = fork();
  if (child == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(2);
    auto socket = LocalSocket::connect(path_);
    if (!socket || !*socket) _exit(3);
    (*socket)->write("x\n", 1s);
    auto line = (*socket)->read_line(1'000, 10s);
    _exit(line && *line ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(ControlTest, AFileInItsPlaceStays) {
  std::ofstream(path_) << "mine";
  auto opened = Control::open(path_, {});
  ASSERT_FALSE(opened);
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST_F(ControlTest, HostileRequestsAreErrors) {
  const RealClock clock;
  Services services{.spool = []() -> Result<spool::Spool*> { return fail("no queue here"); },
                    .vault = []() -> Result<vault::Vault*> { return fail("no vault here"); },
                    .snapshot = []() -> Result<std::shared_ptr<const policy::Snapshot>> { return fail("no policy"); },
                    .trust = []() -> Result<TrustAccess> { return fail("no trust here"); },
                    .commit = {},
                    .clock = clock};
  open([&](std::string_view request, const Answer& answer) { return run_control_command(request, services, answer); });
  EXPECT_THAT(say("\n"), HasSubstr("no JSON"));
  EXPECT_THAT(say("[]\n"), HasSubstr("no object"));
  EXPECT_THAT(say("{}\n"), HasSubstr("not of version"));
  EXPECT_THAT(say("{\"doorward\":\"1\"}\n"), HasSubstr("not of version"));
  EXPECT_THAT(say("{\"doorward\":1,\"command\":7}\n"), HasSubstr("no text"));
  EXPECT_THAT(say("{\"doorward\":1,\"command\":\"\xff\x1b[2J\"}\n"), HasSubstr("error"));
  EXPECT_THAT(say("{\"doorward\":1,\"command\":\"queue.list\"}\n"), HasSubstr("no queue here"));
  EXPECT_THAT(say("{\"doorward\":1,\"command\":\"quarantine.show\"}\n"), HasSubstr("no vault here"));
  const std::string show = R"({"doorward":1,"command":"trust.show",)";
  EXPECT_THAT(say(show + "\"customer\":1,\"address\":\"a@b.example\"}\n"), HasSubstr("no trust here"));
  EXPECT_THAT(say(show + "\"address\":\"a@b.example\"}\n"), HasSubstr("customer"));
  EXPECT_THAT(say(show + "\"customer\":1,\"address\":\"a@\"}\n"), HasSubstr("no address"));
  EXPECT_THAT(say(show + "\"customer\":1,\"domain\":\"gmail.com\"}\n"), HasSubstr("everybody's"));
  EXPECT_THAT(say("{\"doorward\":1" + std::string(20, '[') + "\n"), HasSubstr("no JSON"));
  EXPECT_THAT(say("{\"a\":" + std::string(1'000, '[') + "\n"), HasSubstr("no JSON"));
  EXPECT_THAT(say(std::string(200'000, 'x')), HasSubstr("too long"));
  EXPECT_THAT(say(std::string("\0\0\0\n", 4)), HasSubstr("no JSON"));
  // A slip must not make "all" of "some".
  const std::string remove = R"({"doorward":1,"command":"queue.remove",)";
  EXPECT_THAT(say(remove + "\"recipent\":\"a@b.example\"}\n"), HasSubstr("no field"));
  EXPECT_THAT(say(remove + "\"held\":\"yes\"}\n"), HasSubstr("neither true nor false"));
  EXPECT_FALSE(ids_field(boost::json::parse(R"({"ids":[]})").get_object()));
  // And it goes on.
  EXPECT_THAT(say("{\"doorward\":1,\"command\":\"queue.list\"}\n"), HasSubstr("no queue here"));
}

TEST_F(ControlTest, WhoeverSaysNothingHoldsNobodyUp) {
  open([](std::string_view, const Answer&) -> Result<void> { return {}; });
  auto silent = LocalSocket::connect(path_);
  ASSERT_TRUE(silent && *silent);
  (*silent)->write("half a li", 1s);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(say("x\n"), "{\"end\":true}\n");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 4s);
  auto line = (*silent)->read_line(1'000, 10s);
  ASSERT_TRUE(line && *line);
  EXPECT_THAT(**line, HasSubstr("no answer in time"));
}

TEST_F(ControlTest, AReaderWhoNeverEndsHoldsUpNoStop) {
  std::atomic<bool> answering = false;
  open([&](std::string_view, const Answer& answer) -> Result<void> {
    const std::string line(1'000, 'x');
    while (answer(line)) answering = true;
    return {};
  });
  auto reader = LocalSocket::connect(path_);
  ASSERT_TRUE(reader && *reader);
  (*reader)->write("x\n", 1s);
  std::jthread reading([&](const std::stop_token& ended) {
    while (!ended.stop_requested() && (*reader)->read_line(10'000, 100ms)) {
    }
  });
  while (!answering) std::this_thread::sleep_for(1ms);
  const auto begun = std::chrono::steady_clock::now();
  control_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

TEST_F(ControlTest, FieldsAreChecked) {
  namespace json = boost::json;
  EXPECT_FALSE(ids_field(json::parse(R"({"ids":"x"})").get_object()));
  EXPECT_FALSE(ids_field(json::parse(R"({"ids":["short"]})").get_object()));
  EXPECT_EQ(ids_field(json::parse(R"({"ids":["01hf7yat00abcdefghjkmnpqrs"]})").get_object())->at(0),
            "01HF7YAT00ABCDEFGHJKMNPQRS");
  EXPECT_FALSE(number_field(json::parse(R"({"n":-1})").get_object(), "n", 0));
  EXPECT_FALSE(number_field(json::parse(R"({"n":1.5})").get_object(), "n", 0));
  EXPECT_EQ(*number_field(json::parse(R"({})").get_object(), "n", 7), 7U);
}

}  // namespace
}  // namespace doorward::app
