#include <algorithm>
#include <array>
#include <string>

#include "filter/letters.h"
#include "filter/structure_signs.h"
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
// What people open without a thought.
constexpr std::array kHarmless = std::to_array<std::string_view>(
    {"avi", "bmp", "csv", "doc",  "docx", "gif", "htm",  "html", "jpeg", "jpg", "mp3",  "mp4", "mpg",
     "pdf", "png", "ppt", "pptx", "rtf",  "tif", "tiff", "txt",  "wav",  "xls", "xlsx", "zip"});

template <size_t N>
bool among(const std::array<std::string_view, N>& list, std::string_view extension) {
  return std::ranges::find(list, extension) != list.end();
}

// Takes the extension off, with spaces around it; lower case.
std::string take_extension(std::string& name) {
  while (!name.empty() && (name.back() == ' ' || name.back() == '.')) name.pop_back();
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) return {};
  std::string extension = mail::lowered(std::string_view(name).substr(dot + 1));
  name.resize(dot);
  return extension;
}

bool is_disguised(std::string_view name) {
  for (size_t at = 0; at < name.size();) {
    const char32_t c = next_character(name, at);
    if ((c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200B) return true;  // bidi controls
  }
  return name.contains("          ");  // pushes the extension out of sight
}

void check_name(Signs& signs, const mime::Part& part) {
  std::string name = part.file_name;
  if (is_disguised(name)) signs.found(Sign::attachment_name_disguised, part.file_name);
  const std::string last = take_extension(name);
  if (among(kPrograms, last)) {
    const std::string before = take_extension(name);
    signs.found(among(kHarmless, before) ? Sign::attachment_double_extension : Sign::attachment_executable,
                part.file_name);
  }
  if ((last == "htm" || last == "html" || last == "shtml" || last == "xhtml" || last == "svg" || last == "mht") &&
      part.is_attachment()) {
    signs.found(Sign::attachment_html, part.file_name);
  }
}

}  // namespace

void check_attachments(Signs& signs) {
  for (const mime::Part& part : signs.message().parts()) {
    if (!part.file_name.empty()) check_name(signs, part);
  }
}

}  // namespace doorward::filter
