#include "smtp/line_reader.h"

#include <algorithm>

namespace doorward::smtp {

Line next_line(std::string_view input, size_t limit) {
  const size_t lf = input.find('\n');
  const bool ended = lf != std::string_view::npos;
  const std::string_view line = input.substr(0, ended ? lf : input.size());
  const size_t cr = line.find('\r');
  if (cr != std::string_view::npos && cr + 1 < line.size()) return {LineState::bare_cr};
  if (ended && cr == std::string_view::npos) return {LineState::bare_lf};
  if (line.find('\0') != std::string_view::npos) return {LineState::nul};
  if (ended && lf + 1 <= limit) return {LineState::complete, line.substr(0, cr), lf + 1};
  if (ended) return {LineState::too_long, {}, lf + 1};
  // The last CR stays: its LF may come with the next bytes.
  if (line.size() >= limit) return {LineState::too_long, {}, cr == std::string_view::npos ? line.size() : cr};
  return {};
}

}  // namespace doorward::smtp
