#include "sheet/price.h"

#include <gtest/gtest.h>

#include <limits>

namespace doorward::sheet {
namespace {

Finding hit(std::string_view filter, double strength, uint64_t owner = 0) {
  Finding finding{filter, "symbol", strength};
  finding.owner = owner;
  return finding;
}

TEST(Scl, RoundsDownToWholeNumbers) {
  EXPECT_EQ(Scl::of(Points::of(4.999)).level(), 4);
  EXPECT_EQ(Scl::of(Points::of(5)).level(), 5);
  EXPECT_EQ(Scl::of(Points::of(0)).level(), 0);
  EXPECT_EQ(Scl::of(Points::of(-0.001)).level(), -1);
  EXPECT_EQ(Scl::of(Points::of(-1)).level(), -1);
  EXPECT_EQ(Scl::of(Points::of(-1.001)).level(), -2);
}

TEST(Points, ReadAsPeopleWriteThem) {
  EXPECT_EQ(Points::of(4.25).text(), "4.25");
  EXPECT_EQ(Points::of(-0.5).text(), "-0.5");
  EXPECT_EQ(Points::of(-1).text(), "-1");
  EXPECT_EQ(Points::of(10).text(), "10");
  EXPECT_EQ(Points::of(0.001).text(), "0.001");
}

TEST(Price, IsStrengthTimesWeightSummedOverFilters) {
  const PriceList prices = {{"a", {true, 2.0, Points::of(100)}}, {"b", {true, 1.0, Points::of(100)}}};
  const Findings findings = {hit("a", 1.5), hit("b", -0.25), hit("a", 1)};
  const auto priced = price(findings, {prices, {}});
  EXPECT_EQ(priced.points[0], Points::of(3));
  EXPECT_EQ(priced.points[1], Points::of(-0.25));
  EXPECT_EQ(priced.total, Points::of(4.75));
  EXPECT_EQ(priced.scl.level(), 4);
}

TEST(Price, KeepsEachFilterWithinItsCapBothWays) {
  const PriceList prices = {{"a", {true, 10, Points::of(6)}}, {"b", {true, 10, Points::of(3)}}};
  EXPECT_EQ(price(Findings{hit("a", 1), hit("a", 1), hit("b", -1)}, {prices, {}}).total, Points::of(3));
}

TEST(Price, PaysNothingForFiltersThatAreOffOrUnnamed) {
  const PriceList prices = {{"off", {false, 10, Points::of(100)}}};
  const auto priced = price(Findings{hit("off", 1), hit("unnamed", 1)}, {prices, {}});
  EXPECT_EQ(priced.total, Points());
  EXPECT_FALSE(priced.counted[0]);
  EXPECT_FALSE(priced.counted[1]);
}

TEST(Price, CountsAnOwnersFindingsForItsOwnRecipientsOnly) {
  const PriceList prices = {{"a", {true, 1, Points::of(100)}}};
  const Findings findings = {hit("a", 1, 7), hit("a", 2, 8), hit("a", 4)};
  const std::vector<uint64_t> seven = {7}, nobody = {};
  EXPECT_EQ(price(findings, {prices, seven}).total, Points::of(5));
  EXPECT_EQ(price(findings, {prices, nobody}).total, Points::of(4));
}

TEST(Price, TakesOwnPointsAsTheyAre) {
  const PriceList prices = {{"words", {true, 5, Points::of(100)}}};
  Finding entry = hit("words", 3);
  entry.own_points = Points::of(-2);
  EXPECT_EQ(price(Findings{entry}, {prices, {}}).total, Points::of(-2));
}

TEST(Price, LetsTheFirstStanceThatCountsDecide) {
  const PriceList prices = {{"entries", {true, 1, Points::of(100)}}};
  Finding foreign = hit("entries", 0, 9), pass = hit("entries", 0, 7), block = hit("entries", 0, 3);
  foreign.stance = block.stance = Stance::block;
  pass.stance = Stance::pass;
  const std::vector<uint64_t> owners = {3, 7};
  EXPECT_EQ(price(Findings{foreign, pass, block}, {prices, owners}).stance, Stance::pass);
}

TEST(Price, IsNotPoisonedByStrengthsThatAreNoNumbers) {
  const PriceList prices = {{"a", {true, 1, Points::of(5)}}};
  const Findings findings = {hit("a", std::numeric_limits<double>::quiet_NaN()),
                             hit("a", std::numeric_limits<double>::infinity()), hit("a", 1)};
  EXPECT_EQ(price(findings, {prices, {}}).total, Points::of(1));
}

}  // namespace
}  // namespace doorward::sheet
