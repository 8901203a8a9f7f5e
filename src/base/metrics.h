// Counters, gauges and histograms in Prometheus' text format. Made once (as static locals or members) and kept for the
// life of the process; counting is one relaxed atomic add. Names: doorward_*_total, _seconds, _bytes. Labels come from
// small fixed sets only: never addresses, domains or anything else a peer can choose.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace doorward::metrics {

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

class Counter {
 public:
  void add(uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void add(int64_t by) { value_.fetch_add(by, std::memory_order_relaxed); }
  void set(int64_t to) { value_.store(to, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

class Histogram {
 public:
  explicit Histogram(std::vector<double> upper_bounds);
  void observe(double value);
  void append(std::string& out, std::string_view name, std::string_view labels) const;

 private:
  std::vector<double> bounds_;  // ascending; +Inf is implied
  std::vector<std::atomic<uint64_t>> buckets_;
  std::atomic<uint64_t> sum_micro_{0};  // of the values, in millionths
};

// The same name and labels give the same object.
Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> upper_bounds,
                     Labels labels = {});

// Everything counted so far, in Prometheus' text format (version 0.0.4).
std::string render();

}  // namespace doorward::metrics
