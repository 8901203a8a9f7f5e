#include "policy/reference.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "policy/options.h"

namespace doorward::policy {
namespace {

// UPDATE_DOCS=1 writes the page anew.
TEST(Reference, PageIsTheDescriptions) {
  const std::string path = std::string(TEST_DATA) + "/../../docs/policy-settings.md";
  if (std::getenv("UPDATE_DOCS") != nullptr) std::ofstream(path) << settings_reference();
  std::ifstream file(path);
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), settings_reference()) << "run the test with UPDATE_DOCS=1";
}

TEST(Reference, NamesEverySetting) {
  const std::string page = settings_reference();
  for (const auto& option : options()) EXPECT_NE(page.find("`" + std::string(option.name) + "`"), std::string::npos);
}

}  // namespace
}  // namespace doorward::policy
