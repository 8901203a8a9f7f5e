#include "http/router.h"

#include <algorithm>
#include <utility>

namespace doorward::http {
namespace {

bool covers(std::string_view route, std::string_view path) {
  return route.ends_with('/') ? path.starts_with(route) : path == route;
}

}  // namespace

void Router::add(std::string method, std::string path, Route route) {
  const auto behind = std::ranges::find_if(entries_, [&](const Entry& e) { return e.path.size() < path.size(); });
  entries_.insert(behind, Entry{std::move(method), std::move(path), std::move(route)});
}

Router::Found Router::find(std::string_view method, std::string_view path) const {
  Found result;
  for (const Entry& entry : entries_) {
    if (!covers(entry.path, path)) continue;
    if (entry.method == method || (method == "HEAD" && entry.method == "GET")) {
      result.route = &entry.route;
      return result;
    }
    if (!result.allowed.empty()) result.allowed += ", ";
    result.allowed += entry.method == "GET" ? "GET, HEAD" : entry.method;
  }
  return result;
}

}  // namespace doorward::http
