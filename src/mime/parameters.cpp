#include "mime/parameters.h"

#include "mime/chars.h"
#include "mime/charset.h"
#include "mime/headers.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMaxParameters = 64;

struct Segment {
  std::string name;
  std::string value;
  int index = -1;        // of a continuation, −1 if it is whole
  bool encoded = false;  // percent-encoded
};

std::string percent_decoded(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      result.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else {
      result.push_back(text[i]);
    }
  }
  return result;
}

class Reader {
 public:
  explicit Reader(std::string_view value) : text_(unfold(value)), rest_(text_) {}

  ContentField read() {
    read_main();
    while (!rest_.empty() && segments_.size() < kMaxParameters) {
      skip_separators();
      if (!rest_.empty()) read_parameter();
    }
    assemble();
    return std::move(field_);
  }

 private:
  void skip_comment() {
    const size_t length = unclosed_ < kMostUnclosed ? comment_length(rest_) : 0;
    if (length == 0) {  // never closed: passed over by itself
      ++unclosed_;
      field_.malformed = true;
    }
    rest_.remove_prefix(std::max<size_t>(length, 1));
  }

  void skip_separators() {
    while (!rest_.empty() && (is_space(rest_.front()) || rest_.front() == ';' || rest_.front() == '(')) {
      if (rest_.front() == '(')
        skip_comment();
      else
        rest_.remove_prefix(1);
    }
  }

  // type "/" subtype, with blanks and comments between them passed over.
  void read_main() {
    while (!rest_.empty() && rest_.front() != ';' && field_.main.size() < 256) {
      const char c = rest_.front();
      if (c == '(') {
        skip_comment();
        continue;
      }
      if (is_space(c)) {
        const size_t more = rest_.find_first_not_of(" \t");
        const bool joins = more != kNone && (rest_[more] == '/' || (!field_.main.empty() && field_.main.back() == '/'));
        if (!field_.main.empty() && !joins && more != kNone && rest_[more] != ';' && rest_[more] != '(') {
          field_.malformed = true;  // "text/html charset=x": the semicolon is missing
          return;
        }
        rest_.remove_prefix(std::max<size_t>(std::min(more, rest_.size()), 1));
        continue;
      }
      if (c == '=') {
        // No type at all, parameters only.
        rest_ = text_;
        field_.main.clear();
        field_.malformed = true;
        return;
      }
      if (c != '"') field_.main.push_back(lower(c));
      rest_.remove_prefix(1);
    }
  }

  void read_parameter() {
    const size_t end = rest_.find_first_of("=;");
    if (end == kNone || rest_[end] == ';') {  // a word without value
      rest_.remove_prefix(end == kNone ? rest_.size() : end);
      field_.malformed = true;
      return;
    }
    Segment segment;
    segment.name = lowered(trim(rest_.substr(0, std::min<size_t>(end, 256))));
    rest_.remove_prefix(end + 1);
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
    if (!rest_.empty() && rest_.front() == '"') {
      segment.value = quoted();
    } else {
      segment.value = unquoted(segment.name);
    }
    mark_extended(segment);
    segments_.push_back(std::move(segment));
  }

  std::string quoted() {
    std::string value;
    size_t i = 1;
    for (; i < rest_.size() && rest_[i] != '"'; ++i) {
      // A backslash quotes only what needs it: senders put Windows paths into quotes.
      if (rest_[i] == '\\' && i + 1 < rest_.size() && (rest_[i + 1] == '"' || rest_[i + 1] == '\\')) ++i;
      value.push_back(rest_[i]);
    }
    if (i >= rest_.size()) {
      field_.malformed = true;  // not closed: up to the next parameter
      const size_t cut = rest_.find(';');
      value = std::string(trim(rest_.substr(1, cut == kNone ? kNone : cut - 1)));
      rest_.remove_prefix(cut == kNone ? rest_.size() : cut);
      return value;
    }
    rest_.remove_prefix(i + 1);
    return value;
  }

  // Up to the semicolon; but a blank followed by another name= is a forgotten one.
  std::string unquoted(std::string_view name) {
    size_t end = std::min(rest_.find(';'), rest_.size());
    const bool free_text = name.starts_with("name") || name.starts_with("filename");
    for (size_t blank = rest_.find_first_of(" \t"); blank < end; blank = rest_.find_first_of(" \t", blank + 1)) {
      size_t i = blank + 1;
      while (i < end && (is_alnum(rest_[i]) || rest_[i] == '-' || rest_[i] == '*')) ++i;
      // A file's name may hold blanks and "=": there only RFC 2231's own marks tell.
      if (i > blank + 1 && i < end && rest_[i] == '=' && (!free_text || rest_[i - 1] == '*')) {
        end = blank;
        field_.malformed = true;
      }
    }
    std::string value(trim(rest_.substr(0, end)));
    rest_.remove_prefix(end);
    return value;
  }

  // name*, name*0, name*0* (RFC 2231 §3, §4).
  static void mark_extended(Segment& segment) {
    std::string& name = segment.name;
    if (name.ends_with('*')) {
      segment.encoded = true;
      name.pop_back();
    }
    const size_t star = name.find('*');
    if (star == kNone) return;
    int index = 0;
    size_t i = star + 1;
    while (i < name.size() && is_digit(name[i]) && index < 1000) index = index * 10 + (name[i++] - '0');
    if (i == star + 1 || i != name.size()) return;
    segment.index = index;
    name.resize(star);
  }

  void assemble() {
    std::vector<bool> used(segments_.size(), false);
    for (size_t i = 0; i < segments_.size(); ++i) {
      if (used[i]) continue;
      Segment& first = segments_[i];
      Parameter parameter;
      parameter.name = first.name;
      parameter.extended = first.encoded || first.index >= 0;
      if (first.index < 0) {
        parameter.value = first.encoded ? decoded({&first}) : std::move(first.value);
      } else {
        std::vector<const Segment*> pieces;
        for (size_t k = i; k < segments_.size(); ++k) {
          if (segments_[k].name == first.name && segments_[k].index >= 0) {
            pieces.push_back(&segments_[k]);
            used[k] = true;
          }
        }
        std::ranges::sort(pieces, [](const Segment* a, const Segment* b) {
          return a->index != b->index ? a->index < b->index : a < b;  // the first given of two stands first
        });
        parameter.value = decoded(pieces);
      }
      field_.parameters.push_back(std::move(parameter));
    }
  }

  // charset'language'text stands in the first encoded piece.
  std::string decoded(const std::vector<const Segment*>& pieces) {
    std::string bytes, charset;
    bool first = true;
    for (const Segment* piece : pieces) {
      std::string_view value = piece->value;
      if (first && piece->encoded) {
        const size_t one = value.find('\'');
        const size_t two = one == kNone ? kNone : value.find('\'', one + 1);
        if (two != kNone) {
          charset = value.substr(0, one);
          value.remove_prefix(two + 1);
        } else {
          field_.malformed = true;
        }
      }
      first = false;
      bytes += piece->encoded ? percent_decoded(value) : std::string(value);
    }
    std::string result;
    append_utf8(bytes, charset, result);
    return result;
  }

  std::string text_;
  std::string_view rest_;
  size_t unclosed_ = 0;  // comments
  ContentField field_;
  std::vector<Segment> segments_;
};

}  // namespace

const Parameter* ContentField::find(std::string_view name) const {
  const auto at = std::ranges::find(parameters, name, &Parameter::name);
  return at == parameters.end() ? nullptr : &*at;
}

ContentField read_content_field(std::string_view value) { return Reader(value.substr(0, 64 * 1024)).read(); }

}  // namespace doorward::mime
