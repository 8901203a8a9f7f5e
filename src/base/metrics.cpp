#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace doorward::metrics {
namespace {

struct Family {
  std::string help;
  std::string type;
  std::map<std::string, std::unique_ptr<Counter>> counters;  // by their labels as text
  std::map<std::string, std::unique_ptr<Gauge>> gauges;
  std::map<std::string, std::unique_ptr<Histogram>> histograms;
};

struct Registry {
  std::mutex lock;
  std::map<std::string, Family, std::less<>> families;
};

// Never destroyed: static locals elsewhere refer into it.
Registry& registry() {
  static auto* held = new Registry;
  return *held;
}

std::string label_text(Labels labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text += name;
    text += "=\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c == '\n' ? ' ' : c;
    }
    text += '"';
  }
  return text;
}

Family& family(Registry& all, std::string_view name, std::string_view help, std::string_view type) {
  auto& found = all.families[std::string(name)];
  if (found.type.empty()) {
    found.type = type;
    found.help = help;
  } else if (found.type != type) {
    throw std::logic_error(fmt::format("metric {} is a {}, not a {}", name, found.type, type));
  }
  return found;
}

std::string braces(const std::string& labels) { return labels.empty() ? "" : "{" + labels + "}"; }

}  // namespace

Histogram::Histogram(std::vector<double> upper_bounds)
    : bounds_(std::move(upper_bounds)), buckets_(bounds_.size() + 1) {}

void Histogram::observe(double value) {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  buckets_[static_cast<size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  sum_micro_.fetch_add(static_cast<uint64_t>(std::max(value, 0.0) * 1e6), std::memory_order_relaxed);
}

void Histogram::append(std::string& out, std::string_view name, std::string_view labels) const {
  const std::string_view comma = labels.empty() ? "" : ",";
  uint64_t below = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    below += buckets_[i].load(std::memory_order_relaxed);
    const auto bound = i < bounds_.size() ? fmt::format("{:g}", bounds_[i]) : std::string("+Inf");
    out += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma, bound, below);
  }
  const auto tags = braces(std::string(labels));
  out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, tags,
                     static_cast<double>(sum_micro_.load(std::memory_order_relaxed)) / 1e6, name, tags, below);
}

Counter& counter(std::string_view name, std::string_view help, Labels labels) {
  auto& all = registry();
  const std::lock_guard lock(all.lock);
  auto& made = family(all, name, help, "counter").counters[label_text(labels)];
  if (!made) made = std::make_unique<Counter>();
  return *made;
}

Gauge& gauge(std::string_view name, std::string_view help, Labels labels) {
  auto& all = registry();
  const std::lock_guard lock(all.lock);
  auto& made = family(all, name, help, "gauge").gauges[label_text(labels)];
  if (!made) made = std::make_unique<Gauge>();
  return *made;
}

Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> upper_bounds, Labels labels) {
  auto& all = registry();
  const std::lock_guard lock(all.lock);
  auto& made = family(all, name, help, "histogram").histograms[label_text(labels)];
  if (!made) made = std::make_unique<Histogram>(std::move(upper_bounds));
  return *made;
}

std::string render() {
  auto& all = registry();
  const std::lock_guard lock(all.lock);
  std::string out;
  for (const auto& [name, group] : all.families) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, group.help, name, group.type);
    for (const auto& [labels, held] : group.counters) {
      out += fmt::format("{}{} {}\n", name, braces(labels), held->value());
    }
    for (const auto& [labels, held] : group.gauges)
      out += fmt::format("{}{} {}\n", name, braces(labels), held->value());
    for (const auto& [labels, held] : group.histograms) held->append(out, name, labels);
  }
  return out;
}

}  // namespace doorward::metrics
