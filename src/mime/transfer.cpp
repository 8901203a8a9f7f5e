#include "mime/transfer.h"

#include <array>
#include <utility>

#include "mime/chars.h"
#include "mime/headers.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr uint8_t kJunk = 0xff, kBlank = 0xfe, kPad = 0xfd;

constexpr std::array<uint8_t, 256> make_base64_values() {
  std::array<uint8_t, 256> values{};
  values.fill(kJunk);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kAlphabet.size(); ++i) values[byte(kAlphabet[i])] = static_cast<uint8_t>(i);
  for (const char c : {' ', '\t', '\r', '\n'}) values[byte(c)] = kBlank;
  values[byte('=')] = kPad;
  return values;
}
constexpr auto kBase64 = make_base64_values();

constexpr std::array<std::pair<std::string_view, Encoding>, 3> kContained{
    {{"base64", Encoding::base64}, {"quoted-printable", Encoding::quoted_printable}, {"uue", Encoding::uuencode}}};

Encoding named(std::string_view name) {
  for (const std::string_view plain : {"7bit", "8bit", "binary", "7-bit", "8-bit"}) {
    if (iequals(name, plain)) return Encoding::identity;
  }
  if (iequals(name, "base64")) return Encoding::base64;
  if (iequals(name, "quoted-printable")) return Encoding::quoted_printable;
  for (const std::string_view uu : {"uuencode", "x-uuencode", "uue", "x-uue"}) {
    if (iequals(name, uu)) return Encoding::uuencode;
  }
  return Encoding::unknown;
}

}  // namespace

TransferFlaws decode_base64(std::string_view text, std::string& out, size_t limit) {
  TransferFlaws flaws;
  const size_t start = out.size();
  const size_t room = std::min(limit, text.size() / 4 * 3 + 3);
  out.resize(start + room);
  char* to = out.data() + start;
  char* const to_end = to + room;
  uint32_t bits = 0;
  unsigned held = 0;
  bool padded = false;
  const auto put = [&](uint32_t value) {
    if (to < to_end) *to++ = static_cast<char>(value);
  };
  // What is left of a quantum when padding or the end comes: 2 characters are one byte, 3 are two (RFC 4648 §4).
  const auto finish = [&] {
    if (held == 3) {
      put(bits >> 10 & 0xff);
      put(bits >> 2 & 0xff);
    } else if (held == 2) {
      put(bits >> 4 & 0xff);
    } else if (held == 1) {
      flaws.truncated = true;
    }
    held = 0;
    bits = 0;
  };
  for (size_t i = 0; i < text.size() && to < to_end; ++i) {
    while (held == 0 && i + 4 <= text.size() && to_end - to >= 3 && !padded) {  // whole quanta
      const uint32_t a = kBase64[byte(text[i])], b = kBase64[byte(text[i + 1])], c = kBase64[byte(text[i + 2])],
                     d = kBase64[byte(text[i + 3])];
      if ((a | b | c | d) >= 64) break;
      const uint32_t value = a << 18 | b << 12 | c << 6 | d;
      to[0] = static_cast<char>(value >> 16);
      to[1] = static_cast<char>(value >> 8 & 0xff);
      to[2] = static_cast<char>(value & 0xff);
      to += 3;
      i += 4;
    }
    if (i >= text.size()) break;
    const uint8_t value = kBase64[byte(text[i])];
    if (value == kBlank) continue;
    if (value == kPad) {
      finish();
      padded = true;
    } else if (value == kJunk) {
      flaws.junk = true;
    } else {
      if (padded) flaws.after_padding = true;
      padded = false;
      bits = bits << 6 | value;
      if (++held == 4) {
        put(bits >> 16 & 0xff);
        put(bits >> 8 & 0xff);
        put(bits & 0xff);
        held = 0;
        bits = 0;
      }
    }
  }
  finish();
  out.resize(static_cast<size_t>(to - out.data()));
  return flaws;
}

TransferFlaws decode_quoted_printable(std::string_view text, std::string& out, size_t limit) {
  TransferFlaws flaws;
  const size_t start = out.size();
  const auto full = [&] { return out.size() - start >= limit; };
  for (size_t at = 0; at < text.size() && !full();) {
    const size_t feed = find_byte(text, '\n', at);
    size_t end = feed == kNone ? text.size() : feed;
    const size_t next = feed == kNone ? text.size() : feed + 1;
    const bool crlf = feed != kNone && end > at && text[end - 1] == '\r';
    if (crlf) --end;
    while (end > at && is_wsp(text[end - 1])) --end;  // RFC 2045 §6.7 (3): blanks at the end of a line are not content
    bool soft = false;
    for (size_t i = at; i < end;) {
      const size_t equals = std::min(find_byte(text.substr(0, end), '=', i), end);
      out.append(text.substr(i, equals - i));
      if (equals == end) break;
      if (equals + 1 == end) {
        soft = true;
        break;
      }
      const int high = hex_value(text[equals + 1]);
      const int low = equals + 2 < end ? hex_value(text[equals + 2]) : -1;
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i = equals + 3;
      } else {
        flaws.junk = true;  // shown as it stands
        out.push_back('=');
        i = equals + 1;
      }
    }
    if (!soft && feed != kNone) out.append(crlf ? "\r\n" : "\n");
    at = next;
  }
  if (out.size() - start > limit) out.resize(start + limit);
  return flaws;
}

TransferFlaws decode_uuencode(std::string_view text, std::string& out, size_t limit) {
  TransferFlaws flaws;
  const size_t start = out.size();
  bool begun = false;
  for (size_t at = 0; at < text.size() && out.size() - start < limit;) {
    const Line line = line_at(text, at);
    at = line.next;
    if (!begun) {
      begun = line.text.starts_with("begin ");
      continue;
    }
    if (line.text == "end" || line.text.empty()) {
      if (line.text.empty()) continue;
      break;
    }
    size_t length = (byte(line.text[0]) - 32U) & 63U;
    const std::string_view data = line.text.substr(1);
    for (size_t i = 0; length > 0; i += 4) {
      const auto value = [&](size_t k) { return i + k < data.size() ? (byte(data[i + k]) - 32U) & 63U : 0U; };
      if (i >= data.size()) {
        flaws.truncated = true;
        break;
      }
      const uint32_t bits = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
      for (unsigned k = 0; k < 3 && length > 0; ++k, --length)
        out.push_back(static_cast<char>(bits >> (16 - 8 * k) & 0xff));
    }
  }
  if (!begun) flaws.junk = true;
  if (out.size() - start > limit) out.resize(start + limit);
  return flaws;
}

std::string_view decode_transfer(std::string_view body, Encoding encoding, std::string& scratch, TransferFlaws& flaws,
                                 size_t limit) {
  scratch.clear();
  switch (encoding) {
    case Encoding::base64:
      flaws = decode_base64(body, scratch, limit);
      return scratch;
    case Encoding::quoted_printable:
      flaws = decode_quoted_printable(body, scratch, limit);
      return scratch;
    case Encoding::uuencode:
      flaws = decode_uuencode(body, scratch, limit);
      return scratch;
    case Encoding::identity:
    case Encoding::unknown:
      break;
  }
  return body.substr(0, limit);
}

Encoding encoding_of(std::string_view value) {
  std::string bare;
  if (value.find('(') != kNone) {
    bare = without_comments(value);
    value = bare;
    // A comment that never ends.
    if (const size_t comment = value.find('('); comment != 0) value = value.substr(0, comment);
  }
  const auto around = [](char c) { return is_space(c) || c == ';' || c == '"' || c == '\''; };
  while (!value.empty() && (around(value.back()) || value.back() == '.')) value.remove_suffix(1);
  while (!value.empty() && around(value.front())) value.remove_prefix(1);
  return value.empty() ? Encoding::identity : named(value);
}

void add_encodings(std::string_view value, std::vector<Encoding>& encodings) {
  const auto add = [&](Encoding encoding) {
    // Both leave the bytes as they are.
    const auto plain = [](Encoding e) { return e == Encoding::identity || e == Encoding::unknown; };
    if (std::ranges::none_of(encodings, [&](Encoding e) { return e == encoding || (plain(e) && plain(encoding)); }))
      encodings.push_back(encoding);
  };
  value = trim(value);
  add(encoding_of(value));
  if (value.empty() || named(value) != Encoding::unknown) return;
  std::string joined = without_comments(value);
  std::erase_if(joined, is_space);
  for (const auto& [name, encoding] : kContained) {
    if (ifind(value, name) != kNone || ifind(joined, name) != kNone) add(encoding);
  }
  add(Encoding::identity);
}

bool find_uu_block(std::string_view text, size_t from, UuBlock& block) {
  while (from < text.size()) {
    size_t at = from == 0 && text.starts_with("begin ") ? 0 : text.find("\nbegin ", from);
    if (at == kNone) return false;
    if (text[at] == '\n') ++at;
    const Line first = line_at(text, at);
    if (first.next == text.size()) return false;
    from = first.next - 1;  // its line end may stand before the next
    std::string_view rest = first.text.substr(6);
    size_t digits = 0;
    while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '7') ++digits;
    if (digits < 3 || digits > 4 || digits >= rest.size() || rest[digits] != ' ') continue;
    // The next line must be one of data: its first character gives its length.
    const Line data = line_at(text, first.next);
    const size_t length = data.text.empty() ? 0 : (byte(data.text[0]) - 32U) & 63U;
    const size_t wanted = 1 + (length + 2) / 3 * 4;
    if (length == 0 || data.text.size() + 2 < wanted || data.text.size() > wanted + 2) continue;
    block.begin = at;
    block.name = trim(rest.substr(digits));
    const size_t end = text.find("\nend", first.next);
    block.end = end == kNone ? text.size() : line_at(text, end + 1).next;
    return true;
  }
  return false;
}

}  // namespace doorward::mime
