#include "app/quarantine_command.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>

#include "app/control_print.h"

namespace doorward::app {
namespace {

namespace json = boost::json;
using What = QuarantineOptions::What;

constexpr int kDone = 0, kFailed = 1, kWrongUsage = 2, kNothing = 3;
constexpr uint64_t kListed = 100;

std::string_view name(What what) {
  constexpr std::array<std::string_view, 4> kNames{"list", "show", "release", "delete"};
  return kNames.at(static_cast<size_t>(what));
}

int complain(const Error& error, int status = kFailed) {
  fmt::print(stderr, "doorward quarantine: {}\n", on_terminal(error.text()));
  return status;
}

Result<json::object> request_of(const QuarantineOptions& options) {
  json::object request = request_for(fmt::format("quarantine.{}", name(options.what)));
  add_ids(request, options.ids);
  add_text(request, "sender", options.sender);
  add_text(request, "recipient", options.recipient);
  add_text(request, "domain", options.domain);
  add_text(request, "subject", options.subject);
  add_text(request, "mail", options.mail);
  add_text(request, "class", options.klass);
  add_text(request, "state", options.state);
  if (options.customer > 0) request["customer"] = options.customer;
  if (auto added = add_age(request, "older_than", options.older_than); !added) return std::unexpected(added.error());
  if (auto added = add_age(request, "younger_than", options.younger_than); !added) {
    return std::unexpected(added.error());
  }
  const uint64_t most = options.most == 0 && options.what == What::list ? kListed : options.most;
  if (most > 0) request["most"] = most;
  return request;
}

void print_line(std::string_view id, std::string_view received, std::string_view klass, std::string_view state,
                std::string_view size, std::string_view sender, std::string_view recipient, std::string_view subject) {
  fmt::print("{:<26}  {:<20}  {:<10}  {:<9}  {:>9}  {:<30}  {:<30}  {}\n", id, received, klass, state, size, sender,
             recipient, subject);
}

int list(const NodeConfig& config, const QuarantineOptions& options, const json::object& request) {
  size_t entries = 0;
  auto done = ask_for(config, request, [&](const json::object& entry, std::string_view line) {
    if (options.json) {
      fmt::print("{}\n", line);
    } else {
      if (entries == 0) print_line("ID", "RECEIVED", "CLASS", "STATE", "SIZE", "SENDER", "RECIPIENT", "SUBJECT");
      const std::string sender = member(entry, "sender");
      print_line(member(entry, "id"), member(entry, "received"), member(entry, "class"), member(entry, "state"),
                 member(entry, "size"), short_text(sender.empty() ? "<>" : sender, 30),
                 short_text(member(entry, "recipient"), 30), short_text(member(entry, "subject"), 60));
    }
    ++entries;
  });
  if (!done) return complain(done.error());
  if (entries == 0 && !options.json) fmt::print(stderr, "doorward quarantine: no entry fits\n");
  if (entries == kListed && options.most == 0) {
    fmt::print(stderr, "doorward quarantine: the newest {}; more by --most\n", entries);
  }
  return entries == 0 ? kNothing : kDone;
}

int show(const NodeConfig& config, const QuarantineOptions& options, json::object request) {
  if (options.headers || options.raw) {
    request["raw"] = true;
    auto done = print_content(config, request, options.headers);
    return done ? kDone : complain(done.error());
  }
  auto done = ask_for(config, request, [&](const json::object& entry, std::string_view line) {
    if (options.json) {
      fmt::print("{}\n", line);
      return;
    }
    for (const auto& field : entry) {
      const std::string key(field.key());
      fmt::print("{:<9} {}\n", key, on_terminal(member(entry, key)));
    }
    fmt::print("{:<9} doorward scan --ref {}\n", "sheet", member(entry, "mail"));
  });
  return done ? kDone : complain(done.error());
}

int change(const NodeConfig& config, const QuarantineOptions& options, json::object request) {
  const bool only_count = options.ids.empty() && !options.yes;
  if (only_count) request["count_only"] = true;
  std::string entries = "0";
  bool failed = false;
  auto done = ask_for(config, request, [&](const json::object& answer, std::string_view line) {
    if (options.json) fmt::print("{}\n", line);
    if (answer.if_contains("problem") != nullptr) {
      failed = true;
      if (!options.json) fmt::print(stderr, "doorward quarantine: {}\n", on_terminal(member(answer, "problem")));
    } else {
      entries = member(answer, "entries");
    }
  });
  if (!done) return complain(done.error());
  if (failed) return kFailed;
  if (entries == "0") {
    fmt::print(stderr, "doorward quarantine: no entry fits\n");
    return kNothing;
  }
  if (only_count) {
    fmt::print(stderr, "doorward quarantine: {} entries fit, none was changed; say --yes to {} them\n", entries,
               name(options.what));
    return kWrongUsage;
  }
  if (!options.json) fmt::print("{} entries\n", entries);
  return kDone;
}

}  // namespace

int quarantine_command(const QuarantineOptions& options) {
  auto config = load_config(options.config_file);
  if (!config) return complain(config.error());
  auto request = request_of(options);
  if (!request) return complain(request.error(), kWrongUsage);
  if (options.what == What::list) return list(*config, options, *request);
  if (options.what == What::show) return show(*config, options, std::move(*request));
  return change(*config, options, std::move(*request));
}

}  // namespace doorward::app
