#include "mime/urls.h"

#include "mime/chars.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMaxUrl = 4096;

// The length of a URL character at `at`: ASCII that may stand in one, or a letter beyond it (domains and paths of other
// scripts), but no punctuation or blank of another script. 0: the URL ends here.
size_t url_character(std::string_view text, size_t at) {
  const unsigned c = byte(text[at]);
  if (c < 0x80) return c > 0x20 && c != 0x7f && c != '<' && c != '>' && c != '"' && c != '`' ? 1 : 0;
  if (c < 0xc3) return 0;  // U+0080–U+00BF: no letters to speak of
  if (c < 0xe0) return std::min<size_t>(2, text.size() - at);
  if (at + 2 >= text.size()) return 0;
  const unsigned d = byte(text[at + 1]);
  // Blanks, quotes and dots of U+2000–U+207F (its dashes may stand in a path), U+3000–U+303F, forms from U+FE00 on.
  if (c == 0xe2 && (d == 0x81 || (d == 0x80 && (byte(text[at + 2]) < 0x90 || byte(text[at + 2]) > 0x95)))) return 0;
  if ((c == 0xe3 && d == 0x80) || (c == 0xef && d >= 0xb8)) return 0;
  if (c >= 0xf0) return std::min<size_t>(4, text.size() - at);
  return 3;
}

// Punctuation at the end belongs to the sentence; a closing bracket to the URL only if it was opened in it.
size_t without_trailing(std::string_view text, size_t begin, size_t end) {
  const auto count = [&](char c) { return std::ranges::count(text.substr(begin, end - begin), c); };
  std::ptrdiff_t round = count(')') - count('('), square = count(']') - count('[');
  const std::ptrdiff_t curly = count('}') - count('{');
  while (end > begin) {
    const char c = text[end - 1];
    if (c == ')' && round > 0)
      --round;
    else if (c == ']' && square > 0)
      --square;
    else if (c == '}' && curly > 0) {
    } else if (std::string_view(".,;:!?'*|_~\\").find(c) == kNone)
      break;
    --end;
  }
  return end;
}

bool host_follows(std::string_view text, size_t at) {
  return at < text.size() && (is_alnum(text[at]) || text[at] == '[' || text[at] == '%' || text[at] == '_' ||
                              (is_8bit(text[at]) && url_character(text, at) != 0));
}

bool finish(std::string_view text, size_t begin, size_t host, TextUrl& url) {
  size_t end = host;
  while (end < text.size() && end - begin < kMaxUrl) {
    const size_t length = url_character(text, end);
    if (length == 0) break;
    end += length;
  }
  end = without_trailing(text, host, end);
  if (end <= host) return false;
  url = {begin, end};
  return true;
}

// The begin of the scheme that ends at `colon`, npos if it is none of ours.
size_t scheme_before(std::string_view text, size_t colon, size_t from) {
  for (const std::string_view scheme : {"https", "http", "ftp"}) {
    if (colon < from + scheme.size()) continue;
    const size_t begin = colon - scheme.size();
    if (!iequals(text.substr(begin, scheme.size()), scheme)) continue;
    if (begin > from && is_alnum(text[begin - 1])) continue;
    return begin;
  }
  return kNone;
}

bool is_web(std::string_view scheme) {
  return iequals(scheme, "http") || iequals(scheme, "https") || iequals(scheme, "ftp");
}

// npos if the text begins with no scheme.
size_t scheme_end(std::string_view url) {
  size_t i = 0;
  while (i < url.size() && (is_alnum(url[i]) || url[i] == '+' || url[i] == '-' || url[i] == '.')) ++i;
  return i > 0 && i < url.size() && url[i] == ':' && is_alpha(url[0]) ? i : kNone;
}

std::string resolved(std::string_view url, std::string_view base) {
  const size_t colon = scheme_end(base);
  if (colon == kNone || url.empty()) return std::string(url);
  const size_t authority = base.find("//", colon);
  const size_t path = authority == kNone ? kNone : base.find('/', authority + 2);
  if (url.starts_with("//")) return std::string(base.substr(0, colon + 1)) + std::string(url);
  const std::string origin(base.substr(0, path));
  if (url.front() == '/') return origin + std::string(url);
  const std::string_view plain = base.substr(0, base.find_first_of("?#"));
  const size_t slash = plain.rfind('/');
  return path == kNone || slash < path ? origin + "/" + std::string(url)
                                       : std::string(plain.substr(0, slash + 1)) + std::string(url);
}

}  // namespace

bool find_url(std::string_view text, size_t from, TextUrl& url) {
  for (size_t at = from; at < text.size(); ++at) {
    if (text[at] == ':' && text.substr(at, 3) == "://") {
      const size_t begin = scheme_before(text, at, from);
      if (begin != kNone && host_follows(text, at + 3) && finish(text, begin, at + 3, url)) return true;
    } else if (text[at] == '.' && at >= from + 3 && iequals(text.substr(at - 3, 3), "www") &&
               host_follows(text, at + 1)) {
      const size_t begin = at - 3;
      if (begin > 0 && (is_alnum(text[begin - 1]) || std::string_view("@/.-_").find(text[begin - 1]) != kNone))
        continue;
      if (finish(text, begin, at + 1, url) && text.substr(at + 1, url.end - at - 1).find('.') != kNone) return true;
    }
  }
  return false;
}

std::string openable(std::string_view url, std::string_view base) {
  url = cut_utf8(url, kMaxUrl);
  while (!url.empty() && (byte(url.front()) <= 0x20)) url.remove_prefix(1);
  while (!url.empty() && (byte(url.back()) <= 0x20)) url.remove_suffix(1);
  std::string clean;
  clean.reserve(url.size() + 8);
  for (const char c : url) {
    if (!is_control(c)) clean.push_back(c);
  }
  const bool network_path =
      clean.size() > 1 && (clean[0] == '/' || clean[0] == '\\') && (clean[1] == '/' || clean[1] == '\\');
  if (network_path) clean.replace(0, 2, "//");
  size_t colon = scheme_end(clean);
  if (colon == kNone) {
    if (istarts_with(clean, "www."))
      clean.insert(0, "http://");  // clients take it for what was meant
    else if (network_path && base.empty())
      clean.insert(0, "https:");
    else
      clean = resolved(clean, base);
    colon = scheme_end(clean);
  }
  if (colon == kNone || !is_web(std::string_view(clean).substr(0, colon))) return clean;
  std::ranges::transform(clean.begin(), clean.begin() + static_cast<std::ptrdiff_t>(colon), clean.begin(), lower);
  const size_t query = std::min(clean.find_first_of("?#"), clean.size());
  std::replace(clean.begin(), clean.begin() + static_cast<std::ptrdiff_t>(query), '\\', '/');
  size_t slashes = colon + 1;
  while (slashes < clean.size() && clean[slashes] == '/') ++slashes;
  if (slashes != colon + 3) clean.replace(colon + 1, slashes - colon - 1, "//");
  return clean;
}

}  // namespace doorward::mime
