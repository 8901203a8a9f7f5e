#include "mime/boundary.h"

#include "mime/chars.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMaxPrefixed = 16;

enum class Match { none, delimiter, close, prefix };

Match match(std::string_view line, std::string_view boundary) {
  if (!line.starts_with("--") || line.substr(2, boundary.size()) != boundary) return Match::none;
  std::string_view rest = line.substr(2 + boundary.size());
  const bool close = rest.starts_with("--");
  if (trim(rest).empty()) return Match::delimiter;
  if (close && trim(rest.substr(2)).empty()) return Match::close;
  return Match::prefix;
}

// The next line that begins with "--" at or behind `at`, which begins a line.
size_t next_candidate(std::string_view body, size_t at) {
  while (at < body.size()) {
    if (body[at] == '-' && at + 1 < body.size() && body[at + 1] == '-') return at;
    const size_t feed = find_byte(body, '\n', at);
    if (feed == kNone) return kNone;
    at = feed + 1;
  }
  return kNone;
}

// The line end before a delimiter belongs to the delimiter.
std::string_view before(std::string_view body, size_t begin, size_t delimiter) {
  size_t end = delimiter;
  if (end > begin && body[end - 1] == '\n') --end;
  if (end > begin && body[end - 1] == '\r') --end;
  return body.substr(begin, end - begin);
}

}  // namespace

Split split_at(std::string_view body, std::string_view boundary, size_t max_parts, bool loose) {
  Split split;
  size_t begin = 0;     // of what is being read
  bool inside = false;  // a delimiter came before
  size_t epilogue = kNone;
  const auto take = [&](std::string_view part) {
    auto& to = split.closed ? split.after_close : split.parts;
    if (split.parts.size() + split.after_close.size() < max_parts)
      to.push_back(part);
    else
      split.limited = true;
  };
  for (size_t at = next_candidate(body, 0); at != kNone && !split.limited;) {
    const Line line = line_at(body, at);
    Match kind = match(line.text, boundary);
    if (kind == Match::prefix) {
      if (split.prefixed.size() < kMaxPrefixed) split.prefixed.push_back(trim(line.text.substr(2)));
      if (loose) kind = line.text.substr(2 + boundary.size()).starts_with("--") ? Match::close : Match::delimiter;
    }
    if (kind == Match::delimiter || kind == Match::close) {
      if (inside && at > begin)  // two delimiters in a row hold nothing
        take(before(body, begin, at));
      else if (!inside && !split.closed && split.parts.empty())
        split.preamble = before(body, begin, at);
      begin = line.next;
      inside = kind == Match::delimiter;
      if (kind == Match::close) {
        // A close without any delimiter before it is taken as the begin: what follows would else be lost.
        if (!split.closed && split.parts.empty() && !trim(body.substr(line.next)).empty())
          inside = true;
        else
          split.closed = true;
        // Counted from the first close: what stands between two of them is out of sight as well.
        if (split.closed) epilogue = std::min(epilogue, line.next);
      }
    }
    at = next_candidate(body, line.next);
  }
  if (inside && !split.limited && (split.parts.empty() || !trim(body.substr(begin)).empty())) take(body.substr(begin));
  if (split.closed) split.epilogue = body.substr(std::min(epilogue, body.size()));
  return split;
}

std::string_view guess_boundary(std::string_view body) {
  constexpr size_t kTries = 50;
  size_t tries = 0;
  for (size_t at = next_candidate(body, 0); at != kNone && tries < kTries; ++tries) {
    const Line line = line_at(body, at);
    const std::string_view boundary = trim(line.text.substr(2));
    if (!boundary.empty() && boundary.size() <= 200 && istarts_with(body.substr(line.next), "content-"))
      return boundary;
    at = next_candidate(body, line.next);
  }
  return {};
}

}  // namespace doorward::mime
