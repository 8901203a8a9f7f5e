// Which route answers a request.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/server.h"

namespace doorward::http {

class Router {
 public:
  void add(std::string method, std::string path, Route route);

  struct Found {
    const Route* route = nullptr;
    std::string allowed{};  // where the path is known and the method is not: those that are, for Allow
  };
  Found find(std::string_view method, std::string_view path) const;

 private:
  struct Entry {
    std::string method, path;
    Route route;
  };
  std::vector<Entry> entries_;  // longest path first
};

}  // namespace doorward::http
