// Every case of the SPF suites in tests/data/spf: the zone of each scenario is the DNS, and the result must be one of
// those that the suite allows.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "conformance.h"
#include "delivery/core_runner.h"
#include "mailauth/spf.h"
#include "mailauth/spf_zone.h"

namespace doorward::mailauth {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::string>& exceptions() {
  static const std::map<std::string, std::string> kExceptions = {
#include "spf_exceptions.inc"
  };
  return kExceptions;
}

std::vector<std::string> allowed(const YAML::Node& result) {
  if (result.IsScalar()) return {result.as<std::string>()};
  return result.as<std::vector<std::string>>();
}

SpfOutcome run_case(doorward::test::CoreRunner& runner, test::ZoneResolver& zone, const YAML::Node& one) {
  SpfRequest request;
  request.ip = mail::IpAddress::parse(one["host"].as<std::string>()).value();
  request.helo = one["helo"].as<std::string>();
  request.sender = one["mailfrom"].as<std::string>();
  SpfOptions options;
  options.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  SpfOutcome outcome;
  runner.run([&]() -> Task<void> { outcome = co_await check_spf(runner.core(), zone, request, options); });
  return outcome;
}

void run_suite(const fs::path& file, const std::string& name) {
  doorward::test::CoreRunner runner;
  doorward::test::Conformance suite(name);
  for (const YAML::Node& scenario : YAML::LoadAllFromFile(file)) {
    if (!scenario.IsMap() || !scenario["tests"]) continue;
    test::ZoneResolver zone(scenario["zonedata"]);
    for (const auto& entry : scenario["tests"]) {
      suite.begin();
      const auto id = entry.first.as<std::string>();
      const YAML::Node& one = entry.second;
      if (exceptions().contains(name + "/" + id)) {
        suite.except();
        continue;
      }
      const SpfOutcome outcome = run_case(runner, zone, one);
      const std::vector<std::string> results = allowed(one["result"]);
      EXPECT_TRUE(std::ranges::find(results, text(outcome.result)) != results.end())
          << name << "/" << id << ": " << text(outcome.result) << ", not " << results.front() << " ("
          << outcome.evidence << ")";
      if (!one["explanation"]) continue;
      const auto explanation = one["explanation"].as<std::string>();
      // DEFAULT: what a checker says where the domain's owner says nothing.
      EXPECT_EQ(outcome.explanation, explanation == "DEFAULT" ? "" : explanation) << name << "/" << id;
    }
  }
}

TEST(SpfSuites, EveryCase) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(TEST_DATA) / "spf")) {
    if (entry.path().extension() == ".yml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  EXPECT_GE(files.size(), 6U);
  for (const fs::path& file : files) {
    std::string name = "spf-" + file.parent_path().filename().string() + "-" + file.stem().string();
    if (const size_t end = name.find("-tests"); end != std::string::npos) name.erase(end, 6);
    run_suite(file, name);
  }
}

}  // namespace
}  // namespace doorward::mailauth
