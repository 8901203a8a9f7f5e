#include "mime/encoded_word.h"

#include "mime/chars.h"
#include "mime/charset.h"
#include "mime/transfer.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMaxCharset = 64;

struct Word {
  std::string_view charset;
  char encoding = 'q';
  std::string_view text;
  size_t end = 0;  // behind the closing ?=
};

// The encoded word at `at`, where "=?" stands. Blanks inside and over-long words are accepted, as clients do.
// `no_close` is noted once no "?=" is left, lest every word looks for one to the end.
bool read_word(std::string_view value, size_t at, Word& word, bool& no_close) {
  const size_t charset_end = find_byte(value.substr(0, std::min(value.size(), at + 2 + kMaxCharset)), '?', at + 2);
  if (charset_end == kNone || charset_end == at + 2 || charset_end + 2 >= value.size()) return false;
  word.charset = value.substr(at + 2, charset_end - at - 2);
  word.encoding = lower(value[charset_end + 1]);
  if ((word.encoding != 'q' && word.encoding != 'b') || value[charset_end + 2] != '?') return false;
  const size_t begin = charset_end + 3;
  // A "?" may stand in wrongly made Q text; the word ends at "?=", which may be the begin of nothing else.
  for (size_t q = no_close ? kNone : find_byte(value, '?', begin); q != kNone; q = find_byte(value, '?', q + 1)) {
    if (q + 1 < value.size() && value[q + 1] == '=') {
      // "=?x?q??=" followed by hex digits: the begin of =XX, not the end.
      if (q == begin && q + 3 < value.size() && hex_value(value[q + 2]) >= 0 && hex_value(value[q + 3]) >= 0) continue;
      word.text = value.substr(begin, q - begin);
      word.end = q + 2;
      return true;
    }
    if (word.encoding == 'b') break;
    no_close = find_byte(value, '?', q + 1) == kNone;
  }
  // Not closed: up to the end of the line or the next blank.
  size_t end = begin;
  while (end < value.size() && !is_space(value[end]) && value[end] != '?') ++end;
  if (end == begin) return false;
  word.text = value.substr(begin, end - begin);
  word.end = end < value.size() && value[end] == '?' ? end + 1 : end;
  return true;
}

void decode_q(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') {
      out.push_back(' ');
    } else if (text[i] == '=' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else if (text[i] != '\r' && text[i] != '\n') {
      out.push_back(text[i]);
    }
  }
}

// Collects decoded bytes as long as the charset stays the same, so that characters split over words come together.
class Decoder {
 public:
  explicit Decoder(std::string_view value) : value_(value) {}

  std::string decode() {
    size_t plain = 0;
    for (size_t at = value_.find("=?"); at != kNone; at = value_.find("=?", at)) {
      Word word;
      if (!read_word(value_, at, word, no_close_)) {
        at += 2;
        continue;
      }
      text(value_.substr(plain, at - plain));
      take(word);
      at = plain = word.end;
    }
    text(value_.substr(plain));
    flush();
    return clean();
  }

 private:
  void take(const Word& word) {
    const std::string_view charset = word.charset.substr(0, word.charset.find('*'));  // RFC 2231 §5: *language
    if (!iequals(charset, charset_)) flush();
    charset_ = charset;
    after_word_ = true;
    if (word.encoding == 'q') {
      decode_q(word.text, bytes_);
    } else {
      decode_base64(word.text, bytes_);
    }
  }

  void text(std::string_view plain) {
    if (plain.empty()) return;
    if (after_word_ && trim(plain).empty()) {
      // White space between two encoded words is not shown (RFC 2047 §6.2). At the end of the value it is trimmed
      // anyway.
      return;
    }
    flush();
    after_word_ = false;
    append_utf8(plain, plain.find('\x1b') == kNone ? "" : "iso-2022-jp", out_);
  }

  void flush() {
    if (!bytes_.empty()) append_utf8(bytes_, charset_, out_);
    bytes_.clear();
    charset_ = {};
  }

  // Folds and controls go; what a decoded word smuggles in is treated alike.
  std::string clean() {
    size_t kept = 0;
    for (const char c : out_) {
      if (c == '\r' || c == '\n' || (is_control(c) && c != '\t')) continue;
      out_[kept++] = c == '\t' ? ' ' : c;
    }
    out_.resize(kept);
    return std::string(trim(out_));
  }

  std::string_view value_;
  std::string_view charset_;
  std::string bytes_;
  std::string out_;
  bool after_word_ = false;
  bool no_close_ = false;
};

bool is_simple(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return !is_8bit(c) && !is_control(c); }) && value.find("=?") == kNone;
}

}  // namespace

std::string decode_words(std::string_view value) {
  value = trim(value);
  if (is_simple(value)) return std::string(value);
  return Decoder(value).decode();
}

}  // namespace doorward::mime
