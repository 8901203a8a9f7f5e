#include "app/scan.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/config.h"
#include "app/mail_files.h"
#include "base/log.h"
#include "sheet/archive.h"

namespace doorward::app {
namespace {

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int complain(const Error& error) {
  fmt::print(stderr, "doorward scan: {}\n", error.text());
  return 1;
}

// One line of DESIGN §5: file, scl, class, disposition, findings with what each cost.
std::string json_line(std::string_view file, const sheet::ScoreSheet& sheet) {
  const auto& group = sheet.groups.front();
  std::string out = "{\"file\":";
  append_json_string(out, file);
  out += fmt::format(
      ",\"scl\":{},\"points\":{},\"class\":\"{}\",\"disposition\":\"{}\",\"rule\":", group.priced.scl.level(),
      group.priced.total.text(), sheet::name(group.klass), sheet::name(group.disposition));
  append_json_string(out, group.rule);
  out += fmt::format(",\"threshold\":{},\"findings\":[", group.threshold);
  bool first = true;
  for (size_t i = 0; i < sheet.findings.size(); ++i) {
    if (!group.priced.counted[i]) continue;
    const auto& finding = sheet.findings[i];
    if (!first) out += ',';
    first = false;
    out += fmt::format("{{\"filter\":\"{}\",\"symbol\":\"{}\",\"strength\":{:.6g},\"points\":{},\"evidence\":",
                       finding.filter, finding.symbol, finding.strength, group.priced.points[i].text());
    append_json_string(out, finding.evidence);
    out += '}';
  }
  out += "]}\n";
  return out;
}

int show_stored(const ScanOptions& options) {
  const auto config = load_config(options.config_file);
  if (!config) return complain(config.error());
  const auto sheet = sheet::Archive::find(config->sheets_path(), options.reference);
  if (!sheet) return complain(sheet.error());
  print(options.json ? sheet::to_json(*sheet) + "\n" : sheet::to_text(*sheet));
  return 0;
}

}  // namespace

int scan(const ScanOptions& options) {
  if (!options.reference.empty()) return show_stored(options);
  const auto judging = Judging::open(options.config_file);
  if (!judging) return complain(judging.error());
  int status = 0;
  for (const auto& path : options.paths) {
    const auto done = for_each_mail(path, [&](const MailOnDisk& mail) {
      const auto sheet = (*judging)->judge(mail.raw, options.envelope);
      if (!sheet) {
        status = complain(sheet.error());
        return false;
      }
      print(options.json ? json_line(mail.name, *sheet) : fmt::format("{}\n{}\n", mail.name, sheet::to_text(*sheet)));
      return true;
    });
    if (!done) status = complain(done.error());
    if (done && done->unreadable > 0) {
      for (const auto& problem : done->problems) fmt::print(stderr, "doorward scan: {}\n", problem);
      status = 1;
    }
    if (status != 0 && !done) continue;
  }
  return status;
}

}  // namespace doorward::app
