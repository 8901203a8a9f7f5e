// Points and the SCL as types of their own, so that neither is mistaken for a strength or a weight.
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>
#include <string>

namespace doorward::sheet {

// A number of points in thousandths: sums are exact and the same on every machine.
class Points {
 public:
  constexpr Points() = default;
  static Points of(double points) { return from_milli(static_cast<int64_t>(std::llround(points * 1000.0))); }
  static constexpr Points from_milli(int64_t milli) {
    Points made;
    made.milli_ = milli;
    return made;
  }
  constexpr int64_t milli() const { return milli_; }
  constexpr double value() const { return static_cast<double>(milli_) / 1000.0; }
  constexpr Points& operator+=(Points other) {
    milli_ += other.milli_;
    return *this;
  }
  friend constexpr Points operator+(Points a, Points b) { return a += b; }
  friend constexpr Points operator-(Points a) { return from_milli(-a.milli_); }
  friend constexpr auto operator<=>(Points, Points) = default;
  std::string text() const;  // "4.25", "-1", at most three decimals

 private:
  int64_t milli_ = 0;
};

// The spam confidence level: the sum of all points, rounded down to a whole number.
class Scl {
 public:
  constexpr Scl() = default;
  explicit constexpr Scl(int64_t level) : level_(level) {}
  static constexpr Scl of(Points total) {
    const int64_t milli = total.milli();
    return Scl(milli >= 0 ? milli / 1000 : -((-milli + 999) / 1000));
  }
  constexpr int64_t level() const { return level_; }
  friend constexpr auto operator<=>(Scl, Scl) = default;

 private:
  int64_t level_ = 0;
};

}  // namespace doorward::sheet
