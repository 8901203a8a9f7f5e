#include "app/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <set>

#include "app/config_fields.h"
#include "config/option_value.h"
#include "config/problems.h"
#include "config/toml.h"

namespace doorward::app {
namespace {

using config::Problems;
using config::Value;

template <class Struct>
void set_field(const Field<Struct>& field, const Value& value, Struct& into, Problems& problems) {
  const auto canonical = config::check(field.option, value);
  auto done = canonical ? field.set(into, *canonical) : std::unexpected(canonical.error());
  if (!done) problems.add(value.line, fmt::format("{}: {}", field.option.name, done.error().what));
}

// The keys of one table; `section` is empty for the file's top.
template <class Struct>
void read_table(const Value& table, std::string_view section, std::span<const Field<Struct>> fields, Struct& into,
                Problems& problems, std::span<const std::string_view> others = {}) {
  const std::string prefix = section.empty() ? "" : fmt::format("{}.", section);
  for (const config::Member& member : table.members) {
    if (std::ranges::find(others, member.key) != others.end()) continue;
    const auto field = std::ranges::find_if(
        fields, [&](const Field<Struct>& known) { return known.option.name == prefix + member.key; });
    if (field != fields.end()) {
      set_field(*field, member.value, into, problems);
      continue;
    }
    std::vector<std::string_view> known(others.begin(), others.end());
    for (const Field<Struct>& candidate : fields) {
      if (candidate.option.name.starts_with(prefix)) known.push_back(candidate.option.name.substr(prefix.size()));
    }
    problems.unknown(member.value.line, "key", member.key, known);
  }
}

std::vector<std::string_view> sections() {
  std::vector<std::string_view> found;
  for (const auto& field : node_fields()) {
    const size_t dot = field.option.name.find('.');
    if (dot == std::string_view::npos) continue;
    const auto section = field.option.name.substr(0, dot);
    if (found.empty() || found.back() != section) found.push_back(section);
  }
  return found;
}

// Calls `read` for each table of "[[name]]".
template <class Read>
void each_table(const Value& root, std::string_view name, Problems& problems, const Read& read) {
  const Value* list = root.find(name);
  if (list == nullptr) return;
  if (list->kind != Value::Kind::list) {
    problems.add(list->line, fmt::format("{} is written as [[{}]], with double brackets", name, name));
    return;
  }
  for (const Value& table : list->items) {
    if (table.kind == Value::Kind::table) {
      read(table);
    } else {
      problems.add(table.line, fmt::format("{} is written as [[{}]]", name, name));
    }
  }
}

void read_lists(const Value& root, NodeConfig& config, Problems& problems) {
  std::set<std::string> names;
  each_table(root, "listener", problems, [&](const Value& table) {
    smtp::ListenerOptions listener;
    read_table(table, "", listener_fields(), listener, problems);
    if (table.find("address") == nullptr) problems.add(table.line, "the listener has no address");
    if (!names.insert(listener.name).second) {
      problems.add(table.line, fmt::format("there is another listener of the name \"{}\"", listener.name));
    }
    config.listeners.push_back(std::move(listener));
  });
  each_table(root, "certificate", problems, [&](const Value& table) {
    net::Certificate certificate;
    read_table(table, "", certificate_fields(), certificate, problems);
    if (certificate.certificate_file.empty() || certificate.key_file.empty()) {
      problems.add(table.line, "a certificate needs both: certificate and key");
    }
    config.certificates.push_back(std::move(certificate));
  });
  std::set<std::string> zones;
  each_table(root, "list", problems, [&](const Value& table) {
    filter::BlockList list;
    read_table(table, "", block_list_fields(), list, problems);
    list.zone = net::dns_name(list.zone);
    if (list.zone.empty()) problems.add(table.line, "the list has no zone, or one that no name can be");
    if (list.name.empty()) list.name = list.zone;
    if (list.on && list.codes.empty())
      problems.add(table.line, "the list has no codes: its answers would mean nothing");
    if (list.tested && (list.kind == filter::ListKind::email || list.kind == filter::ListKind::link)) {
      problems.add(table.line, "lists of hashes have no test entries: say tested = false, and look after it yourself");
    }
    if (!zones.insert(list.zone).second) problems.add(table.line, "there is another list of that zone");
    config.block_lists.push_back(std::move(list));
  });
}

template <class Complain>
void check_reports(const ReportsConfig& reports, const Complain& complain) {
  if (!reports.contact.empty() && !mail::parse_mailbox(reports.contact, mail::Utf8::refused)) {
    complain("contact", "not an address");
  }
  if (!reports.sender.empty() && !mail::parse_mailbox(reports.sender, mail::Utf8::refused)) {
    complain("sender", "not an address");
  }
  if (reports.every < std::chrono::hours(1) || reports.every > std::chrono::hours(24)) {
    complain("every", "has to be from 1h to 1d");
  }
  if (!reports.on && !reports.failures) return;
  const char* key = reports.on ? "on" : "failures";
  if (reports.organization.empty()) complain(key, "nobody takes a report without reports.organization");
  if (reports.contact.empty()) complain(key, "nobody takes a report without an address in reports.contact");
}

void check_whole(const Value& root, const NodeConfig& config, Problems& problems) {
  const auto line_of = [&](std::string_view section, std::string_view key) -> uint32_t {
    const Value* table = root.find(section);
    const Value* value = table != nullptr ? table->find(key) : nullptr;
    return value != nullptr ? value->line : 0;
  };
  if (!std::has_single_bit(config.statistics_entries)) {
    problems.add(line_of("statistics", "entries"),
                 fmt::format("statistics.entries: {} is not a power of two; the next one is {}",
                             config.statistics_entries, std::bit_ceil(config.statistics_entries)));
  }
  if (config.server.limits.long_line < config.server.limits.text_line) {
    problems.add(line_of("limits", "long_line"), "limits.long_line is less than limits.text_line");
  }
  check_reports(config.reports, [&](std::string_view key, std::string what) {
    problems.add(line_of("reports", key), fmt::format("reports.{}: {}", key, what));
  });
  for (const auto& listener : config.listeners) {
    const bool needs = listener.tls == smtp::TlsMode::required || listener.tls == smtp::TlsMode::implicit;
    if (needs && config.certificates.empty()) {
      problems.add(0, fmt::format("listener \"{}\" demands TLS, but there is no [[certificate]]", listener.name));
    }
  }
  if (const Value* given = root.find("postmaster"); given != nullptr && !config.postmaster.empty()) {
    if (!mail::parse_mailbox(config.postmaster)) problems.add(given->line, "postmaster: not an address");
  }
}

std::string machine_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

// Paths in the file are meant from where the file is.
void place(std::string& path, const std::filesystem::path& folder) {
  if (!path.empty() && std::filesystem::path(path).is_relative()) path = (folder / path).lexically_normal().string();
}

void place_all(NodeConfig& config, const std::string& file_name) {
  const auto folder = std::filesystem::absolute(std::filesystem::path(file_name)).parent_path();
  for (std::string* path :
       {&config.state_directory, &config.cache_directory, &config.policy_file, &config.server.limits.spill_directory,
        &config.sealing.key_file, &config.centre.token_file, &config.centre.key_file, &config.centre.authority}) {
    place(*path, folder);
  }
  if (config.log_target != "stderr" && config.log_target != "stdout" && config.log_target != "off") {
    place(config.log_target, folder);
  }
  for (net::Certificate& certificate : config.certificates) {
    place(certificate.certificate_file, folder);
    place(certificate.key_file, folder);
  }
}

template <class Struct>
void print_fields(std::span<const Field<Struct>> fields, const Struct& from, std::string_view section,
                  std::string& out) {
  for (const auto& field : fields) {
    const size_t dot = field.option.name.find('.');
    const bool inside = dot != std::string_view::npos;
    if ((inside ? field.option.name.substr(0, dot) : std::string_view{}) != section) continue;
    out += fmt::format("{} = {}\n", inside ? field.option.name.substr(dot + 1) : field.option.name,
                       config::to_toml(field.option, field.get(from)));
  }
}

template <class Struct>
void describe(std::span<const Field<Struct>> fields, std::string_view section, std::string& out) {
  out += "\n| key | default | what it does |\n| --- | --- | --- |\n";
  for (const auto& [option, get, set, needs_restart] : fields) {
    const size_t dot = option.name.find('.');
    const bool inside = dot != std::string_view::npos;
    if ((inside ? option.name.substr(0, dot) : std::string_view{}) != section) continue;
    std::string sentence(option.sentence);
    if (option.type == config::OptionType::choice) {
      sentence += " One of";
      for (const auto& choice : option.choices) sentence += fmt::format(" `{}`", choice);
      sentence += ".";
    }
    if (const std::string bounds = config::bounds_text(option); !bounds.empty()) sentence += " " + bounds + ".";
    out += fmt::format("| `{}` | `{}`{} | {} |\n", inside ? option.name.substr(dot + 1) : option.name,
                       config::to_toml(option, option.default_value),
                       option.unit.empty() ? "" : fmt::format(" {}", option.unit), sentence);
  }
}

std::string reload_keys() {
  std::string keys;
  for (const auto& field : node_fields()) {
    if (!field.needs_restart) keys += fmt::format("`{}`, ", field.option.name);
  }
  return keys;
}

}  // namespace

smtp::ServerOptions NodeConfig::server_options() const {
  smtp::ServerOptions options = server;
  options.host_name = host_name;
  return options;
}

trust::Correspondence::Options NodeConfig::correspondence_options() const {
  const double days = std::chrono::duration<double, std::chrono::days::period>(trust_half_life).count();
  return {.entries = trust_entries, .directory = trust_path(), .forgetting = {.decay = trust_decay, .half_life = days}};
}

spool::Options NodeConfig::spool_options() const {
  spool::Options options = spool;
  options.directory = spool_path();
  return options;
}

std::vector<filter::BlockList> NodeConfig::all_block_lists() const {
  std::vector<filter::BlockList> all = block_lists;
  if (!default_lists) return all;
  for (auto& list : filter::default_block_lists()) {
    const auto same = [&](const filter::BlockList& named) { return named.zone == list.zone; };
    if (std::ranges::none_of(block_lists, same)) all.push_back(std::move(list));
  }
  return all;
}

net::ResolverOptions NodeConfig::dns_options() const {
  net::ResolverOptions options = dns;
  if (!lists.on) return options;
  for (const auto& list : all_block_lists()) {
    if (list.on) options.list_zones.push_back({list.zone, list.servers});
  }
  return options;
}

Result<NodeConfig> parse_config(std::string_view text, const std::string& file_name) {
  const auto root = config::parse_toml(text, file_name);
  if (!root) return std::unexpected(root.error());
  NodeConfig config;
  Problems problems(file_name);
  auto others = sections();
  const auto in_sections = others;
  others.push_back("listener");
  others.push_back("certificate");
  others.push_back("list");
  read_table(*root, "", node_fields(), config, problems, others);
  for (const std::string_view section : in_sections) {
    const Value* table = root->find(section);
    if (table == nullptr) continue;
    if (table->kind == Value::Kind::table) {
      read_table(*table, section, node_fields(), config, problems);
    } else {
      problems.add(table->line, fmt::format("{} is a section: write [{}]", section, section));
    }
  }
  read_lists(*root, config, problems);
  check_whole(*root, config, problems);
  if (!problems.none()) return std::unexpected(problems.error());
  if (config.host_name.empty()) config.host_name = machine_name();
  if (config.listeners.empty()) {
    config.listeners.emplace_back();
    config.listeners.back().address.port = 25;
    config.listeners.back().address.ip = mail::IpAddress::v4(0);
  }
  place_all(config, file_name);
  return config;
}

Result<NodeConfig> load_config(const std::string& file) {
  const auto text = config::read_file(file);
  if (!text) return std::unexpected(text.error());
  return parse_config(*text, file);
}

std::string print_effective(const NodeConfig& config) {
  std::string out;
  print_fields(node_fields(), config, "", out);
  for (const std::string_view section : sections()) {
    out += fmt::format("\n[{}]\n", section);
    print_fields(node_fields(), config, section, out);
  }
  for (const auto& listener : config.listeners) {
    out += "\n[[listener]]\n";
    print_fields(listener_fields(), listener, "", out);
  }
  for (const auto& certificate : config.certificates) {
    out += "\n[[certificate]]\n";
    print_fields(certificate_fields(), certificate, "", out);
  }
  for (const auto& list : config.block_lists) {
    out += "\n[[list]]\n";
    print_fields(block_list_fields(), list, "", out);
  }
  return out;
}

std::vector<std::string> changes_that_need_a_restart(const NodeConfig& present, const NodeConfig& next) {
  std::vector<std::string> changed;
  for (const auto& field : node_fields()) {
    if (field.needs_restart && field.get(present) != field.get(next)) changed.emplace_back(field.option.name);
  }
  const auto printed = [](const NodeConfig& config) {
    std::string out;
    for (const auto& listener : config.listeners) print_fields(listener_fields(), listener, "", out);
    return out;
  };
  if (printed(present) != printed(next)) changed.emplace_back("listener");
  const auto lists = [](const NodeConfig& config) {
    std::string out;
    for (const auto& list : config.block_lists) print_fields(block_list_fields(), list, "", out);
    return out;
  };
  if (lists(present) != lists(next)) changed.emplace_back("list");
  return changed;
}

std::string config_reference() {
  std::string out =
      "# doorward.toml\n\nThe configuration of one node. The tenants and their settings are in the policy "
      "([policy.md](policy.md)).\n\nUnknown keys are errors, told with their line and the nearest known key. "
      "`doorward serve --print-config` prints the\nvalues in force. Sizes and times carry their units: `\"25MB\"` (kB, "
      "MB, "
      "GB, TB, KiB, MiB, GiB, TiB), `\"30s\"` (ms, s, m, h,\nd, w). Relative paths are meant from the file's "
      "folder.\n\n";
  out += fmt::format("A reload (`SIGHUP`) takes the policy, {}and certificates; the other keys need a restart.\n",
                     reload_keys());
  out += "\nThis page is made from the program's own descriptions; a test holds it to them.\n\n## At the top\n";
  describe(node_fields(), "", out);
  for (const std::string_view section : sections()) {
    out += fmt::format("\n## [{}]\n", section);
    describe(node_fields(), section, out);
  }
  out += "\n## [[listener]]\n\nOne for each address. None: one on `0.0.0.0:25`.\n";
  describe(listener_fields(), "", out);
  out +=
      "\n## [[certificate]]\n\nOne for each certificate; the names it serves come from itself, and the first answers "
      "where none "
      "fits. None: STARTTLS is\nnot offered.\n";
  describe(certificate_fields(), "", out);
  out += "\n## [[list]]\n\nOne for each list in the DNS, besides the default ones: [lists.md](lists.md).\n";
  describe(block_list_fields(), "", out);
  return out;
}

}  // namespace doorward::app
