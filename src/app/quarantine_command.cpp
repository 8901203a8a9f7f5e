#include "app/quarantine_command.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>

#include "app/control_print.h"
#include "app/steering.h"

namespace doorward::app {
namespace {

namespace json = boost::json;
using What = QuarantineOptions::What;

constexpr Steered kQuarantine{"quarantine", "entry", "entries", "no entry fits", "the newest"};

std::string_view name(What what) {
  constexpr std::array<std::string_view, 4> kNames{"list", "show", "release", "delete"};
  return kNames.at(static_cast<size_t>(what));
}

Result<json::object> request_of(const NodeConfig& config, const QuarantineOptions& options) {
  auto request = request_for(config, kQuarantine, name(options.what),
                             {.ids = options.ids,
                              .sender = options.sender,
                              .recipient = options.recipient,
                              .customer = options.customer,
                              .older_than = options.older_than,
                              .younger_than = options.younger_than,
                              .most = options.most,
                              .is_list = options.what == What::list});
  if (!request) return request;
  add_text(*request, "domain", options.domain);
  add_text(*request, "subject", options.subject);
  add_text(*request, "mail", options.mail);
  add_text(*request, "class", options.klass);
  add_text(*request, "state", options.state);
  return request;
}

void print_line(std::string_view id, std::string_view received, std::string_view klass, std::string_view state,
                std::string_view size, std::string_view sender, std::string_view recipient, std::string_view subject) {
  fmt::print("{:<26}  {:<20}  {:<10}  {:<9}  {:>9}  {:<30}  {:<30}  {}\n", id, received, klass, state, size, sender,
             recipient, subject);
}

void print_head() { print_line("ID", "RECEIVED", "CLASS", "STATE", "SIZE", "SENDER", "RECIPIENT", "SUBJECT"); }

void print_row(const json::object& entry) {
  const std::string sender = member(entry, "sender");
  print_line(member(entry, "id"), member(entry, "received"), member(entry, "class"), member(entry, "state"),
             member(entry, "size"), short_text(sender.empty() ? "<>" : sender, 30),
             short_text(member(entry, "recipient"), 30), short_text(member(entry, "subject"), 60));
}

void print_entry(const json::object& entry) {
  for (const auto& field : entry) {
    const std::string key(field.key());
    fmt::print("{:<9} {}\n", key, on_terminal(member(entry, key)));
  }
  fmt::print("{:<9} doorward scan --ref {}\n", "sheet", member(entry, "mail"));
}

}  // namespace

int quarantine_command(const QuarantineOptions& options) {
  auto config = load_config(options.config_file);
  if (!config) return complain(kQuarantine, config.error());
  auto request = request_of(*config, options);
  if (!request) return complain(kQuarantine, request.error(), kWrongUsage);
  if (options.what == What::list) {
    return list_all(*config, kQuarantine, *request, options.json, options.most != 0, {print_head, print_row});
  }
  if (options.what == What::show) {
    return show_one(*config, kQuarantine, std::move(*request), {options.headers, options.raw, options.json},
                    print_entry);
  }
  return change_all(*config, kQuarantine, std::move(*request), name(options.what), options.json,
                    options.ids.empty() && !options.yes);
}

}  // namespace doorward::app
