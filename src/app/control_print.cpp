#include "app/control_print.h"

#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "app/control_commands.h"
#include "app/keeping.h"
#include "config/quantity.h"
#include "mail/utf8.h"

namespace doorward::app {

namespace json = boost::json;

namespace {

// Characters that turn the direction of what follows (Unicode TR9: U+202A to U+202E, U+2066 to U+2069): they make a
// line read as what it is not.
bool turns_direction(std::string_view character) {
  return (character >= "\u202a" && character <= "\u202e") || (character >= "\u2066" && character <= "\u2069");
}

// A header as people may see it on a terminal: line by line.
std::string lines_on_terminal(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find("\r\n"), text.size());
    out += on_terminal(text.substr(0, end));
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return out;
}

std::string decoded(const std::string& base64) {
  std::string octets(base64.size(), '\0');
  size_t size = 0;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(octets.data()), octets.size(), base64.data(), base64.size(),
                        nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0) {
    return {};
  }
  octets.resize(size);
  return octets;
}

}  // namespace

std::string on_terminal(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const size_t octets = first < 0x80 ? 1 : mail::utf8_non_ascii(text);
    const bool fine =
        octets > 0 && !turns_direction(text.substr(0, octets)) && (first >= 0x80 || (first >= 0x20 && first != 0x7f));
    if (fine) {
      out += text.substr(0, octets);
    } else {
      out += '?';
    }
    text.remove_prefix(octets > 0 ? octets : 1);
  }
  return out;
}

std::string short_text(std::string_view text, size_t most) {
  std::string out = on_terminal(text);
  if (out.size() <= most) return out;
  size_t end = most > 0 ? most - 1 : 0;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80U) --end;  // not within a character
  return out.substr(0, end) + "…";
}

std::string age_text(int64_t seconds) {
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 7'200) return fmt::format("{}m", seconds / 60);
  if (seconds < 172'800) return fmt::format("{}h", seconds / 3'600);
  return fmt::format("{}d", seconds / 86'400);
}

std::string member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr) return "";
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

Result<void> add_age(json::object& request, std::string_view name, const std::string& text) {
  if (text.empty()) return {};
  auto time = config::parse_duration(text);
  if (!time) return std::unexpected(time.error());
  request[name] = std::chrono::duration_cast<std::chrono::seconds>(*time).count();
  return {};
}

void add_text(json::object& request, std::string_view name, const std::string& text) {
  if (!text.empty()) request[name] = text;
}

void add_ids(json::object& request, const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  json::array list;
  for (const auto& id : ids) list.emplace_back(id);
  request["ids"] = std::move(list);
}

json::object request_for(std::string_view command) { return {{"doorward", kControlVersion}, {"command", command}}; }

Result<void> ask_for(const NodeConfig& config, const json::object& request, const EachObject& each) {
  Result<void> understood;
  auto done = request_control(config, json::serialize(request), [&](std::string_view line) {
    boost::system::error_code wrong;
    const auto value = json::parse({line.data(), line.size()}, wrong);
    if (wrong || !value.is_object()) {
      understood = fail("the gateway's answer is not understood");
      return false;
    }
    each(value.get_object(), line);
    return true;
  });
  return done ? understood : done;
}

Result<void> print_content(const NodeConfig& config, const json::object& request, bool header_only) {
  std::string header;  // with what follows it in the same piece
  bool ended = false;
  auto done = ask_for(config, request, [&](const json::object& object, std::string_view) {
    if (ended) return;
    const std::string octets = decoded(member(object, "base64"));
    if (!header_only) {
      (void)std::fwrite(octets.data(), 1, octets.size(), stdout);
      return;
    }
    const size_t looked_at = std::max<size_t>(header.size(), 3) - 3;  // the empty line may lie across two pieces
    header += octets;
    const size_t end = header.starts_with("\r\n") ? 0 : header.find("\r\n\r\n", looked_at);
    if (end == std::string::npos) return;
    ended = true;
    header.resize(end == 0 ? 0 : end + 2);
  });
  if (::isatty(STDOUT_FILENO) == 1) header = lines_on_terminal(header);
  (void)std::fwrite(header.data(), 1, header.size(), stdout);
  return done;
}

}  // namespace doorward::app
