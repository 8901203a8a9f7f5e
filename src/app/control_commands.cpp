#include "app/control_commands.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/id.h"
#include "mail/ascii.h"
#include "mail/utf8.h"

namespace doorward::app {
namespace {

namespace json = boost::json;

constexpr size_t kMostDepth = 4;
constexpr size_t kPiece = size_t{48} << 10;  // octets a line of base64

struct Row {
  std::string_view name;
  ControlCommand run;
};
constexpr std::array<Row, 14> kCommands{{
    {"queue.list", control_queue_list},
    {"queue.show", control_queue_show},
    {"queue.retry", control_queue_change},
    {"queue.hold", control_queue_change},
    {"queue.release", control_queue_change},
    {"queue.remove", control_queue_change},
    {"queue.bounce", control_queue_change},
    {"quarantine.list", control_quarantine_list},
    {"quarantine.show", control_quarantine_show},
    {"quarantine.release", control_quarantine_release},
    {"quarantine.delete", control_quarantine_delete},
    {"reports.send", control_reports_send},
    {"trust.show", control_trust_show},
    {"trust.set", control_trust_set},
}};

// A misspelt field must not widen what a request is for.
constexpr std::array<std::string_view, 18> kFields{
    "doorward",     "command", "ids",  "sender", "recipient", "domain",   "destination", "reason",  "older_than",
    "younger_than", "subject", "mail", "class",  "state",     "customer", "most",        "address", "level"};
constexpr std::array<std::string_view, 6> kFlags{"held", "stranded", "force", "raw", "count_only", "now"};

std::unexpected<Error> wrong(std::string what) { return fail(std::move(what), "control", Blame::peer); }

Result<void> check_fields(const json::object& request) {
  for (const auto& field : request) {
    const std::string_view key = field.key();
    const bool is_flag = std::ranges::find(kFlags, key) != kFlags.end();
    if (!is_flag && std::ranges::find(kFields, key) == kFields.end()) {
      return wrong(fmt::format("there is no field \"{}\"", printable(key.substr(0, 40))));
    }
    if (is_flag && !field.value().is_bool()) return wrong(fmt::format("\"{}\" is neither true nor false", key));
  }
  return {};
}

}  // namespace

Result<void> run_control_command(std::string_view request, const Services& services, const Answer& answer) {
  if (request.size() > kMostRequest) return wrong("the request is too long");
  json::parse_options options;
  options.max_depth = kMostDepth;
  boost::system::error_code failed;
  const json::value value = json::parse({request.data(), request.size()}, failed, {}, options);
  if (failed) return wrong("the request is no JSON: " + failed.message());
  if (!value.is_object()) return wrong("the request is no object");
  const json::object& object = value.get_object();
  const auto* version = object.if_contains("doorward");
  if (version == nullptr || !version->is_int64() || version->get_int64() != kControlVersion) {
    return wrong(fmt::format("the request is not of version {}: command and gateway are of different releases",
                             kControlVersion));
  }
  if (auto checked = check_fields(object); !checked) return checked;
  auto name = text_field(object, "command");
  if (!name) return std::unexpected(name.error());
  const auto* row = std::ranges::find(kCommands, *name, &Row::name);
  if (row == kCommands.end()) return wrong(fmt::format("there is no command \"{}\"", printable(name->substr(0, 40))));
  return row->run(object, services, answer);
}

Result<std::string> text_field(const json::object& request, std::string_view name) {
  const auto* value = request.if_contains(name);
  if (value == nullptr) return "";
  if (!value->is_string()) return wrong(fmt::format("\"{}\" is no text", name));
  return std::string(value->get_string());
}

Result<std::vector<std::string>> ids_field(const json::object& request) {
  std::vector<std::string> ids;
  const auto* value = request.if_contains("ids");
  if (value == nullptr) return ids;
  if (!value->is_array()) return wrong("\"ids\" is no list");
  for (const auto& one : value->get_array()) {
    if (!one.is_string() || !is_id(std::string_view(one.get_string()))) {
      return wrong("an id has 26 letters and digits");
    }
    std::string id(one.get_string());
    std::ranges::transform(id, id.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    ids.push_back(std::move(id));
  }
  if (ids.empty()) return wrong("\"ids\" is empty");  // else it would mean all
  return ids;
}

Result<uint64_t> number_field(const json::object& request, std::string_view name, uint64_t without) {
  const auto* value = request.if_contains(name);
  if (value == nullptr) return without;
  if (!value->is_int64() || value->get_int64() < 0) return wrong(fmt::format("\"{}\" is no whole number", name));
  return static_cast<uint64_t>(value->get_int64());
}

bool flag_field(const json::object& request, std::string_view name) {
  const auto* value = request.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string printable(std::string_view text) {
  if (mail::is_utf8(text)) return std::string(text);
  std::string out(text);
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return out;
}

std::string moment_text(SystemTime time) {
  if (time == SystemTime{}) return "";
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", std::chrono::floor<std::chrono::seconds>(time));
}

void answer_octets(std::string_view octets, const Answer& answer) {
  while (!octets.empty()) {
    const auto piece = octets.substr(0, kPiece);
    octets.remove_prefix(piece.size());
    std::string text(sodium_base64_ENCODED_LEN(piece.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(piece.data()), piece.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    text.pop_back();  // its terminating zero
    if (!answer(fmt::format(R"({{"base64":"{}"}})", text))) return;
  }
}

}  // namespace doorward::app
