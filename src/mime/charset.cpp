#include "mime/charset.h"

#include <unicode/ucnv.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/handle.h"
#include "mime/chars.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;

// The windows-1252 code points of 0x80–0x9f (WHATWG encoding standard, index-windows-1252); 0 stands for itself.
constexpr std::array<uint16_t, 32> kWindows1252 = {0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                                   0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
                                                   0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                                   0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

char32_t windows_1252(char c) {
  const unsigned b = byte(c);
  return b >= 0x80 && b < 0xa0 && kWindows1252[b - 0x80] != 0 ? kWindows1252[b - 0x80] : b;
}

// The length of the well-formed UTF-8 sequence at `at` (Unicode table 3-7), 0 if there is none.
size_t sequence_length(std::string_view s, size_t at) {
  const unsigned lead = byte(s[at]);
  const auto in = [&](size_t k, unsigned low, unsigned high) {
    return at + k < s.size() && byte(s[at + k]) >= low && byte(s[at + k]) <= high;
  };
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return in(1, 0x80, 0xbf) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80, high = lead == 0xed ? 0x9f : 0xbf;
    return in(1, low, high) && in(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80, high = lead == 0xf4 ? 0x8f : 0xbf;
    return in(1, low, high) && in(2, 0x80, 0xbf) && in(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

// Valid sequences stay; a byte outside one is windows-1252. So one broken character does not spoil a whole text.
void append_lenient(std::string_view bytes, std::string& out) {
  out.reserve(out.size() + bytes.size() + bytes.size() / 8);
  for (size_t i = 0; i < bytes.size();) {
    const size_t length = sequence_length(bytes, i);
    if (length == 0) {
      append_code_point(windows_1252(bytes[i++]), out);
    } else {
      out.append(bytes.substr(i, length));
      i += length;
    }
  }
}

enum class Kind { unicode, latin, other };

Kind kind_of(std::string_view charset) {
  for (const std::string_view name :
       {"utf-8", "utf8", "us-ascii", "ascii", "unknown-8bit", "x-unknown", "default", "utf-8mb4"}) {
    if (iequals(charset, name)) return Kind::unicode;
  }
  for (const std::string_view name : {"iso-8859-1", "windows-1252", "iso8859-1", "iso_8859-1", "latin1", "cp1252",
                                      "cp-1252", "windows1252", "l1", "x-ansi", "ansi"}) {
    if (iequals(charset, name)) return Kind::latin;
  }
  return charset.empty() ? Kind::unicode : Kind::other;
}

// Names that converters do not know, or whose users mean the larger set.
std::string_view converter_name(std::string_view charset) {
  constexpr std::pair<std::string_view, const char*> kAliases[] = {{"gb2312", "gb18030"},
                                                                   {"gbk", "gb18030"},
                                                                   {"x-gbk", "gb18030"},
                                                                   {"gb_2312-80", "gb18030"},
                                                                   {"ks_c_5601-1987", "windows-949"},
                                                                   {"ks_c_5601", "windows-949"},
                                                                   {"euc-kr", "windows-949"},
                                                                   {"iso-8859-8-i", "iso-8859-8"},
                                                                   {"iso-8859-8-e", "iso-8859-8"},
                                                                   {"shift_jis", "windows-31j"},
                                                                   {"x-sjis", "windows-31j"},
                                                                   {"sjis", "windows-31j"},
                                                                   {"iso-8859-9", "windows-1254"},
                                                                   {"tis-620", "windows-874"},
                                                                   {"iso-8859-11", "windows-874"},
                                                                   {"win-1250", "windows-1250"},
                                                                   {"win-1251", "windows-1251"},
                                                                   {"cp-1251", "windows-1251"},
                                                                   {"cp-1250", "windows-1250"},
                                                                   {"unicode-1-1-utf-7", "utf-7"},
                                                                   {"unicode-1-1-utf-8", "utf-8"},
                                                                   {"unicode", "utf-16"},
                                                                   {"utf16", "utf-16"},
                                                                   {"utf7", "utf-7"},
                                                                   {"big5-hkscs", "big5-hkscs"},
                                                                   {"koi8r", "koi8-r"},
                                                                   {"koi8u", "koi8-u"}};
  for (const auto& [name, converter] : kAliases) {
    if (iequals(charset, name)) return converter;
  }
  return charset;
}

struct Converter {
  std::string name;
  Handle<UConverter, ucnv_close> handle;  // null where the name is unknown
  bool ascii_superset = false;            // bytes below 0x80 are themselves, in any state
};

bool keeps_ascii(UConverter* converter, std::string_view name) {
  for (const std::string_view stateful : {"iso-2022", "utf-7", "utf-16", "utf-32", "hz", "imap"}) {
    if (istarts_with(name, stateful)) return false;
  }
  std::array<char, 95> ascii{};
  std::array<UChar, 128> read{};
  for (size_t i = 0; i < ascii.size(); ++i) ascii[i] = static_cast<char>(0x20 + i);
  UErrorCode status = U_ZERO_ERROR;
  const int32_t length = ucnv_toUChars(converter, read.data(), 128, ascii.data(), 95, &status);
  return U_SUCCESS(status) && length == 95 &&
         std::equal(ascii.begin(), ascii.end(), read.begin(), [](char a, UChar b) { return byte(a) == b; });
}

// One of each charset a thread, since opening one costs more than reading a mail; bounded, as names come from outside.
const Converter& converter_of(std::string_view charset) {
  constexpr size_t kMaxCached = 24;
  thread_local std::vector<Converter> cache;
  for (const Converter& known : cache) {
    if (iequals(known.name, charset)) return known;
  }
  if (cache.size() >= kMaxCached) cache.erase(cache.begin());
  Converter made;
  made.name = charset;
  const std::string name(converter_name(charset));
  UErrorCode status = U_ZERO_ERROR;
  if (name.size() < UCNV_MAX_CONVERTER_NAME_LENGTH && name.find(',') == kNone) {
    made.handle.reset(ucnv_open(name.c_str(), &status));
    if (U_FAILURE(status)) made.handle.reset();
  }
  if (made.handle) made.ascii_superset = keeps_ascii(made.handle.get(), name);
  cache.push_back(std::move(made));
  return cache.back();
}

bool append_by_converter(UConverter* converter, std::string_view bytes, std::string& out) {
  ucnv_reset(converter);
  const char* from = bytes.data();
  const char* const from_end = from + bytes.size();
  std::array<UChar, 2048> wide{};
  UChar carried = 0;  // a high surrogate at the end of a chunk
  bool replaced = false;
  for (bool done = false; !done;) {
    UChar* to = wide.data();
    if (carried != 0) *to++ = std::exchange(carried, UChar{0});
    UErrorCode status = U_ZERO_ERROR;
    ucnv_toUnicode(converter, &to, wide.data() + wide.size(), &from, from_end, nullptr, 1, &status);
    done = status != U_BUFFER_OVERFLOW_ERROR;
    if (done && U_FAILURE(status)) replaced = true;
    if (!done && to > wide.data() && U16_IS_LEAD(to[-1])) carried = *--to;
    for (const UChar* c = wide.data(); c < to; ++c) {
      char32_t code = *c;
      if (U16_IS_LEAD(*c) && c + 1 < to && U16_IS_TRAIL(c[1])) {
        code = static_cast<char32_t>(U16_GET_SUPPLEMENTARY(*c, c[1]));
        ++c;
      } else if (U16_IS_SURROGATE(*c)) {
        code = 0xfffd;
      }
      replaced = replaced || code == 0xfffd;
      append_code_point(code, out);
    }
  }
  return !replaced;
}

// Without a byte order mark the zeros of Latin text tell the order; Outlook writes little-endian, the standard says
// big.
std::string_view utf16_name(std::string_view bytes) {
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) return "utf-16";
  size_t even = 0, odd = 0;
  for (size_t i = 0; i + 1 < bytes.size() && i < 512; i += 2) {
    even += bytes[i] == 0 ? 1 : 0;
    odd += bytes[i + 1] == 0 ? 1 : 0;
  }
  return odd > even ? "utf-16le" : "utf-16be";
}

}  // namespace

bool valid_utf8(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size();) {
    if (!is_8bit(bytes[i])) {
      ++i;
      continue;
    }
    const size_t length = sequence_length(bytes, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

void append_code_point(char32_t c, std::string& out) {
  const auto put = [&](char32_t b) { out.push_back(static_cast<char>(b)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    if (c >= 0xd800 && c < 0xe000) c = 0xfffd;
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  } else if (c < 0x110000) {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    append_code_point(0xfffd, out);
  }
}

Conversion append_utf8(std::string_view bytes, std::string_view charset, std::string& out) {
  Conversion conversion;
  std::string scratch;
  const std::string_view read = to_utf8(bytes, charset, scratch, conversion);
  out.append(read);
  return conversion;
}

std::string_view to_utf8(std::string_view bytes, std::string_view charset, std::string& scratch,
                         Conversion& conversion) {
  charset = trim(charset);
  if (bytes.starts_with("\xef\xbb\xbf")) {
    bytes.remove_prefix(3);
    charset = "utf-8";
  }
  Kind kind = kind_of(charset);
  const Converter* converter = nullptr;
  if (kind == Kind::other) {
    converter = &converter_of(iequals(converter_name(charset), "utf-16") ? utf16_name(bytes) : charset);
    if (converter->handle == nullptr) {
      conversion.unknown_charset = true;
      kind = Kind::unicode;
    } else if (!converter->ascii_superset) {
      scratch.clear();
      conversion.declared_wrong = !append_by_converter(converter->handle.get(), bytes, scratch);
      return scratch;
    }
  }
  if (!has_8bit(bytes)) return bytes;
  if (kind == Kind::unicode && valid_utf8(bytes)) {
    conversion.declared_wrong = iequals(charset, "us-ascii") || iequals(charset, "ascii");
    return bytes;
  }
  scratch.clear();
  if (kind == Kind::unicode) {
    conversion.declared_wrong = !charset.empty();
    append_lenient(bytes, scratch);
  } else if (kind == Kind::latin) {
    scratch.reserve(bytes.size() + bytes.size() / 4);
    for (const char c : bytes) append_code_point(windows_1252(c), scratch);
  } else {
    conversion.declared_wrong = !append_by_converter(converter->handle.get(), bytes, scratch);
  }
  return scratch;
}

}  // namespace doorward::mime
