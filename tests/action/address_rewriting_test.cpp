#include "action/address_rewriting.h"

#include <gtest/gtest.h>

namespace doorward::action {
namespace {

std::string rewritten(std::vector<RewriteRule> rules, std::string_view address) {
  Settings settings;
  settings.rewrites = std::move(rules);
  RecipientOutcome outcome{.mailbox = *mail::parse_mailbox(address), .effects = {}};
  address_rewriting().on_recipient(settings, outcome);
  EXPECT_TRUE(outcome.effects.empty());
  return outcome.mailbox.text();
}

TEST(AddressRewriting, one_address) {
  EXPECT_EQ(rewritten({{"old@d.example", "new@d.example"}}, "OLD@D.example"), "new@d.example");
  EXPECT_EQ(rewritten({{"old@d.example", "new@d.example"}}, "older@d.example"), "older@d.example");
  EXPECT_EQ(rewritten({}, "Old@d.example"), "Old@d.example");
}

TEST(AddressRewriting, what_stars_matched_is_put_in) {
  EXPECT_EQ(rewritten({{"*.old@d.example", "*@d.example"}}, "Anna.B.old@d.example"), "Anna.B@d.example");
  EXPECT_EQ(rewritten({{"*@old.example", "*@new.example"}}, "anna@old.example"), "anna@new.example");
  EXPECT_EQ(rewritten({{"*.*@d.example", "*_*@d.example"}}, "anna.maria.b@d.example"), "anna_maria.b@d.example");
  EXPECT_EQ(rewritten({{"*@d.example", "all@d.example"}}, "anna@d.example"), "all@d.example");
}

TEST(AddressRewriting, the_first_that_fits_counts) {
  EXPECT_EQ(rewritten({{"a@d.example", "b@d.example"}, {"b@d.example", "c@d.example"}}, "a@d.example"), "b@d.example");
  EXPECT_EQ(rewritten({{"x@d.example", "y@d.example"}, {"a@d.example", "b@d.example"}}, "a@d.example"), "b@d.example");
}

TEST(AddressRewriting, what_makes_no_address_changes_nothing) {
  EXPECT_EQ(rewritten({{"*@d.example", "@d.example"}}, "a@d.example"), "a@d.example");
  EXPECT_EQ(rewritten({{"*@d.example", "b@"}}, "a@d.example"), "a@d.example");
  EXPECT_EQ(rewritten({{"*@d.example", "nonsense"}}, "a@d.example"), "a@d.example");
  EXPECT_EQ(rewritten({{"ab*ba@d.example", "b@d.example"}}, "aba@d.example"), "aba@d.example")
      << "ends may not overlap";
}

TEST(AddressRewriting, quoted_local_parts_stay_what_they_are) {
  EXPECT_EQ(rewritten({{"*@d.example", "*@new.example"}}, "\"a b@c\"@d.example"), "\"a b@c\"@new.example");
}

}  // namespace
}  // namespace doorward::action
