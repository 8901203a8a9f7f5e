#include "gateway/centre_client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "delivery/core_runner.h"
#include "http/server.h"
#include "net/fake_resolver.h"
#include "trust/varied_mail.h"

namespace doorward::gateway {
namespace {

using namespace std::chrono_literals;

// A centre that answers as it is told, on a core of its own.
class CentreClientTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(place_);
    std::ofstream(place_ + "/token") << "the-token\r\n";
    std::ofstream(place_ + "/key") << "Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M\n";
    server_.route("POST", "/v1/ask", [this](const http::Request& request) { return reply(answer(request)); });
    server_.route("POST", "/v1/report", [this](const http::Request& request) { return reply(take(request)); });
    ASSERT_TRUE(server_.bind(*net::Endpoint::parse("127.0.0.1:0")));
    server_.start();
    cores_.start();
    options_.url = "http://127.0.0.1:" + std::to_string(server_.addresses().at(0).port);
    options_.token_file = place_ + "/token";
    options_.key_file = place_ + "/key";
    options_.patience = 5s;
  }
  void TearDown() override {
    runner_.run([this]() -> Task<void> {
      client_.reset();
      co_return;
    });
    server_.stop();
    cores_.stop();
    cores_.join();
    std::filesystem::remove_all(place_);
  }

  static Task<http::Response> reply(http::Response response) { co_return response; }
  http::Response answer(const http::Request& request) {
    const std::lock_guard guard(lock_);
    token_ = request.header("Authorization");
    const auto ids = trust::parse_questions(request.body);
    if (status_ != 200 || !ids) return {status_, "no\n"};
    batches_.push_back(ids->size());
    std::vector<trust::ReferenceAnswer> answers(ids->size() + surplus_);
    for (size_t at = 0; at < ids->size(); ++at) {
      answers[at].known = true;
      answers[at].spam = (*ids)[at].starts_with("spam") ? 0.9 : 0.1;
    }
    return {200, trust::answers_text(answers)};
  }
  http::Response take(const http::Request& request) {
    const std::lock_guard guard(lock_);
    if (status_ != 200) return {status_, "no\n"};
    for (auto& report : trust::parse_reports(request.body).value()) reports_.push_back(std::move(report));
    return {202, "taken\n"};
  }

  CentreClient& client() {
    if (!client_) {
      auto made = CentreClient::make(options_, names_, 1);
      EXPECT_TRUE(made) << made.error().text();
      client_ = std::move(*made);
    }
    return *client_;
  }
  std::optional<trust::ReferenceAnswer> ask(const std::string& id) {
    std::optional<trust::ReferenceAnswer> answer;
    runner_.run([&]() -> Task<void> { answer = (co_await client().ask(runner_.core(), id)).answer; });
    return answer;
  }
  bool send() {
    bool sent = false;
    runner_.run([&]() -> Task<void> { sent = (co_await client().send_now(runner_.core())).has_value(); });
    return sent;
  }

  std::string place_ = std::filesystem::path(testing::TempDir()) / ("centre_client." + std::to_string(::getpid()));
  net::Cores cores_{1};
  http::Server server_{cores_};
  test::CoreRunner runner_;
  net::test::FakeResolver names_;
  CentreOptions options_;
  std::shared_ptr<CentreClient> client_;
  std::mutex lock_;
  int status_ = 200;
  size_t surplus_ = 0;
  std::string token_;
  std::vector<size_t> batches_;
  std::vector<trust::ReportedReference> reports_;
};

TEST_F(CentreClientTest, AsksWithItsToken) {
  const auto answer = ask("spam");
  ASSERT_TRUE(answer);
  EXPECT_DOUBLE_EQ(answer->spam, 0.9);
  EXPECT_EQ(token_, "Bearer the-token");
}

TEST_F(CentreClientTest, QuestionsOfTheSameMomentGoTogetherAndEachHasItsAnswer) {
  std::vector<CentreClient::Told> told;
  runner_.run([&]() -> Task<void> {
    std::vector<Task<CentreClient::Told>> asked;
    for (int number = 0; number < 600; ++number) {
      asked.push_back(client().ask(runner_.core(), (number % 3 == 0 ? "spam" : "good") + std::to_string(number)));
    }
    told = co_await when_all(std::move(asked));
  });
  for (size_t number = 0; number < told.size(); ++number) {
    ASSERT_TRUE(told[number].answer) << number;
    EXPECT_DOUBLE_EQ(told[number].answer->spam, number % 3 == 0 ? 0.9 : 0.1) << number;
  }
  ASSERT_LE(batches_.size(), 5u);
  EXPECT_EQ(std::ranges::max(batches_), trust::kMostInBatch);
}

TEST_F(CentreClientTest, AfterAFailureItIsLeftAloneForAWhile) {
  status_ = 500;
  EXPECT_FALSE(ask("spam"));
  status_ = 200;
  EXPECT_FALSE(ask("spam")) << "still resting";
  EXPECT_TRUE(batches_.empty());
  std::this_thread::sleep_for(1100ms);
  EXPECT_TRUE(ask("spam"));
}

TEST_F(CentreClientTest, WhatDoesNotFitTheQuestionsIsNoAnswer) {
  surplus_ = 1;
  EXPECT_FALSE(ask("spam"));
}

TEST_F(CentreClientTest, NobodyWaitsLongerThanItsPatience) {
  options_.url = "http://192.0.2.1:9";  // leads nowhere (RFC 5737)
  options_.patience = 100ms;
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(ask("spam"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

TEST_F(CentreClientTest, ReportsOnceWhatIsReportedOften) {
  for (int time = 0; time < 5; ++time) client().report(trust::Report::spam, "one");
  client().report(trust::Report::not_spam, "one");
  client().report(trust::Report::seen, "");
  ASSERT_TRUE(send());
  ASSERT_EQ(reports_.size(), 2u);
  EXPECT_EQ(reports_[0].what, trust::Report::spam);
  EXPECT_EQ(reports_[1].what, trust::Report::not_spam);
  EXPECT_TRUE(send());
  EXPECT_EQ(reports_.size(), 2u);
}

TEST_F(CentreClientTest, WhatCannotBeReportedNowIsReportedLater) {
  status_ = 503;
  for (int number = 0; number < 700; ++number) client().report(trust::Report::seen, std::to_string(number));
  EXPECT_FALSE(send());
  EXPECT_TRUE(reports_.empty());
  status_ = 200;
  EXPECT_TRUE(send());
  ASSERT_EQ(reports_.size(), 700u);
  EXPECT_EQ(reports_[0].id, "0");
}

TEST_F(CentreClientTest, WhoIsNotToReportDoesNot) {
  options_.report = false;
  client().report(trust::Report::spam, "one");
  EXPECT_TRUE(send());
  EXPECT_TRUE(reports_.empty());
}

TEST_F(CentreClientTest, WrongSettingsAreNamed) {
  const auto trouble = [this](auto change) {
    CentreOptions options = options_;
    change(options);
    const auto made = CentreClient::make(options, names_, 1);
    return made ? std::string() : made.error().text();
  };
  EXPECT_EQ(trouble([](auto&) {}), "");
  EXPECT_NE(trouble([](auto& o) { o.url = "centre.example"; }).find("centre.url"), std::string::npos);
  EXPECT_NE(trouble([](auto& o) { o.token_file = ""; }).find("enrol"), std::string::npos);
  EXPECT_NE(trouble([](auto& o) { o.token_file = "/nonexistent/token"; }).find("/nonexistent/token"),
            std::string::npos);
  EXPECT_NE(trouble([this](auto& o) { o.key_file = place_ + "/token"; }).find("centre key"), std::string::npos);
  const auto none = CentreClient::make({}, names_, 1);
  ASSERT_TRUE(none);
  EXPECT_EQ(*none, nullptr);
}

}  // namespace
}  // namespace doorward::gateway
