#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "filter/filter.h"

namespace doorward::filter {
namespace {

const std::filesystem::path kRoot = std::filesystem::path(TEST_DATA) / "../..";

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(FilterList, every_filter_has_its_page_and_its_test) {
  for (const Filter* filter : all()) {
    const std::string name(filter->info().name);
    const std::string page = read(kRoot / "docs/filters" / (name + ".md"));
    EXPECT_FALSE(page.empty()) << "docs/filters/" << name << ".md is missing";
    EXPECT_TRUE(std::filesystem::exists(kRoot / "tests/filter" / (name + "_test.cpp"))) << name << " has no test";
    for (const auto& symbol : filter->info().symbols) {
      EXPECT_NE(page.find("`" + std::string(symbol.symbol) + "`"), std::string::npos)
          << name << ".md does not name " << symbol.symbol;
    }
  }
}

TEST(FilterList, filters_describe_themselves) {
  std::set<std::string_view> names;
  for (const Filter* filter : all()) {
    const FilterInfo& info = filter->info();
    EXPECT_TRUE(names.insert(info.name).second) << info.name << " twice";
    EXPECT_EQ(find(info.name), filter);
    EXPECT_TRUE(info.sentence.ends_with('.')) << info.name;
    EXPECT_LE(info.lowest, info.highest) << info.name;
    EXPECT_FALSE(info.symbols.empty()) << info.name;
    std::set<std::string_view> symbols;
    for (const auto& symbol : info.symbols) {
      EXPECT_TRUE(symbols.insert(symbol.symbol).second) << symbol.symbol << " twice";
      EXPECT_TRUE(symbol.sentence.ends_with('.')) << symbol.symbol;
    }
  }
  EXPECT_EQ(find("no_such_filter"), nullptr);
}

}  // namespace
}  // namespace doorward::filter
