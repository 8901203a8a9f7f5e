// SMTP TLS reports (RFC 8460 §4.4), with the slips that are known of those who write them.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>

#include "mail/ascii.h"
#include "report/readers.h"

namespace doorward::report {
namespace {

namespace json = boost::json;

constexpr size_t kMostDepth = 12;
constexpr size_t kMostPolicies = 1000;

std::unexpected<Error> none(std::string_view why) {
  return fail(fmt::format("no TLS report: {}", why), {}, Blame::peer);
}

std::string cut(std::string_view text) {
  if (text.size() > kMostText) {
    text = text.substr(0, kMostText);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80) text.remove_suffix(1);
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.remove_suffix(1);
  }
  return std::string(text);
}

std::string text_of(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return cut(value->get_string());
}

uint64_t number_of(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  if (value == nullptr) return 0;
  if (value->is_uint64()) return kMostCounted;  // more than an int64_t holds
  if (!value->is_int64() || value->get_int64() < 0) return 0;
  return std::min(static_cast<uint64_t>(value->get_int64()), kMostCounted);
}

const json::object* object_in(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value != nullptr ? value->if_object() : nullptr;
}

// "2016-04-01T00:00:00Z" (RFC 3339 §5.6); 0 for anything else. An offset is passed over: a report tells of days.
int64_t moment(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  // NOLINTNEXTLINE(cert-err34-c): numbers of at most four digits, checked below
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) != 6) return 0;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 1970 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return 0;
  }
  return std::chrono::sys_days(date).time_since_epoch().count() * int64_t{86'400} + hour * 3600 + minute * 60 + second;
}

TlsFailure failure_of(const json::object& from) {
  TlsFailure failure;
  failure.result = mail::lowered(text_of(from, "result-type"));
  failure.sending_ip = text_of(from, "sending-mta-ip");
  failure.receiving_host = text_of(from, "receiving-mx-hostname");
  failure.receiving_ip = text_of(from, "receiving-ip");
  failure.reason = text_of(from, "failure-reason-code");
  failure.sessions = number_of(from, "failed-session-count");
  return failure;
}

TlsPolicy policy_of(const json::object& from, size_t& room) {
  TlsPolicy policy;
  if (const auto* about = object_in(from, "policy")) {
    policy.type = mail::lowered(text_of(*about, "policy-type"));
    policy.domain = mail::lowered(text_of(*about, "policy-domain"));
  }
  if (const auto* summary = object_in(from, "summary")) {
    policy.successes = number_of(*summary, "total-successful-session-count");
    policy.failures = number_of(*summary, "total-failure-session-count");
  }
  const auto* details = from.if_contains("failure-details");
  if (details == nullptr || !details->is_array()) return policy;
  for (const auto& detail : details->get_array()) {
    if (!detail.is_object() || room == 0) continue;
    --room;
    policy.details.push_back(failure_of(detail.get_object()));
  }
  return policy;
}

}  // namespace

Result<TlsReport> read_tls(std::string_view text) {
  if (text.size() > kMostTlsDocument) return none(fmt::format("more than {} octets", kMostTlsDocument));
  json::parse_options options;
  options.max_depth = kMostDepth;
  boost::system::error_code failed;
  const json::value value = json::parse({text.data(), text.size()}, failed, {}, options);
  if (failed) return none(failed.message());
  const auto* root = value.if_object();
  if (root == nullptr) return none("it is no object");
  TlsReport report;
  report.organization = text_of(*root, "organization-name");
  report.contact = text_of(*root, "contact-info");
  report.id = text_of(*root, "report-id");
  if (const auto* range = object_in(*root, "date-range")) {
    report.begin = moment(text_of(*range, "start-datetime"));
    report.end = moment(text_of(*range, "end-datetime"));
  }
  const auto* policies = root->if_contains("policies");
  if (policies == nullptr || !policies->is_array()) return none("it has no policies");
  size_t room = kMostRecords;
  for (const auto& policy : policies->get_array()) {
    if (policy.is_object() && report.policies.size() < kMostPolicies) {
      report.policies.push_back(policy_of(policy.get_object(), room));
    }
  }
  std::erase_if(report.policies, [](const TlsPolicy& policy) { return policy.domain.empty(); });
  if (report.organization.empty()) report.organization = report.contact;
  if (report.organization.empty() || report.id.empty()) return none("it does not say whose it is, or has no id");
  if (report.begin <= 0 || report.end < report.begin) return none("it has no dates");
  if (report.policies.empty()) return none("it names no domain");
  return report;
}

}  // namespace doorward::report
