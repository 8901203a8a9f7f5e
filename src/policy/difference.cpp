#include "policy/difference.h"

#include <fmt/format.h>

#include <map>

#include "base/log.h"
#include "config/quantity.h"
#include "policy/names.h"

namespace doorward::policy {
namespace {

using Traits = std::map<std::string, std::string>;  // what → value
using Objects = std::map<std::string, Traits>;

template <class List>
std::string joined(const List& list) {
  std::string out;
  for (const auto& item : list) {
    if constexpr (requires { item.text(); }) {
      out += fmt::format("{}{}", out.empty() ? "" : ", ", item.text());
    } else {
      out += fmt::format("{}{}", out.empty() ? "" : ", ", item);
    }
  }
  return out;
}

// A list's items have a line each: a comma reads better.
std::string readable(std::string value) {
  for (size_t at = value.find('\n'); at != std::string::npos; at = value.find('\n', at)) value.replace(at, 1, ", ");
  return value;
}

std::string describe(const WrittenRule& rule) {
  std::string out = fmt::format("\"{}\": {} from {} to {}", rule.name, name(rule.mode), rule.sender, rule.recipient);
  if (rule.direction) out += fmt::format(", {}", name(*rule.direction));
  if (!rule.networks.empty()) out += fmt::format(", by {}", joined(rule.networks));
  if (!rule.threshold.empty()) out += fmt::format(", threshold {}", rule.threshold);
  for (const auto& [key, value] : rule.filters) out += fmt::format(", {} {}", key, value);
  return out;
}

void add_rules(const std::vector<WrittenRule>& rules, Traits& traits) {
  for (size_t i = 0; i < rules.size(); ++i) traits[fmt::format("rule {}", i + 1)] = describe(rules[i]);
}

Traits traits_of(const Tenant& tenant) {
  Traits traits;
  for (const auto& [key, setting] : tenant.settings) {
    traits[key] = readable(setting.value) + (setting.locked ? " (locked)" : "");
  }
  if (!tenant.aliases.empty()) traits["aliases"] = joined(tenant.aliases);
  for (const Consent& consent : tenant.consents) {
    traits[fmt::format("consent to {}", name(consent.mode))] =
        fmt::format("{}, {}: {}", consent.who, consent.when, consent.text);
  }
  add_rules(tenant.rules, traits);
  for (const filter::Entry& entry : tenant.entries) {
    std::string& text = traits[fmt::format("{} {} {}", entry.pass ? "pass" : "block", name(entry.kind), entry.pattern)];
    text = entry.note;
    if (entry.recorded_network)
      text += fmt::format("{}from {}", text.empty() ? "" : ", ", entry.recorded_network->text());
  }
  return traits;
}

void add_tenant(const Tenant& tenant, const std::string& above, Objects& objects) {
  const std::string object = fmt::format("{}{}{}", name(tenant.level), tenant.name.empty() ? "" : " ", tenant.name);
  Traits& traits = objects[object] = traits_of(tenant);
  if (!above.empty()) traits["belongs to"] = above;
  for (const Tenant& below : tenant.below) add_tenant(below, object, objects);
}

Objects objects_of(const Policy& policy) {
  Objects objects;
  for (const Backend& backend : policy.backends) {
    objects["backend " + backend.name] = {{"address", joined(backend.addresses)},
                                          {"protocol", std::string(name(backend.protocol))},
                                          {"tls", std::string(name(backend.tls))},
                                          {"tls_name", backend.tls_name},
                                          {"max_connections", fmt::format("{}", backend.max_connections)},
                                          {"timeout", config::format_duration(backend.timeout)}};
  }
  for (const RuleSet& set : policy.rule_sets) add_rules(set.rules, objects["rule set " + set.name]);
  for (const WrittenWordList& written : policy.word_lists) {
    Traits& traits = objects["word list " + written.list.name];
    for (const filter::WordEntry& entry : written.list.entries) {
      traits[fmt::format("{} in {}, {}", entry.pattern, name(entry.where), name(entry.spelling))] =
          fmt::format("{} points ({})", entry.points.text(), name(entry.kind));
    }
  }
  add_tenant(policy.provider, "", objects);
  return objects;
}

void add_changes(const std::string& object, const Traits& before, const Traits& after, std::vector<Change>& changes) {
  for (const auto& [what, value] : before) {
    const auto now = after.find(what);
    if (now == after.end()) {
      changes.push_back({object, what, value, std::nullopt});
    } else if (now->second != value) {
      changes.push_back({object, what, value, now->second});
    }
  }
  for (const auto& [what, value] : after) {
    if (!before.contains(what)) changes.push_back({object, what, std::nullopt, value});
  }
}

}  // namespace

std::vector<Change> difference(const Policy& before, const Policy& after) {
  const Objects old_objects = objects_of(before), new_objects = objects_of(after);
  std::vector<Change> changes;
  for (const auto& [object, traits] : old_objects) {
    const auto now = new_objects.find(object);
    if (now == new_objects.end()) {
      changes.push_back({object, "", "", std::nullopt});
    } else {
      add_changes(object, traits, now->second, changes);
    }
  }
  for (const auto& [object, traits] : new_objects) {
    if (old_objects.contains(object)) continue;
    changes.push_back({object, "", std::nullopt, ""});
    add_changes(object, {}, traits, changes);
  }
  return changes;
}

std::string to_text(const std::vector<Change>& changes) {
  std::string out;
  for (const Change& change : changes) {
    out += change.object;
    if (!change.what.empty()) out += ": " + change.what;
    if (change.before && change.after) {
      out += fmt::format(": {} → {}\n", *change.before, *change.after);
    } else {
      const std::string& value = change.after ? *change.after : *change.before;
      out += fmt::format(": {}{}{}\n", change.after ? "added" : "removed", value.empty() ? "" : ": ", value);
    }
  }
  return out;
}

std::string to_json(const std::vector<Change>& changes) {
  std::string out;
  const auto add = [&](std::string_view key, const std::optional<std::string>& value) {
    out += fmt::format("\"{}\":", key);
    if (value) {
      append_json_string(out, *value);
    } else {
      out += "null";
    }
  };
  for (const Change& change : changes) {
    out += '{';
    add("object", change.object);
    out += ',';
    add("what", change.what);
    out += ',';
    add("before", change.before);
    out += ',';
    add("after", change.after);
    out += "}\n";
  }
  return out;
}

}  // namespace doorward::policy
