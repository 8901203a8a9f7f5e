#include "app/control_print.h"

#include <fmt/format.h>
#include <sodium.h>

#include <chrono>
#include <cstdio>

#include "app/control_commands.h"
#include "app/keeping.h"
#include "config/quantity.h"
#include "mail/utf8.h"

namespace doorward::app {

namespace json = boost::json;

std::string on_terminal(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    const size_t octets = first < 0x80 ? 1 : mail::utf8_non_ascii(text);
    const bool fine = octets > 0 && (first >= 0x80 || (first >= 0x20 && first != 0x7f));
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
  bool ended = false;
  std::string waiting;  // the end of what was printed: the empty line may lie across two pieces
  return ask_for(config, request, [&](const json::object& object, std::string_view) {
    const std::string text = member(object, "base64");
    std::string octets(text.size(), '\0');
    size_t size = 0;
    if (ended || sodium_base642bin(reinterpret_cast<unsigned char*>(octets.data()), octets.size(), text.data(),
                                   text.size(), nullptr, &size, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0) {
      return;
    }
    octets.resize(size);
    if (header_only) {
      const std::string seen = waiting + octets;
      if (const size_t end = seen.find("\r\n\r\n"); end != std::string::npos) {
        octets = octets.substr(0, end + 2 - waiting.size());
        ended = true;
      }
      waiting = seen.substr(seen.size() - std::min<size_t>(seen.size(), 3));
    }
    (void)std::fwrite(octets.data(), 1, octets.size(), stdout);
  });
}

}  // namespace doorward::app
