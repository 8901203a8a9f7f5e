#include "app/trust_command.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/control_print.h"
#include "app/steering.h"

namespace doorward::app {
namespace {

namespace json = boost::json;
using What = TrustOptions::What;

constexpr Steered kTrust{"trust", "entry", "entries", "nothing is known", "the first"};

Result<json::object> request_of(const NodeConfig& config, const TrustOptions& options) {
  json::object request = request_for(options.what == What::show ? "trust.show" : "trust.set");
  auto customer = customer_of(config, options.customer);
  if (!customer) return std::unexpected(customer.error());
  request["customer"] = *customer;
  add_text(request, options.whom.contains('@') ? "address" : "domain", options.whom);
  add_text(request, "recipient", options.recipient);
  if (options.what != What::show) request["level"] = std::to_string(options.what == What::set ? options.level : 0);
  return request;
}

void print_relation(std::string_view of, const json::object& relation) {
  fmt::print("{:<10} level {:>5}, on {} days, last {}\n", of, member(relation, "level"), member(relation, "days"),
             member(relation, "last"));
}

}  // namespace

int trust_command(const TrustOptions& options) {
  auto config = load_config(options.config_file);
  if (!config) return complain(kTrust, config.error());
  auto request = request_of(*config, options);
  if (!request) return complain(kTrust, request.error(), kWrongUsage);
  bool any = options.what != What::show;
  auto done = ask_for(*config, *request, [&](const json::object& answer, std::string_view line) {
    if (options.json) fmt::print("{}\n", line);
    for (const auto& field : answer) {
      if (field.value().is_object()) {
        any = true;
        if (!options.json) print_relation(field.key(), field.value().get_object());
      } else if (field.key() == "sends_bulk" && field.value().is_bool() && field.value().get_bool()) {
        if (!options.json) fmt::print("most mail of that domain is newsletters: the domain gets no trust\n");
      }
    }
  });
  if (!done) return complain(kTrust, done.error());
  if (!any && !options.json) fmt::print(stderr, "doorward trust: nothing is known of {}\n", on_terminal(options.whom));
  return any ? kDone : kNothing;
}

}  // namespace doorward::app
