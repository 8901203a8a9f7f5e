#include "policy/reference.h"

#include <fmt/format.h>

#include "config/option_value.h"
#include "policy/file_options.h"
#include "policy/options.h"

namespace doorward::policy {
namespace {

void describe(const config::OptionInfo& option, std::string& out) {
  std::string sentence(option.sentence);
  for (size_t at = sentence.find('|'); at != std::string::npos; at = sentence.find('|', at + 2))
    sentence.insert(at, 1, '\\');
  if (option.type == config::OptionType::choice) {
    sentence += " One of";
    for (const auto& choice : option.choices) sentence += fmt::format(" `{}`", choice);
    sentence += ".";
  }
  if (const std::string bounds = config::bounds_text(option); !bounds.empty()) sentence += " " + bounds + ".";
  out += fmt::format("| `{}` | `{}`{} | {} |\n", option.name, config::to_toml(option, option.default_value),
                     option.unit.empty() ? "" : fmt::format(" {}", option.unit), sentence);
}

constexpr std::string_view kHead = "\n| key | default | what it does |\n| --- | --- | --- |\n";

template <class... Options>
void section(std::string_view title, std::string& out, const Options&... options) {
  out += fmt::format("\n## {}\n{}", title, kHead);
  (describe(options, out), ...);
}

}  // namespace

std::string settings_reference() {
  std::string out =
      "# The policy's settings and tables\n\nThe settings may stand at every level: `[provider]`, `[[reseller]]`, "
      "`[[customer]]`, `[[customer.domain]]` and\n`[[customer.domain.mailbox]]`; [policy.md](policy.md) tells how they "
      "inherit. This page is made from the program's own\ndescriptions; a test holds it to them.\n\n## Settings\n";
  out += kHead;
  for (const auto& option : options()) describe(option, out);
  section("[[backend]]", out, file::kName, file::kAddresses, file::kProtocol, file::kTls, file::kTlsName,
          file::kMaxConnections, file::kTimeout);
  section("[[rule]], at every level and in [[rule_set]]", out, file::kName, file::kDirection, file::kNetworks,
          file::kSender, file::kRecipient, file::kMode);
  out +=
      "\nA rule may also have `threshold` and `filter.NAME.on`, `.weight` and `.cap`, which then hold for it alone.\n";
  section("[[entry]], at every level", out, file::kKind, file::kBlock, file::kPass, file::kNetwork, file::kNote);
  section("[[word_list.entry]]", out, file::kPattern, file::kPoints, file::kPart, file::kSpelling, file::kPatternKind);
  section("Tenants", out, file::kName, file::kReseller, file::kAddress, file::kAliases, file::kLocked);
  section("[[customer.domain.consent]]", out, file::kConsentMode, file::kWho, file::kWhen, file::kText);
  return out;
}

}  // namespace doorward::policy
