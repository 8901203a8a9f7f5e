// The score sheet as one JSON object. Written by hand into one string, since it is done for every mail; read by
// Boost.JSON.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <mutex>
#include <set>

#include "base/log.h"
#include "sheet/sheet.h"

namespace doorward::sheet {
namespace {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  void key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    append_json_string(out_, value);
  }
  template <std::integral T>
  void number(std::string_view name, T value) {
    key(name);
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }
  void raw(std::string_view name, std::string_view value) {
    key(name);
    out_ += value;
  }
  void open(std::string_view name, char bracket) {
    key(name);
    nest(bracket);
  }
  void nest(char bracket) {
    out_ += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    first_ = false;
  }
  void element() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  std::string& out() { return out_; }

 private:
  std::string& out_;
  bool first_ = true;
};

constexpr std::string_view kStances[] = {"none", "block", "pass"};

void write_finding(Writer& json, const Finding& finding) {
  json.element();
  json.nest('{');
  json.text("filter", finding.filter);
  json.text("symbol", finding.symbol);
  json.raw("strength", fmt::format("{:.6g}", std::isfinite(finding.strength) ? finding.strength : 0.0));
  if (!finding.evidence.empty()) json.text("evidence", finding.evidence);
  if (finding.owner != 0) json.number("owner", finding.owner);
  if (finding.own_points) json.raw("own_points", finding.own_points->text());
  if (finding.stance != Stance::none) json.text("stance", kStances[static_cast<size_t>(finding.stance)]);
  json.close('}');
}

void write_lookup(Writer& json, const Lookup& lookup) {
  json.element();
  json.nest('{');
  json.text("question", lookup.question);
  json.text("answer", lookup.answer);
  if (lookup.cached) json.raw("cached", "true");
  json.number("us", lookup.microseconds);
  json.close('}');
}

void write_group(Writer& json, const GroupVerdict& group) {
  json.element();
  json.nest('{');
  json.open("recipients", '[');
  for (const auto& recipient : group.recipients) {
    json.element();
    append_json_string(json.out(), recipient);
  }
  json.close(']');
  json.number("customer", group.customer);
  json.text("rule", group.rule);
  json.number("threshold", group.threshold);
  json.raw("total", group.priced.total.text());
  json.number("scl", group.priced.scl.level());
  json.text("class", name(group.klass));
  json.text("disposition", name(group.disposition));
  if (group.observed) {
    json.raw("observed", "true");
    json.text("intended", name(group.intended));
  }
  if (group.bypassed) json.raw("bypassed", "true");
  if (group.priced.stance != Stance::none) json.text("stance", kStances[static_cast<size_t>(group.priced.stance)]);
  // The points of each finding, in the findings' order; null where it does not count for these recipients.
  json.open("points", '[');
  for (size_t i = 0; i < group.priced.points.size(); ++i) {
    json.element();
    json.out() += group.priced.counted[i] ? group.priced.points[i].text() : "null";
  }
  json.close(']');
  if (group.reply_code != 0) {
    json.number("reply_code", group.reply_code);
    json.text("reply", group.reply_text);
  }
  json.close('}');
}

// Findings name filters and symbols by views into static storage; a sheet that is read back needs a place for them.
std::string_view interned(const std::string& text) {
  static std::mutex lock;
  static auto* known = new std::set<std::string, std::less<>>;
  const std::lock_guard guard(lock);
  if (known->size() > 10'000) return "?";  // a damaged store must not fill the memory
  return *known->insert(text).first;
}

std::string text_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

double real_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0.0;
}

template <class T>
T integer_of(const boost::json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return 0;
  boost::system::error_code ignored;
  return value->to_number<T>(ignored);
}

Stance stance_of(const std::string& text) {
  return text == "block" ? Stance::block : text == "pass" ? Stance::pass : Stance::none;
}

Finding read_finding(const boost::json::object& object) {
  Finding finding;
  finding.filter = interned(text_of(object, "filter"));
  finding.symbol = interned(text_of(object, "symbol"));
  finding.strength = real_of(object, "strength");
  finding.evidence = text_of(object, "evidence");
  finding.owner = integer_of<uint64_t>(object, "owner");
  if (object.contains("own_points")) finding.own_points = Points::of(real_of(object, "own_points"));
  finding.stance = stance_of(text_of(object, "stance"));
  return finding;
}

Lookup read_lookup(const boost::json::object& object) {
  return {text_of(object, "question"), text_of(object, "answer"), object.contains("cached"),
          integer_of<uint32_t>(object, "us")};
}

GroupVerdict read_group(const boost::json::object& object) {
  GroupVerdict group;
  if (const auto* list = object.if_contains("recipients"); list != nullptr && list->is_array()) {
    for (const auto& recipient : list->as_array()) {
      if (recipient.is_string()) group.recipients.emplace_back(recipient.as_string());
    }
  }
  group.customer = integer_of<uint64_t>(object, "customer");
  group.rule = text_of(object, "rule");
  group.threshold = integer_of<int>(object, "threshold");
  group.priced.total = Points::of(real_of(object, "total"));
  group.priced.scl = Scl(integer_of<int64_t>(object, "scl"));
  group.priced.stance = stance_of(text_of(object, "stance"));
  if (const auto* list = object.if_contains("points"); list != nullptr && list->is_array()) {
    for (const auto& points : list->as_array()) {
      group.priced.counted.push_back(points.is_number());
      group.priced.points.push_back(points.is_number() ? Points::of(points.to_number<double>()) : Points());
    }
  }
  group.klass = class_of(text_of(object, "class")).value_or(Class::unsure);
  group.disposition = disposition_of(text_of(object, "disposition")).value_or(Disposition::deliver);
  group.observed = object.contains("observed");
  group.intended = disposition_of(text_of(object, "intended")).value_or(group.disposition);
  group.bypassed = object.contains("bypassed");
  group.reply_code = integer_of<int>(object, "reply_code");
  group.reply_text = text_of(object, "reply");
  return group;
}

}  // namespace

std::string to_json(const ScoreSheet& sheet) {
  std::string out;
  out.reserve(512 + sheet.findings.size() * 128);
  Writer json(out);
  json.nest('{');
  json.text("id", sheet.id);
  json.number("time_ms", sheet.time.time_since_epoch().count());
  json.text("direction", sheet.direction == Direction::inbound ? "inbound" : "outbound");
  json.text("client_ip", sheet.client_ip);
  json.text("helo", sheet.helo);
  json.text("sender", sheet.sender);
  json.text("subject", sheet.subject);
  json.text("message_id", sheet.message_id);
  json.number("size", sheet.size);
  json.number("judged_us", sheet.judged_microseconds);
  json.open("findings", '[');
  for (const auto& finding : sheet.findings) write_finding(json, finding);
  json.close(']');
  json.open("groups", '[');
  for (const auto& group : sheet.groups) write_group(json, group);
  json.close(']');
  if (!sheet.skipped.empty()) {
    json.open("skipped", '[');
    for (const auto& skipped : sheet.skipped) {
      json.element();
      append_json_string(out, skipped);
    }
    json.close(']');
  }
  if (!sheet.lookups.empty()) {
    json.open("lookups", '[');
    for (const auto& lookup : sheet.lookups) write_lookup(json, lookup);
    json.close(']');
  }
  json.close('}');
  return out;
}

Result<ScoreSheet> from_json(std::string_view text) {
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error);
  if (error || !value.is_object()) return fail("the stored score sheet is damaged: " + error.message());
  const auto& object = value.as_object();
  ScoreSheet sheet;
  sheet.id = text_of(object, "id");
  sheet.time = SystemTime(std::chrono::milliseconds(integer_of<int64_t>(object, "time_ms")));
  sheet.direction = text_of(object, "direction") == "outbound" ? Direction::outbound : Direction::inbound;
  sheet.client_ip = text_of(object, "client_ip");
  sheet.helo = text_of(object, "helo");
  sheet.sender = text_of(object, "sender");
  sheet.subject = text_of(object, "subject");
  sheet.message_id = text_of(object, "message_id");
  sheet.size = integer_of<uint64_t>(object, "size");
  sheet.judged_microseconds = integer_of<uint32_t>(object, "judged_us");
  if (const auto* list = object.if_contains("findings"); list != nullptr && list->is_array()) {
    for (const auto& entry : list->as_array()) {
      if (entry.is_object()) sheet.findings.push_back(read_finding(entry.as_object()));
    }
  }
  if (const auto* list = object.if_contains("groups"); list != nullptr && list->is_array()) {
    for (const auto& entry : list->as_array()) {
      if (entry.is_object()) sheet.groups.push_back(read_group(entry.as_object()));
    }
  }
  if (const auto* list = object.if_contains("skipped"); list != nullptr && list->is_array()) {
    for (const auto& entry : list->as_array()) {
      if (entry.is_string()) sheet.skipped.emplace_back(entry.as_string());
    }
  }
  if (const auto* list = object.if_contains("lookups"); list != nullptr && list->is_array()) {
    for (const auto& entry : list->as_array()) {
      if (entry.is_object()) sheet.lookups.push_back(read_lookup(entry.as_object()));
    }
  }
  return sheet;
}

}  // namespace doorward::sheet
