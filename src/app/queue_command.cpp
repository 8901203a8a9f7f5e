#include "app/queue_command.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>

#include "app/control_print.h"

namespace doorward::app {
namespace {

namespace json = boost::json;
using What = QueueOptions::What;

constexpr int kDone = 0, kFailed = 1, kWrongUsage = 2, kNothing = 3;
constexpr uint64_t kListed = 100;

std::string_view name(What what) {
  constexpr std::array<std::string_view, 7> kNames{"list", "show", "retry", "hold", "release", "remove", "bounce"};
  return kNames.at(static_cast<size_t>(what));
}

int complain(const Error& error, int status = kFailed) {
  fmt::print(stderr, "doorward queue: {}\n", on_terminal(error.text()));
  return status;
}

Result<json::object> request_of(const QueueOptions& options) {
  json::object request = request_for(fmt::format("queue.{}", name(options.what)));
  add_ids(request, options.ids);
  add_text(request, "sender", options.sender);
  add_text(request, "recipient", options.domain.empty() ? options.recipient : "*@" + options.domain);
  add_text(request, "destination", options.destination);
  add_text(request, "reason", options.reason);
  if (auto added = add_age(request, "older_than", options.older_than); !added) return std::unexpected(added.error());
  if (auto added = add_age(request, "younger_than", options.younger_than); !added) {
    return std::unexpected(added.error());
  }
  if (options.held) request["held"] = true;
  if (options.stranded) request["stranded"] = true;
  const uint64_t most = options.most == 0 && options.what == What::list ? kListed : options.most;
  if (most > 0) request["most"] = most;
  return request;
}

// The recipients of one part, or of the whole mail where it has no parts any more.
std::string recipients_of(const json::array& recipients, const json::object* part) {
  std::string first;
  size_t count = 0;
  const auto take = [&](const json::value& recipient) {
    if (count++ == 0 && recipient.is_object()) first = member(recipient.get_object(), "to");
  };
  const auto* positions = part != nullptr ? part->if_contains("recipients") : nullptr;
  if (positions != nullptr && positions->is_array()) {
    for (const auto& position : positions->get_array()) {
      const auto at = position.is_int64() ? static_cast<size_t>(position.get_int64()) : recipients.size();
      if (at < recipients.size()) take(recipients[at]);
    }
  } else {
    for (const auto& recipient : recipients) take(recipient);
  }
  first = short_text(first, 34);
  return count > 1 ? fmt::format("{} +{}", first, count - 1) : first;
}

const json::array& list_in(const json::object& object, std::string_view name) {
  static const json::array kNone;
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

void print_row(const json::object& mail) {
  const auto& recipients = list_in(mail, "recipients");
  const auto& parts = list_in(mail, "parts");
  const bool held = member(mail, "held") == "true";
  const auto* age = mail.if_contains("age");
  const auto row = [&](const json::object* part) {
    std::string next = part == nullptr ? "" : member(*part, "next");
    if (held) {
      next = "held";
    } else if (part != nullptr && next.empty()) {
      next = "now";
    }
    fmt::print("{:<26}  {:>4}  {:>9}  {:<30}  {:<38}  {:<22}  {:>5}  {:<20}  {}\n", member(mail, "id"),
               age_text(age != nullptr && age->is_int64() ? age->get_int64() : 0), member(mail, "size"),
               short_text(member(mail, "sender").empty() ? "<>" : member(mail, "sender"), 30),
               recipients_of(recipients, part), part == nullptr ? "" : short_text(member(*part, "destination"), 22),
               part == nullptr ? "" : member(*part, "attempts"), next,
               part == nullptr ? "" : short_text(member(*part, "reply"), 100));
  };
  if (parts.empty()) row(nullptr);
  for (const auto& part : parts) row(part.is_object() ? &part.get_object() : nullptr);
}

int list(const NodeConfig& config, const QueueOptions& options, const json::object& request) {
  size_t mails = 0;
  auto done = ask_for(config, request, [&](const json::object& mail, std::string_view line) {
    if (options.json) {
      fmt::print("{}\n", line);
    } else {
      if (mails == 0) {
        fmt::print("{:<26}  {:>4}  {:>9}  {:<30}  {:<38}  {:<22}  {:>5}  {:<20}  {}\n", "ID", "AGE", "SIZE", "SENDER",
                   "RECIPIENT", "DESTINATION", "TRIES", "NEXT", "LAST REPLY");
      }
      print_row(mail);
    }
    ++mails;
  });
  if (!done) return complain(done.error());
  if (mails == 0 && !options.json) fmt::print(stderr, "doorward queue: no mail fits\n");
  if (mails == kListed && options.most == 0)
    fmt::print(stderr, "doorward queue: the first {}; more by --most\n", mails);
  return mails == 0 ? kNothing : kDone;
}

void print_mail(const json::object& mail) {
  for (const char* key : {"id", "received", "sender", "subject", "client", "size", "held"}) {
    fmt::print("{:<9} {}\n", key, on_terminal(member(mail, key)));
  }
  for (const auto& value : list_in(mail, "recipients")) {
    const auto& recipient = value.get_object();
    fmt::print("to        {}: {}, {} ({}, {})\n", on_terminal(member(recipient, "to")), member(recipient, "fate"),
               on_terminal(member(recipient, "destination")), member(recipient, "class"),
               member(recipient, "disposition"));
  }
  for (const auto& value : list_in(mail, "parts")) {
    const auto& part = value.get_object();
    const std::string next = member(part, "next");
    fmt::print("way       {}: {} attempts, next {}; {} {}\n", on_terminal(member(part, "destination")),
               member(part, "attempts"), next.empty() ? "now" : next, on_terminal(member(part, "remote")),
               on_terminal(member(part, "reply")));
  }
}

int show(const NodeConfig& config, const QueueOptions& options, json::object request) {
  if (options.headers || options.raw) {
    request["raw"] = true;
    auto done = print_content(config, request, options.headers);
    return done ? kDone : complain(done.error());
  }
  auto done = ask_for(config, request, [&](const json::object& mail, std::string_view line) {
    if (options.json) {
      fmt::print("{}\n", line);
    } else {
      print_mail(mail);
    }
  });
  return done ? kDone : complain(done.error());
}

bool has_filter(const QueueOptions& options) {
  return !options.ids.empty() || !options.sender.empty() || !options.recipient.empty() || !options.domain.empty() ||
         !options.destination.empty() || !options.reason.empty() || !options.older_than.empty() ||
         !options.younger_than.empty() || options.held || options.stranded;
}

int change(const NodeConfig& config, const QueueOptions& options, json::object request) {
  const bool final = options.what == What::remove || options.what == What::bounce;
  if (final && !has_filter(options) && !options.yes) {
    return complain(fail("name mails by id or by what they have in common, or say --yes for all").error(), kWrongUsage);
  }
  const bool only_count = final && options.ids.empty() && !options.yes;
  if (only_count) request["count_only"] = true;
  std::string mails = "0";
  auto done = ask_for(config, request, [&](const json::object& answer, std::string_view line) {
    mails = member(answer, "mails");
    if (options.json) fmt::print("{}\n", line);
  });
  if (!done) return complain(done.error());
  if (mails == "0") {
    fmt::print(stderr, "doorward queue: no mail fits\n");
    return kNothing;
  }
  if (only_count) {
    fmt::print(stderr, "doorward queue: {} mails fit, none was changed; say --yes to {} them\n", mails,
               name(options.what));
    return kWrongUsage;
  }
  if (!options.json) fmt::print("{} mails\n", mails);
  return kDone;
}

}  // namespace

int queue_command(const QueueOptions& options) {
  auto config = load_config(options.config_file);
  if (!config) return complain(config.error());
  auto request = request_of(options);
  if (!request) return complain(request.error(), kWrongUsage);
  if (options.what == What::list) return list(*config, options, *request);
  if (options.what == What::show) return show(*config, options, std::move(*request));
  return change(*config, options, std::move(*request));
}

}  // namespace doorward::app
