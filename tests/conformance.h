// The line that tools/conformance shows for a suite: "conformance SUITE N passed N failed N excepted N". A case has
// failed when GoogleTest recorded a failure between its begin() and the next one.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <utility>

namespace doorward::test {

class Conformance {
 public:
  explicit Conformance(std::string suite) : suite_(std::move(suite)) {}
  Conformance(const Conformance&) = delete;
  Conformance& operator=(const Conformance&) = delete;
  ~Conformance() {
    close();
    std::printf("conformance %s %d passed %d failed %d excepted %d\n", suite_.c_str(), cases_,
                cases_ - failed_ - excepted_, failed_, excepted_);
    std::fflush(stdout);
  }

  void begin() {
    close();
    ++cases_;
    open_ = true;
  }
  // Of the case that began last: it stands among the suite's exceptions, with its reason.
  void except() { is_excepted_ = true; }

 private:
  static int failures() {
    const auto* result = testing::UnitTest::GetInstance()->current_test_info()->result();
    int count = 0;
    for (int i = 0; i < result->total_part_count(); ++i) count += result->GetTestPartResult(i).failed() ? 1 : 0;
    return count;
  }
  void close() {
    const int now = failures();
    if (open_ && now > before_) {
      ++failed_;
    } else if (open_ && is_excepted_) {
      ++excepted_;
    }
    before_ = now;
    open_ = is_excepted_ = false;
  }

  std::string suite_;
  int cases_ = 0, failed_ = 0, excepted_ = 0, before_ = 0;
  bool open_ = false, is_excepted_ = false;
};

}  // namespace doorward::test
