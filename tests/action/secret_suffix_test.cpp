#include "action/secret_suffix.h"

#include <gtest/gtest.h>

namespace doorward::action {
namespace {

RecipientOutcome outcome(std::string suffix, std::string_view address) {
  Settings settings;
  settings.secret_suffix = std::move(suffix);
  RecipientOutcome made{.mailbox = *mail::parse_mailbox(address), .effects = {}};
  secret_suffix().on_recipient(settings, made);
  return made;
}

TEST(SecretSuffix, is_taken_off_and_lets_the_mail_pass) {
  for (const auto* address : {"anna_geheim@d.example", "anna_GEHEIM@d.example"}) {
    const auto made = outcome("_geheim", address);
    EXPECT_EQ(made.mailbox.text(), "anna@d.example");
    ASSERT_EQ(made.effects.size(), 1U);
    EXPECT_EQ(made.effects[0].kind, Effect::Kind::pass_unfiltered);
  }
}

TEST(SecretSuffix, other_addresses_stay) {
  for (const auto* address :
       {"anna@d.example", "anna_gehei@d.example", "anna_geheim1@d.example", "_geheim@d.example"}) {
    const auto made = outcome("_geheim", address);
    EXPECT_EQ(made.mailbox.text(), address);
    EXPECT_TRUE(made.effects.empty());
  }
  EXPECT_TRUE(outcome("", "anna@d.example").effects.empty());
}

}  // namespace
}  // namespace doorward::action
