#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "action/action.h"

namespace doorward::action {
namespace {

const std::filesystem::path kRoot = std::filesystem::path(TEST_DATA) / "../..";

TEST(ActionList, every_action_has_its_page_and_its_test) {
  std::set<std::string_view> names;
  for (const Action* action : all()) {
    const std::string name(action->info().name);
    EXPECT_TRUE(names.insert(action->info().name).second) << name << " twice";
    EXPECT_EQ(find(name), action);
    EXPECT_TRUE(action->info().sentence.ends_with('.')) << name;
    std::ifstream in(kRoot / "docs/actions" / (name + ".md"));
    const std::string page{std::istreambuf_iterator<char>(in), {}};
    EXPECT_FALSE(page.empty()) << "docs/actions/" << name << ".md is missing";
    EXPECT_TRUE(std::filesystem::exists(kRoot / "tests/action" / (name + "_test.cpp"))) << name << " has no test";
    for (const auto& option : action->info().options) {
      EXPECT_NE(page.find("`" + std::string(option.name) + "`"), std::string::npos)
          << name << ".md does not name " << option.name;
      EXPECT_TRUE(option.sentence.ends_with('.')) << option.name;
    }
  }
  EXPECT_EQ(find("no_such_action"), nullptr);
}

}  // namespace
}  // namespace doorward::action
