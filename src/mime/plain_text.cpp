#include "mime/plain_text.h"

#include "mime/chars.h"
#include "mime/urls.h"
#include "mime/visible_text.h"

namespace doorward::mime {

namespace {

size_t quote_depth(std::string_view line) {
  size_t depth = 0;
  while (depth < line.size() && line[depth] == '>') ++depth;
  return depth;
}

std::string_view without_trailing_blanks(std::string_view line) {
  while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
  return line;
}

}  // namespace

void read_plain(std::string_view plain, Flow flow, size_t limit, Text& text) {
  text.visible.reserve(std::min(limit, plain.size()));
  VisibleText out(text.visible, limit);
  bool joined = false;  // the line before asks for this one
  size_t depth_before = 0;
  for (size_t at = 0; at < plain.size() && !out.full();) {
    const Line line = line_at(plain, at);
    at = line.next;
    if (!flow.flowed) {
      out.append(without_trailing_blanks(line.text), true);
      if (at < plain.size()) out.hard_line();
      continue;
    }
    const size_t depth = quote_depth(line.text);
    std::string_view content = line.text.substr(depth);
    if (content.starts_with(' ')) content.remove_prefix(1);  // space-stuffed (§4.4)
    const bool signature = content == "-- ";
    if (joined && (depth != depth_before || signature)) {
      out.hard_line();
      joined = false;
    }
    if (!joined && depth > 0) {
      out.append(line.text.substr(0, depth), true);
      out.append(" ", true);
    }
    const bool flows = content.ends_with(' ') && !signature;
    if (flows && flow.delete_space) content.remove_suffix(1);
    out.append(flows ? content : without_trailing_blanks(content), true);
    joined = flows;
    depth_before = depth;
    if (!flows && at < plain.size()) out.hard_line();
  }
  text.invisible_characters += out.invisible();
}

void find_links(const Text& text, size_t max_links, std::vector<Link>& links) {
  TextUrl url;
  for (size_t at = 0; links.size() < max_links && find_url(text.visible, at, url); at = url.end) {
    const std::string_view shown = std::string_view(text.visible).substr(url.begin, url.end - url.begin);
    links.push_back({.url = openable(shown),
                     .shown = std::string(shown),
                     .source = LinkSource::text,
                     .part = text.part,
                     .hidden = false});
  }
}

}  // namespace doorward::mime
