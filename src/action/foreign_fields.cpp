#include "action/foreign_fields.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "mime/chars.h"
#include "mime/headers.h"

namespace doorward::action {
namespace {

constexpr size_t kLongestId = 512;  // bytes of an authserv-id that are read; a host's name has 255 at most

// A field with its folds, or a line that is none: [begin, end) of the raw message.
struct Range {
  size_t begin = 0, end = 0;
};

// The one that begins at `at`; empty at the end of the header section. The section is taken to end at the first empty
// line and nowhere before: where a broken line makes some readers begin the body earlier, others go on.
Range field_at(std::string_view raw, size_t at) {
  if (at >= raw.size()) return {at, at};
  const auto first = mime::line_at(raw, at);
  if (first.text.empty()) return {at, at};
  size_t end = first.next;
  while (end < raw.size() && mime::is_wsp(raw[end])) end = mime::line_at(raw, end).next;
  return {at, end};
}

// `field` as it stands. White space before the colon counts for nothing, a fold neither (RFC 5322 §4.5).
bool is_foreign(std::string_view field, const OwnFields& own) {
  const char first = mime::lower(field.front());
  if (first != 'x' && first != 'a') return false;
  const size_t colon = field.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = mime::trim(field.substr(0, colon));
  if (mime::istarts_with(name, "X-Doorward-")) return true;
  if (own.spam && mime::istarts_with(name, "X-Spam-")) return true;
  return !own.authserv_id.empty() && mime::iequals(name, "Authentication-Results") &&
         mime::iequals(authserv_id(field.substr(colon + 1)), own.authserv_id);
}

// The last byte of what the parser took for fields: other actions edit those alone.
size_t end_of_parsed(const mime::Message& message) {
  const auto fields = message.headers().fields();
  return fields.empty() ? 0 : fields.back().offset + fields.back().length;
}

void cut(Range range, std::string kept, mime::Edits& edits) {
  if (range.begin == range.end) return;
  if (!edits.add({.offset = range.begin, .length = range.end - range.begin, .replacement = std::move(kept)})) {
    log::error("action.foreign_fields_stay", {{"offset", range.begin}, {"bytes", range.end - range.begin}});
  }
}

}  // namespace

std::string authserv_id(std::string_view value) {
  std::string id;
  const std::string bare = mime::without_comments(value);
  std::string_view rest = mime::trim(bare);
  const bool quoted = rest.starts_with('"');
  if (quoted) rest.remove_prefix(1);
  for (size_t i = 0; i < rest.size() && id.size() < kLongestId; ++i) {
    const char c = rest[i];
    if (quoted ? c == '"' : mime::is_space(c) || std::string_view("()<>@,;:\\\"/[]?=").contains(c)) break;
    if (quoted && c == '\\' && i + 1 < rest.size()) {
      id += rest[++i];
    } else if (c != '\r' && c != '\n') {
      id += c;
    }
  }
  return std::string(mime::trim(id));
}

void remove_foreign_fields(const mime::Message& message, const OwnFields& own, mime::Edits& edits) {
  const std::string_view raw = message.raw();
  const size_t parsed = end_of_parsed(message);
  // Fields that touch go in one edit. Within what was parsed (its bytes are bounded) each run is an edit of its own, so
  // that those of other actions find their fields; behind it all is one edit, since their number has no bound.
  Range run;
  std::string kept;
  for (Range field = field_at(raw, 0); field.begin != field.end; field = field_at(raw, field.end)) {
    const std::string_view bytes = raw.substr(field.begin, field.end - field.begin);
    if (!is_foreign(bytes, own)) continue;
    if (run.begin == run.end) {
      run = field;
    } else if (run.end == field.begin) {
      run.end = field.end;
    } else if (run.begin >= parsed) {
      kept += raw.substr(run.end, field.begin - run.end);
      run.end = field.end;
    } else {
      cut(run, {}, edits);
      run = field;
    }
  }
  cut(run, std::move(kept), edits);
}

}  // namespace doorward::action
