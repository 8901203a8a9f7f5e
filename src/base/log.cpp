#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <memory>
#include <mutex>

namespace doorward {

namespace {

// The length of the UTF-8 sequence that starts at `at`, or 0 if the bytes there are none (RFC 3629 §4).
size_t utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U; };
  const auto tail = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) >= 0x90;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
      ++i;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      switch (c) {
        case '\n':
          out += "\\n";
          break;
        case '\r':
          out += "\\r";
          break;
        case '\t':
          out += "\\t";
          break;
        default:
          out += "\\u00";
          out += kHex[static_cast<unsigned char>(c) >> 4];
          out += kHex[c & 15];
      }
      ++i;
    } else if (const size_t length = utf8_length(text, i);
               length == 2 && c == '\xC2' && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      // U+0080 to U+009F: some terminals take them for the begin of a control sequence, as they do ESC.
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(text[i + 1]) >> 4];
      out += kHex[text[i + 1] & 15];
      i += length;
    } else if (length > 0) {
      out.append(text, i, length);
      i += length;
    } else {
      out += "\\ufffd";
      ++i;
    }
  }
  out += '"';
}

}  // namespace doorward

namespace doorward::log {
namespace {

std::atomic<Level> lowest_level{Level::info};
std::mutex target_lock;
std::string target_name = "stderr";
std::shared_ptr<spdlog::logger> make_logger(const std::string& target) {
  spdlog::sink_ptr sink;
  if (target == "stderr") {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else if (target == "stdout") {
    sink = std::make_shared<spdlog::sinks::stdout_sink_mt>();
  } else if (target != "off") {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(target);
  }
  auto made = sink ? std::make_shared<spdlog::logger>("doorward", sink) : std::make_shared<spdlog::logger>("doorward");
  made->set_pattern("%v");
  made->flush_on(spdlog::level::warn);
  return made;
}

// Never destroyed: threads may log until the process is gone.
std::shared_ptr<spdlog::logger>& logger() {
  static auto* held = new std::shared_ptr<spdlog::logger>(make_logger("stderr"));
  return *held;
}

// "2026-01-31T12:00:00.123Z"; the date part is kept a thread long as it changes once a second.
void append_time(std::string& out) {
  static thread_local std::time_t cached = 0;
  static thread_local char text[32];
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto since = now.time_since_epoch().count();
  const std::time_t seconds = since / 1000;
  if (seconds != cached) {
    cached = seconds;
    std::tm broken{};
    gmtime_r(&seconds, &broken);
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &broken);
  }
  fmt::format_to(std::back_inserter(out), "{}.{:03}Z", text, since % 1000);
}

constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                 spdlog::level::err};

}  // namespace

void Value::append_json(std::string& out) const {
  switch (kind_) {
    case Kind::text:
      append_json_string(out, text_);
      break;
    case Kind::boolean:
      out += integer_ != 0 ? "true" : "false";
      break;
    case Kind::integer:
      fmt::format_to(std::back_inserter(out), "{}", integer_);
      break;
    case Kind::real:
      fmt::format_to(std::back_inserter(out), "{:.6g}", real_);
      break;
  }
}

Result<void> set_target(const std::string& target, Level lowest) {
  const std::lock_guard lock(target_lock);
  std::shared_ptr<spdlog::logger> made;
  try {
    made = make_logger(target);
  } catch (const spdlog::spdlog_ex& failure) {
    return fail(std::string("the log cannot be opened: ") + failure.what() + "; check the folder and its owner",
                target);
  }
  target_name = target;
  lowest_level = lowest;
  made->set_level(kLevels[static_cast<size_t>(lowest)]);
  std::atomic_store(&logger(), std::move(made));
  return {};
}

Result<void> reopen() {
  std::string target;
  {
    const std::lock_guard lock(target_lock);
    target = target_name;
  }
  return set_target(target, lowest_level);
}

bool enabled(Level level) { return level >= lowest_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view event, Fields fields) {
  if (!enabled(level)) return;
  static thread_local std::string line;
  line.clear();
  line += "{\"time\":\"";
  append_time(line);
  line += "\",\"level\":\"";
  line += kNames[static_cast<size_t>(level)];
  line += "\",\"event\":";
  append_json_string(line, event);
  for (const auto& field : fields) {
    line += ',';
    append_json_string(line, field.name);
    line += ':';
    field.value.append_json(line);
  }
  line += '}';
  std::atomic_load(&logger())->log(kLevels[static_cast<size_t>(level)],
                                   spdlog::string_view_t(line.data(), line.size()));
}

void flush() { std::atomic_load(&logger())->flush(); }

}  // namespace doorward::log
