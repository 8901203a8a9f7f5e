#include "filter/file_name.h"

#include <algorithm>
#include <array>

#include "mail/ascii.h"

namespace doorward::filter {
namespace {

// What Windows, macOS or a browser runs at a double click.
constexpr std::array kPrograms =
    std::to_array<std::string_view>({"ade",  "adp",  "application", "appref-ms", "appx",   "bat", "chm",
                                     "cmd",  "com",  "cpl",         "exe",       "gadget", "hlp", "hta",
                                     "inf",  "ins",  "isp",         "iso",       "img",    "jar", "jnlp",
                                     "js",   "jse",  "library-ms",  "lnk",       "mde",    "msc", "msh",
                                     "msi",  "msix", "msp",         "mst",       "one",    "pif", "ps1",
                                     "ps2",  "psc1", "reg",         "scf",       "scr",    "sct", "settingcontent-ms",
                                     "shb",  "shs",  "url",         "vb",        "vbe",    "vbs", "vhd",
                                     "vhdx", "ws",   "wsc",         "wsf",       "wsh",    "xll"});
}  // namespace

// Takes the extension off, with spaces around it; lower case.
std::string take_extension(std::string& name) {
  while (!name.empty() && (name.back() == ' ' || name.back() == '.')) name.pop_back();
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) return {};
  std::string extension = mail::lowered(std::string_view(name).substr(dot + 1));
  name.resize(dot);
  return extension;
}

bool is_program(std::string_view extension) { return std::ranges::find(kPrograms, extension) != kPrograms.end(); }

bool has_program(const mime::Message& message) {
  return std::ranges::any_of(message.parts(), [](const mime::Part& part) {
    std::string name = part.file_name;
    return is_program(take_extension(name));
  });
}

}  // namespace doorward::filter
