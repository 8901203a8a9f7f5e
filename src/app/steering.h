// What `doorward queue` and `doorward quarantine` share: which mails are meant, asking the gateway, telling people what
// came of it.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "base/error.h"

namespace doorward::app {

// The process's exit status.
constexpr int kDone = 0, kFailed = 1, kWrongUsage = 2, kNothing = 3;

// How a command speaks of what it steers.
struct Steered {
  std::string_view command;    // "queue"
  std::string_view one, many;  // "mail", "mails"; `many` names the number in the gateway's answers, too
  std::string_view fits;       // "no mail fits"
  std::string_view first;      // "the first": what a list shows when there is more
};

// What both can be asked by; empty: all.
struct Choice {
  const std::vector<std::string>& ids;
  const std::string &sender, &recipient, &customer, &older_than, &younger_than;
  uint64_t most = 0;
  bool is_list = false;
};

// By name, or by the number that entries and log lines give; empty: the only one there is.
Result<uint64_t> customer_of(const NodeConfig& config, const std::string& text);

int complain(const Steered& steered, const Error& error, int status = kFailed);

// The request without what only one of both knows. `customer`: a name or a number.
Result<boost::json::object> request_for(const NodeConfig& config, const Steered& steered, std::string_view action,
                                        const Choice& choice);

struct Print {
  std::function<void()> head;
  std::function<void(const boost::json::object&)> row;
};
int list_all(const NodeConfig& config, const Steered& steered, const boost::json::object& request, bool as_json,
             bool has_most, const Print& print);

struct Wanted {
  bool headers = false, raw = false, as_json = false;
};
int show_one(const NodeConfig& config, const Steered& steered, boost::json::object request, const Wanted& wanted,
             const std::function<void(const boost::json::object&)>& print);

// `only_count`: nothing is changed yet, and it is said how many there are.
int change_all(const NodeConfig& config, const Steered& steered, boost::json::object request, std::string_view action,
               bool as_json, bool only_count);

}  // namespace doorward::app
