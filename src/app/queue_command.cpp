#include "app/queue_command.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>

#include "app/control_print.h"
#include "app/steering.h"

namespace doorward::app {
namespace {

namespace json = boost::json;
using What = QueueOptions::What;

constexpr Steered kQueue{"queue", "mail", "mails", "no mail fits", "the first"};

std::string_view name(What what) {
  constexpr std::array<std::string_view, 7> kNames{"list", "show", "retry", "hold", "release", "remove", "bounce"};
  return kNames.at(static_cast<size_t>(what));
}

Result<json::object> request_of(const NodeConfig& config, const QueueOptions& options) {
  const std::string recipient = options.domain.empty() ? options.recipient : "*@" + options.domain;
  auto request = request_for(config, kQueue, name(options.what),
                             {.ids = options.ids,
                              .sender = options.sender,
                              .recipient = recipient,
                              .customer = options.customer,
                              .older_than = options.older_than,
                              .younger_than = options.younger_than,
                              .most = options.most,
                              .is_list = options.what == What::list});
  if (!request) return request;
  add_text(*request, "destination", options.destination);
  add_text(*request, "reason", options.reason);
  if (options.held) (*request)["held"] = true;
  if (options.stranded) (*request)["stranded"] = true;
  if (options.force) (*request)["force"] = true;
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

// Of a mail without parts: nothing of it is to be attempted any more.
std::string fate_of(const json::array& recipients) {
  for (const auto& recipient : recipients) {
    const std::string fate = recipient.is_object() ? member(recipient.get_object(), "fate") : "";
    if (fate == "stranded") return fate;
  }
  return "";
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
    } else if (part == nullptr) {
      next = fate_of(recipients);
    } else if (next.empty()) {
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

void print_head() {
  fmt::print("{:<26}  {:>4}  {:>9}  {:<30}  {:<38}  {:<22}  {:>5}  {:<20}  {}\n", "ID", "AGE", "SIZE", "SENDER",
             "RECIPIENT", "DESTINATION", "TRIES", "NEXT", "LAST REPLY");
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

bool has_filter(const QueueOptions& options) {
  return !options.ids.empty() || !options.sender.empty() || !options.recipient.empty() || !options.domain.empty() ||
         !options.destination.empty() || !options.reason.empty() || !options.older_than.empty() ||
         !options.younger_than.empty() || !options.customer.empty() || options.held || options.stranded;
}

int change(const NodeConfig& config, const QueueOptions& options, json::object request) {
  const bool final = options.what == What::remove || options.what == What::bounce;
  if (final && !has_filter(options) && !options.yes) {
    return complain(kQueue, {"name mails by id or by what they have in common, or say --yes for all"}, kWrongUsage);
  }
  return change_all(config, kQueue, std::move(request), name(options.what), options.json,
                    final && options.ids.empty() && !options.yes);
}

}  // namespace

int queue_command(const QueueOptions& options) {
  auto config = load_config(options.config_file);
  if (!config) return complain(kQueue, config.error());
  auto request = request_of(*config, options);
  if (!request) return complain(kQueue, request.error(), kWrongUsage);
  if (options.what == What::list) {
    return list_all(*config, kQueue, *request, options.json, options.most != 0, {print_head, print_row});
  }
  if (options.what == What::show) {
    return show_one(*config, kQueue, std::move(*request), {options.headers, options.raw, options.json}, print_mail);
  }
  return change(*config, options, std::move(*request));
}

}  // namespace doorward::app
