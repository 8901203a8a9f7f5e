#include "mail/date_time.h"

#include <gtest/gtest.h>

namespace doorward::mail {
namespace {

using namespace std::chrono_literals;

TEST(DateTime, IsWrittenAsHeaderFieldsHaveIt) {
  const SystemTime day = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);
  EXPECT_EQ(date_time(day + 9h + 5min + 7s + 999ms), "Mon, 23 Nov 2026 09:05:07 +0000");
  EXPECT_EQ(date_time(std::chrono::sys_days(std::chrono::year(2028) / 2 / 29)), "Tue, 29 Feb 2028 00:00:00 +0000");
}

TEST(DateTime, ABrokenClockBreaksNoField) {
  EXPECT_EQ(date_time(SystemTime(-5s)), "Thu, 1 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(date_time(SystemTime::max()), "Fri, 31 Dec 9999 00:00:00 +0000");
}

}  // namespace
}  // namespace doorward::mail
