// The queue's part of the control socket.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "app/control_commands.h"
#include "base/log.h"

namespace doorward::app {
namespace {

namespace json = boost::json;

constexpr size_t kMostListed = 1'000'000;

std::string_view name(spool::Fate fate) {
  constexpr std::array<std::string_view, 5> kNames{"waiting", "delivered", "failed", "stranded", "removed"};
  return kNames.at(static_cast<size_t>(fate));
}

Result<spool::Filter> filter_of(const json::object& request) {
  spool::Filter filter;
  auto ids = ids_field(request);
  if (!ids) return std::unexpected(ids.error());
  filter.ids = std::move(*ids);
  for (const auto& [key, member] :
       {std::pair{"sender", &filter.sender}, std::pair{"recipient", &filter.recipient},
        std::pair{"destination", &filter.destination}, std::pair{"reason", &filter.reason}}) {
    auto text = text_field(request, key);
    if (!text) return std::unexpected(text.error());
    *member = std::move(*text);
  }
  for (const auto& [key, member] :
       {std::pair{"older_than", &filter.older_than}, std::pair{"younger_than", &filter.younger_than}}) {
    auto seconds = number_field(request, key, UINT64_MAX);
    if (!seconds) return std::unexpected(seconds.error());
    if (*seconds != UINT64_MAX) *member = std::chrono::seconds(std::min<uint64_t>(*seconds, 10'000'000'000));
  }
  auto customer = number_field(request, "customer", 0);
  if (!customer) return std::unexpected(customer.error());
  filter.customer = *customer;
  if (flag_field(request, "held")) filter.held = true;
  if (flag_field(request, "stranded")) filter.fate = spool::Fate::stranded;
  return filter;
}

json::object object_of(const spool::Listed::Part& part) {
  json::array positions;
  for (const size_t position : part.recipients) positions.emplace_back(position);
  return {{"destination", printable(spool::text(part.destination))},
          {"recipients", std::move(positions)},
          {"attempts", part.attempts},
          {"next", moment_text(part.next)},  // empty: being delivered now
          {"reply", printable(part.last_reply)},
          {"remote", printable(part.remote)}};
}

json::object object_of(const spool::Listed& listed, const Clock& clock) {
  const spool::Mail& mail = *listed.mail;
  json::array recipients;
  for (const auto& recipient : mail.recipients) {
    recipients.push_back(json::object{{"to", printable(recipient.to.mailbox.text())},
                                      {"given", printable(recipient.given)},
                                      {"fate", name(recipient.fate)},
                                      {"destination", printable(spool::text(recipient.destination))},
                                      {"class", sheet::name(recipient.klass)},
                                      {"disposition", sheet::name(recipient.disposition)},
                                      {"customer", recipient.customer}});
  }
  json::array parts;
  for (const auto& part : listed.parts) parts.push_back(object_of(part));
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(clock.now() - mail.received_at);
  return {{"id", mail.id},
          {"received", moment_text(mail.received_at)},
          {"age", age.count()},
          {"size", mail.size},
          {"sender", printable(mail.from.text())},
          {"subject", printable(mail.subject)},
          {"client", mail.client_ip},
          {"held", listed.held},
          {"recipients", std::move(recipients)},
          {"parts", std::move(parts)}};
}

Result<spool::Listed> find(const spool::Spool& spool, const json::object& request) {
  spool::Filter filter;
  auto ids = ids_field(request);
  if (!ids) return std::unexpected(ids.error());
  if (ids->size() != 1) return fail("one id is to be given");
  filter.ids = std::move(*ids);
  auto found = spool.list(filter, 1);
  if (found.empty()) return fail(fmt::format("mail {} is not in the queue", filter.ids.front()), {}, Blame::peer);
  return std::move(found.front());
}

}  // namespace

Result<void> control_queue_list(const json::object& request, const Services& services, const Answer& answer) {
  auto spool = services.spool();
  if (!spool) return std::unexpected(spool.error());
  auto filter = filter_of(request);
  if (!filter) return std::unexpected(filter.error());
  auto most = number_field(request, "most", kMostListed);
  if (!most) return std::unexpected(most.error());
  (*spool)->visit(*filter, std::min<uint64_t>(*most, kMostListed), [&](const spool::Listed& listed) {
    return answer(json::serialize(object_of(listed, services.clock)));
  });
  return {};
}

Result<void> control_queue_show(const json::object& request, const Services& services, const Answer& answer) {
  auto spool = services.spool();
  if (!spool) return std::unexpected(spool.error());
  auto listed = find(**spool, request);
  if (!listed) return std::unexpected(listed.error());
  if (!flag_field(request, "raw")) {
    answer(json::serialize(object_of(*listed, services.clock)));
    return {};
  }
  auto content = (*spool)->read(*listed->mail);
  if (!content) return std::unexpected(content.error());
  answer_octets((*content)->raw(), answer);
  return {};
}

namespace {

std::vector<std::string> ids_of(const spool::Spool& spool, const spool::Filter& filter, size_t most) {
  std::vector<std::string> ids;
  spool.visit(filter, most, [&ids](const spool::Listed& listed) {
    ids.push_back(listed.mail->id);
    return true;
  });
  return ids;
}

using Change = size_t (spool::Spool::*)(const spool::Filter&);

Result<Change> change_of(const json::object& request) {
  constexpr std::array<std::pair<std::string_view, Change>, 5> kChanges{{{"queue.retry", &spool::Spool::retry},
                                                                         {"queue.hold", &spool::Spool::hold},
                                                                         {"queue.release", &spool::Spool::release},
                                                                         {"queue.remove", &spool::Spool::remove},
                                                                         {"queue.bounce", &spool::Spool::bounce}}};
  auto command = text_field(request, "command");
  if (!command) return std::unexpected(command.error());
  for (const auto& [key, change] : kChanges) {
    if (key == *command) return change;
  }
  return fail("there is no such change");
}

}  // namespace

Result<void> control_queue_change(const json::object& request, const Services& services, const Answer& answer) {
  auto spool = services.spool();
  if (!spool) return std::unexpected(spool.error());
  auto filter = filter_of(request);
  if (!filter) return std::unexpected(filter.error());
  auto most = number_field(request, "most", 0);
  if (!most) return std::unexpected(most.error());
  auto change = change_of(request);
  if (!change) return std::unexpected(change.error());
  const bool only_count = flag_field(request, "count_only");
  json::object result{{"mails", 0}};
  if (*change == &spool::Spool::bounce && !flag_field(request, "force")) {  // DESIGN §2: no backscatter
    filter->may_bounce = false;
    result["withheld"] = ids_of(**spool, *filter, kMostListed).size();
    filter->may_bounce = true;
  }
  // What is removed is named in the log: there each mail is followed to its end.
  const bool is_removal = *change == &spool::Spool::remove && services.logs;
  if (*most == 0 && !only_count && !is_removal) {
    result["mails"] = ((*spool)->**change)(*filter);
  } else {
    spool::Filter named;
    named.ids = ids_of(**spool, *filter, *most > 0 ? std::min<uint64_t>(*most, kMostListed) : kMostListed);
    // No ids would mean: all.
    result["mails"] = only_count || named.ids.empty() ? named.ids.size() : ((*spool)->**change)(named);
    if (is_removal && !only_count) {
      for (const auto& id : named.ids) log::info("mail.removed", {{"id", id}, {"by", "an administrator"}});
    }
  }
  if (services.logs && !only_count) {
    log::info("queue.changed", {{"command", text_field(request, "command").value_or("")},
                                {"mails", result["mails"].to_number<uint64_t>()}});
  }
  answer(json::serialize(result));
  return {};
}

}  // namespace doorward::app
