#include "centre/service.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <future>
#include <thread>

#include "http/client.h"
#include "net/core.h"
#include "trust/reference_id.h"
#include "trust/varied_mail.h"

namespace doorward::centre {
namespace {

using namespace std::chrono_literals;
using trust::Report;

class ServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(place_);
    service_ = std::move(*Service::open({.directory = place_,
                                         .sightings_entries = 1 << 14,
                                         .verdicts_entries = 1 << 14,
                                         .limits = {.questions_a_second = 100, .reports_a_second = 100}},
                                        clock_));
    service_->serve(server_);
    ASSERT_TRUE(server_.bind(*net::Endpoint::parse("127.0.0.1:0")));
    server_.start();
    cores_.start();
  }
  void TearDown() override {
    server_.stop();
    cores_.stop();
    cores_.join();
    service_.reset();
    std::filesystem::remove_all(place_);
  }

  Task<void> run(std::promise<Result<http::Response>>& done, std::string path, std::string token, std::string body) {
    http::ClientOptions options;
    options.origin = *http::Origin::parse("http://127.0.0.1:" + std::to_string(server_.addresses().at(0).port));
    http::Client client(cores_.at(0), std::move(options));
    http::Request request;
    request.method = "POST";
    request.path = path;
    request.headers = {{"Authorization", "Bearer " + token}};
    request.body = std::move(body);
    auto response = co_await client.send(std::move(request), std::chrono::steady_clock::now() + 20s);
    done.set_value(std::move(response));
  }
  http::Response post(const std::string& path, const std::string& token, const std::string& body) {
    std::promise<Result<http::Response>> done;
    cores_.at(0).post([&] { spawn(run(done, path, token, body)); });
    auto response = done.get_future().get();
    EXPECT_TRUE(response);
    return response.value_or(http::Response(0, ""));
  }
  static std::string id_of(unsigned text, std::string_view domain, bool program) {
    return trust::ReferenceKey::of(std::string(32, 'k'), 1)
        ->id_of(trust::fingerprint_of_text(trust::text_of(text)), {trust::Sender::of_domain(domain), program});
  }
  void report(const std::string& token, Report what, unsigned text, std::string_view domain = "spam.example",
              bool program = false) {
    EXPECT_EQ(post("/v1/report", token, trust::reports_text({{what, id_of(text, domain, program)}})).status, 202);
  }
  // A program, as so many domains sent it.
  void report_spread(const std::string& token, unsigned text, unsigned domains) {
    std::vector<trust::ReportedReference> seen;
    for (unsigned domain = 0; domain < domains; ++domain) {
      seen.push_back({Report::seen, id_of(text, "d" + std::to_string(domain) + ".example", true)});
    }
    EXPECT_EQ(post("/v1/report", token, trust::reports_text(seen)).status, 202);
  }
  trust::ReferenceAnswer ask(const std::string& token, unsigned text, std::string_view domain = "last.example",
                             bool program = false) {
    const auto response = post("/v1/ask", token, trust::questions_text({id_of(text, domain, program)}));
    EXPECT_EQ(response.status, 200) << response.body;
    const auto answers = trust::parse_answers(response.body);
    return answers && answers->size() == 1 ? answers->front() : trust::ReferenceAnswer{};
  }
  // Reports are learnt a moment after they are taken.
  trust::ReferenceAnswer ask_until_known(const std::string& token, unsigned text) {
    for (int attempt = 0; attempt < 90; ++attempt) {
      if (const auto answer = ask(token, text); answer.known) return answer;
      std::this_thread::sleep_for(20ms);
      clock_.advance(100ms);
    }
    return {};
  }
  std::string enrol(const std::string& name, bool trusted) {
    return *service_->reporters().enrol(name, trusted, clock_.now());
  }

  std::string place_ = std::filesystem::path(testing::TempDir()) / ("centre." + std::to_string(::getpid()));
  ManualClock clock_{std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 9h};
  net::Cores cores_{1};
  std::unique_ptr<Service> service_;
  http::Server server_{cores_};
};

TEST_F(ServiceTest, WhatIsReportedIsAnsweredToOthers) {
  const auto one = enrol("one", true), other = enrol("other", false);
  EXPECT_FALSE(ask(other, 1).known);
  report(one, Report::user_spam, 1);
  const auto answer = ask_until_known(other, 1);
  EXPECT_TRUE(answer.known);
  EXPECT_GE(answer.spam, 0.5);
  EXPECT_EQ(answer.domains, trust::Breadth::few);
  EXPECT_FALSE(ask(other, 2).known);
}

TEST_F(ServiceTest, WhoWeighsNothingMakesNothingKnown) {
  const auto stranger = enrol("stranger", false), trusted = enrol("trusted", true);
  for (int domain = 0; domain < 20; ++domain) {
    report(stranger, Report::spam, 1, "d" + std::to_string(domain) + ".example");
  }
  report(trusted, Report::seen, 2, "shop.example");  // taken in order: when it is known, the others were learnt
  EXPECT_TRUE(ask_until_known(trusted, 2).known);
  EXPECT_FALSE(ask(trusted, 1).known);
}

TEST_F(ServiceTest, AReporterEarnsWeightByWhatOthersSayLater) {
  const auto newcomer = enrol("newcomer", false), trusted = enrol("trusted", true), other = enrol("other", true);
  for (unsigned text = 1; text <= 20; ++text) report(newcomer, Report::spam, text);
  for (unsigned text = 1; text <= 20; ++text) {
    report(trusted, Report::spam, text, "elsewhere.example");
    report(other, Report::spam, text, "elsewhere.example");
    clock_.advance(500ms);
  }
  report(trusted, Report::seen, 99);
  ASSERT_TRUE(ask_until_known(trusted, 99).known);
  clock_.advance(TrackRecord::kProofAfter + 1h);
  service_->maintain(true);
  const auto entries = *service_->reporters().list();
  ASSERT_EQ(entries[0].name, "newcomer");
  EXPECT_EQ(entries[0].confirmed, 20);
  EXPECT_EQ(entries[0].contested, 0);
  EXPECT_EQ(entries[2].confirmed, 0) << "who only repeats earns nothing";
}

// Who has earned weight may turn bad, and name a file of others that he says comes from everywhere.
TEST_F(ServiceTest, AProgramIsSurelyAnOutbreakOnThreeGatewaysWordOrOnThatOfOneWhoIsVouchedFor) {
  const std::array earned{enrol("first", false), enrol("second", false), enrol("third", false)};
  for (const auto& reporter : service_->reporters().all()) {
    reporter->with_record([](TrackRecord& record) {
      for (int i = 0; i < 40; ++i) record.proven(TrackRecord::Proof::confirmed);
    });
  }
  const auto other = enrol("other", true);
  const auto outbreak_after = [&](const std::string& token, unsigned text, unsigned known) {
    report_spread(token, text, 60);
    report(token, Report::seen, known);  // taken in order
    EXPECT_TRUE(ask_until_known(other, known).known);
    return ask(other, text, "last.example", true).outbreak;
  };
  EXPECT_GE(outbreak_after(earned[0], 1, 101), 0.5);
  EXPECT_LT(outbreak_after(earned[0], 1, 102), 0.8) << "his word again is one word";
  EXPECT_LT(outbreak_after(earned[1], 1, 103), 0.8);
  EXPECT_GE(outbreak_after(earned[2], 1, 104), 0.8);
  EXPECT_GE(outbreak_after(other, 2, 105), 0.8);
}

TEST_F(ServiceTest, WhoHasLittleWeightMakesNoTextLookWidespread) {
  const auto little = enrol("little", false), trusted = enrol("trusted", true);
  service_->reporters().all().front()->with_record(
      [](TrackRecord& record) { record.proven(TrackRecord::Proof::confirmed); });
  report_spread(little, 1, 60);
  report(trusted, Report::seen, 2);
  EXPECT_TRUE(ask_until_known(trusted, 2).known);
  EXPECT_FALSE(ask(trusted, 1).known);
}

TEST_F(ServiceTest, NobodyMayAskTooMuch) {
  const auto token = enrol("one", true);
  const auto many = trust::questions_text(std::vector<std::string>(trust::kMostInBatch, "id"));
  EXPECT_EQ(post("/v1/ask", token, many).status, 200);
  EXPECT_EQ(post("/v1/ask", token, many).status, 200);
  EXPECT_EQ(post("/v1/ask", token, many).status, 200);
  const auto refused = post("/v1/ask", token, many);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("Retry-After"), "10");
  clock_.advance(3s);
  EXPECT_EQ(post("/v1/ask", token, many).status, 200);
}

TEST_F(ServiceTest, OnlyReportersAreAnswered) {
  EXPECT_EQ(post("/v1/ask", "nobody", "\1").status, 401);
  EXPECT_EQ(post("/v1/report", "nobody", "\1").status, 401);
  EXPECT_EQ(post("/v1/ask", enrol("one", false), "\2").status, 400);
}

}  // namespace
}  // namespace doorward::centre
