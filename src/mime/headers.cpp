#include "mime/headers.h"

#include "mime/chars.h"
#include "mime/encoded_word.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;

// The length of the field's name if the line is one, with white space before the colon allowed (RFC 5322 §4.5.2);
// otherwise npos. A name is printable ASCII (§2.2).
size_t name_length(std::string_view line) {
  size_t i = 0;
  while (i < line.size() && line[i] > ' ' && line[i] != 0x7f && line[i] != ':') ++i;
  const size_t name = i;
  while (i < line.size() && is_wsp(line[i])) ++i;
  return i < line.size() && line[i] == ':' ? name : kNone;
}

struct Marks {
  bool space_before_colon = false, empty_name = false, eight_bit = false, nul = false, lone_cr = false,
       blank_fold = false;
};

class Scanner {
 public:
  Scanner(std::string_view entity, size_t base, const Limits& limits, size_t part, Oddities& oddities)
      : entity_(entity), base_(base), limits_(limits), part_(part), oddities_(oddities) {}

  HeaderSection scan(bool root) {
    section_.fields.reserve(root ? 32 : 6);
    if (root && (entity_.starts_with("From ") || entity_.starts_with(">From "))) at_ = line_at(entity_, 0).next;
    while (at_ < entity_.size() && step()) {
    }
    section_.body = std::min(at_, entity_.size());
    report();
    return std::move(section_);
  }

 private:
  // Reads one field or broken line; false at the end of the section.
  bool step() {
    const Line line = line_at(entity_, at_);
    if (line.text.empty()) {
      at_ = line.next;
      return false;
    }
    const size_t name = is_wsp(line.text.front()) ? kNone : name_length(line.text);
    if (name == kNone) return broken_line(line);
    size_t end = line.next;
    while (end < entity_.size() && is_wsp(entity_[end])) {
      const Line more = line_at(entity_, end);
      if (trim(more.text).empty()) marks_.blank_fold = true;
      end = more.next;
    }
    take(line.text, name, end);
    at_ = end;
    return true;
  }

  // No field. If fields follow it is passed over, as most readers do; otherwise the body begins here without its empty
  // line.
  bool broken_line(const Line& line) {
    if (is_wsp(line.text.front()) && trim(line.text).empty()) {
      // A line of white space only: some end the section here, some take it as a fold.
      oddities_.add("blank_header_line", part_);
    } else {
      oddities_.add(is_wsp(line.text.front()) ? "continuation_without_field" : "malformed_header_line", part_,
                    line.text);
    }
    if (!section_.broken) {
      section_.broken = true;
      section_.fields_before_break = section_.fields.size();
      section_.break_at = at_;
    }
    const Line next = line.next < entity_.size() ? line_at(entity_, line.next) : Line{};
    const bool more = line.next < entity_.size() && !next.text.empty() &&
                      (is_wsp(next.text.front()) || name_length(next.text) != kNone);
    if (!more && !next.text.empty()) {
      oddities_.add("missing_empty_line", part_, line.text);
      section_.broken = false;
      return false;
    }
    at_ = line.next;
    return true;
  }

  void take(std::string_view first_line, size_t name, size_t end) {
    if (section_.fields.size() >= limits_.header_fields) return oddities_.add("header_fields_limit", part_);
    if (end > limits_.header_bytes) return oddities_.add("header_bytes_limit", part_);
    const size_t colon = first_line.find(':', name);
    if (colon != name) marks_.space_before_colon = true;
    if (name == 0) marks_.empty_name = true;
    std::string_view value = entity_.substr(at_ + colon + 1, end - at_ - colon - 1);
    if (value.ends_with('\n')) value.remove_suffix(1);
    if (value.ends_with('\r')) value.remove_suffix(1);
    mark(value);
    section_.fields.push_back(
        {.name = first_line.substr(0, name), .value = value, .offset = base_ + at_, .length = end - at_});
  }

  void mark(std::string_view value) {
    if (has_8bit(value)) marks_.eight_bit = true;
    if (find_byte(value, '\0', 0) != kNone) marks_.nul = true;
    for (size_t cr = find_byte(value, '\r', 0); cr != kNone; cr = find_byte(value, '\r', cr + 1)) {
      if (cr + 1 >= value.size() || value[cr + 1] != '\n') marks_.lone_cr = true;
    }
  }

  void report() {
    if (marks_.space_before_colon) oddities_.add("space_before_colon", part_);
    if (marks_.empty_name) oddities_.add("empty_header_name", part_);
    if (marks_.eight_bit) oddities_.add("raw_8bit_header", part_);
    if (marks_.nul) oddities_.add("nul_byte", part_);
    if (marks_.lone_cr) oddities_.add("lone_cr", part_);
    if (marks_.blank_fold) oddities_.add("blank_fold", part_);
  }

  std::string_view entity_;
  size_t base_;
  const Limits& limits_;
  size_t part_;
  Oddities& oddities_;
  HeaderSection section_;
  Marks marks_;
  size_t at_ = 0;
};

}  // namespace

HeaderSection scan_headers(std::string_view entity, size_t base, const Limits& limits, bool root, size_t part,
                           Oddities& oddities) {
  return Scanner(entity, base, limits, part, oddities).scan(root);
}

std::string unfold(std::string_view value) {
  value = trim(value);
  std::string result;
  result.reserve(value.size());
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\n' || (value[i] == '\r' && i + 1 < value.size() && value[i + 1] == '\n')) continue;
    result.push_back(value[i]);
  }
  return result;
}

size_t comment_length(std::string_view text) {
  if (!text.starts_with('(')) return 0;
  size_t depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '(') {
      ++depth;
    } else if (text[i] == ')' && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

std::string without_comments(std::string_view value) {
  std::string result;
  result.reserve(value.size());
  bool quoted = false;
  size_t unclosed = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '(' && !quoted && unclosed < kMostUnclosed) {
      if (const size_t length = comment_length(value.substr(i)); length != 0) {
        result.push_back(' ');
        i += length - 1;
        continue;
      }
      ++unclosed;
    }
    if (c == '"') quoted = !quoted;
    result.push_back(c);
    if (c == '\\' && quoted && i + 1 < value.size()) result.push_back(value[++i]);
  }
  return result;
}

const Header* Headers::find(std::string_view name) const {
  for (const Header& field : fields_) {
    if (iequals(field.name, name)) return &field;
  }
  return nullptr;
}

size_t Headers::count(std::string_view name) const {
  return static_cast<size_t>(
      std::ranges::count_if(fields_, [&](const Header& field) { return iequals(field.name, name); }));
}

std::string Headers::unfolded(std::string_view name) const {
  const Header* field = find(name);
  return field == nullptr ? std::string() : unfold(field->value);
}

std::string Headers::text(std::string_view name) const {
  const Header* field = find(name);
  return field == nullptr ? std::string() : decode_words(field->value);
}

}  // namespace doorward::mime
