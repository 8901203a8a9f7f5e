#include <algorithm>
#include <array>
#include <string>

#include "filter/file_name.h"
#include "filter/letters.h"
#include "filter/structure_signs.h"
#include "mail/ascii.h"

namespace doorward::filter {
namespace {

// What people open without a thought.
constexpr std::array kHarmless = std::to_array<std::string_view>(
    {"avi", "bmp", "csv", "doc",  "docx", "gif", "htm",  "html", "jpeg", "jpg", "mp3",  "mp4", "mpg",
     "pdf", "png", "ppt", "pptx", "rtf",  "tif", "tiff", "txt",  "wav",  "xls", "xlsx", "zip"});

template <size_t N>
bool among(const std::array<std::string_view, N>& list, std::string_view extension) {
  return std::ranges::find(list, extension) != list.end();
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
  if (is_program(last)) {
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
