#include "app/steering.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>

#include "app/control_print.h"
#include "app/privileges.h"
#include "policy/keys.h"
#include "policy/tables.h"
#include "store/database.h"

namespace doorward::app {
namespace {

namespace json = boost::json;

constexpr uint64_t kListed = 100;

const policy::Tenant* find_customer(const policy::Tenant& tenant, std::string_view key) {
  if (tenant.level == policy::Level::customer && policy::name_key(tenant.level, tenant.name) == key) return &tenant;
  if (tenant.level > policy::Level::customer) return nullptr;
  for (const auto& below : tenant.below) {
    if (const auto* found = find_customer(below, key)) return found;
  }
  return nullptr;
}

void count_customers(const policy::Tenant& tenant, std::vector<uint64_t>& ids) {
  if (tenant.level == policy::Level::customer) ids.push_back(tenant.id);
  if (tenant.level >= policy::Level::customer) return;
  for (const auto& below : tenant.below) count_customers(below, ids);
}

// What a change came to.
struct Changed {
  std::string number = "0", withheld = "0";
  bool failed = false;
};

int tell(const Steered& steered, const Changed& changed, std::string_view action, bool as_json, bool only_count) {
  if (changed.withheld != "0") {
    fmt::print(stderr,
               "doorward {}: {} {} are left: their senders are not proven, and a notification to a forged address hits "
               "somebody who never wrote; --force returns them all the same\n",
               steered.command, changed.withheld, steered.many);
  }
  const bool failed = changed.failed || changed.withheld != "0";
  if (changed.number == "0" && !failed) {
    fmt::print(stderr, "doorward {}: {}\n", steered.command, steered.fits);
    return kNothing;
  }
  if (only_count && changed.number != "0") {
    fmt::print(stderr, "doorward {}: {} {} fit, none was changed; say --yes to {} them\n", steered.command,
               changed.number, steered.many, action);
    return kWrongUsage;
  }
  if (!as_json && changed.number != "0") fmt::print("{} {}\n", changed.number, steered.many);
  return failed ? kFailed : kDone;
}

}  // namespace

Result<uint64_t> customer_of(const NodeConfig& config, const std::string& text) {
  const ActingAs owner(owner_of_files(config.user, config.group));
  auto database = store::Database::open(config.policy_path());
  if (!database) return std::unexpected(database.error());
  auto policy = policy::read_policy(**database);
  if (!policy) return std::unexpected(policy.error());
  if (text.empty()) {
    std::vector<uint64_t> ids;
    count_customers(policy->provider, ids);
    if (ids.size() == 1) return ids.front();
    return fail("there are several customers: say which by --customer");
  }
  const auto* customer = find_customer(policy->provider, policy::name_key(policy::Level::customer, text));
  if (customer != nullptr) return customer->id;
  uint64_t number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong == std::errc{} && end == text.data() + text.size() && number > 0) return number;
  return fail(fmt::format("there is no customer \"{}\"", text));
}

int complain(const Steered& steered, const Error& error, int status) {
  fmt::print(stderr, "doorward {}: {}\n", steered.command, on_terminal(error.text()));
  return status;
}

Result<json::object> request_for(const NodeConfig& config, const Steered& steered, std::string_view action,
                                 const Choice& choice) {
  json::object request = request_for(fmt::format("{}.{}", steered.command, action));
  add_ids(request, choice.ids);
  add_text(request, "sender", choice.sender);
  add_text(request, "recipient", choice.recipient);
  if (!choice.customer.empty()) {
    auto customer = customer_of(config, choice.customer);
    if (!customer) return std::unexpected(customer.error());
    request["customer"] = *customer;
  }
  if (auto added = add_age(request, "older_than", choice.older_than); !added) return std::unexpected(added.error());
  if (auto added = add_age(request, "younger_than", choice.younger_than); !added) {
    return std::unexpected(added.error());
  }
  const uint64_t most = choice.most == 0 && choice.is_list ? kListed : choice.most;
  if (most > 0) request["most"] = most;
  return request;
}

int list_all(const NodeConfig& config, const Steered& steered, const json::object& request, bool as_json, bool has_most,
             const Print& print) {
  size_t shown = 0;
  auto done = ask_for(config, request, [&](const json::object& object, std::string_view line) {
    if (as_json) {
      fmt::print("{}\n", line);
    } else {
      if (shown == 0) print.head();
      print.row(object);
    }
    ++shown;
  });
  if (!done) return complain(steered, done.error());
  if (shown == 0 && !as_json) fmt::print(stderr, "doorward {}: {}\n", steered.command, steered.fits);
  if (shown == kListed && !has_most) {
    fmt::print(stderr, "doorward {}: {} {}; more by --most\n", steered.command, steered.first, shown);
  }
  return shown == 0 ? kNothing : kDone;
}

int show_one(const NodeConfig& config, const Steered& steered, json::object request, const Wanted& wanted,
             const std::function<void(const json::object&)>& print) {
  if (wanted.headers || wanted.raw) {
    request["raw"] = true;
    auto done = print_content(config, request, wanted.headers);
    return done ? kDone : complain(steered, done.error());
  }
  auto done = ask_for(config, request, [&](const json::object& object, std::string_view line) {
    if (wanted.as_json) {
      fmt::print("{}\n", line);
    } else {
      print(object);
    }
  });
  return done ? kDone : complain(steered, done.error());
}

int change_all(const NodeConfig& config, const Steered& steered, json::object request, std::string_view action,
               bool as_json, bool only_count) {
  if (only_count) request["count_only"] = true;
  Changed changed;
  auto done = ask_for(config, request, [&](const json::object& answer, std::string_view line) {
    if (as_json) fmt::print("{}\n", line);
    if (answer.contains("problem")) {
      changed.failed = true;
      if (!as_json) {
        fmt::print(stderr, "doorward {}: {}\n", steered.command, on_terminal(member(answer, "problem")));
      }
      return;
    }
    changed.number = member(answer, steered.many);
    if (answer.contains("withheld")) changed.withheld = member(answer, "withheld");
  });
  return done ? tell(steered, changed, action, as_json, only_count) : complain(steered, done.error());
}

}  // namespace doorward::app
