#include "filter/attached_links.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "filter/file_name.h"
#include "mail/ascii.h"
#include "mime/html.h"
#include "mime/urls.h"

namespace doorward::filter {
namespace {

constexpr size_t kMostFiles = 20, kMostOctets = 256 << 10, kMostLinks = 200;
constexpr size_t kLongestUrl = 2048;

enum class Form { none, text, page, pdf };

template <size_t N>
bool among(const std::array<std::string_view, N>& list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

// By what it says, by its name, and by how it begins: a reader goes by any of them.
Form form_of(const mime::Part& part, std::string_view content) {
  constexpr auto kPages = std::to_array<std::string_view>({"html", "htm", "shtml", "xhtml", "svg", "mht", "mhtml"});
  constexpr auto kTexts = std::to_array<std::string_view>(
      {"txt", "csv", "tsv", "ics", "ical", "vcf", "vcard", "json", "xml", "rtf", "md", "url", "webloc", "log", "eml"});
  constexpr auto kPageTypes = std::to_array<std::string_view>({"html", "xhtml+xml", "svg+xml"});
  constexpr auto kTextTypes =
      std::to_array<std::string_view>({"json", "xml", "rtf", "ics", "calendar", "vcard", "csv"});
  if (content.substr(0, 1024).contains("%PDF-")) return Form::pdf;
  std::string name = part.file_name;
  const std::string extension = take_extension(name);
  if (among(kPageTypes, part.subtype) || among(kPages, extension)) return Form::page;
  if (part.is_text() || among(kTextTypes, part.subtype) || among(kTexts, extension)) return Form::text;
  return Form::none;
}

class Found {
 public:
  bool is_full() const { return links.size() >= kMostLinks; }
  void add(std::string url) {
    if (url.empty() || url.size() > kLongestUrl || is_full()) return;
    if (std::ranges::find(links, url) == links.end()) links.push_back(std::move(url));
  }
  void add_of_text(std::string_view text) {
    mime::TextUrl url;
    for (size_t at = 0; !is_full() && mime::find_url(text, at, url); at = url.end) {
      add(mime::openable(text.substr(url.begin, url.end - url.begin)));
    }
  }
  void add_of_page(std::string_view html) {
    mime::Text text;
    std::vector<mime::Link> of_page;
    mime::HtmlFacts facts;
    mime::read_html(html, 0, {.text_bytes = kMostOctets, .links = kMostLinks}, text, of_page, facts);
    for (auto& link : of_page) add(std::move(link.url));
  }
  void add_of_pdf(std::string_view pdf);

  std::vector<std::string> links;
};

// A literal string (ISO 32000-1 §7.3.4.2): balanced parentheses, escapes.
std::string pdf_string(std::string_view text) {
  std::string value;
  for (size_t at = 0, depth = 1; at < text.size() && value.size() <= kLongestUrl; ++at) {
    char c = text[at];
    if (c == '\\' && at + 1 < text.size()) {
      c = text[++at];
      if (c == '\r' || c == '\n') continue;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      return value;
    }
    value += c;
  }
  return {};
}

// ISO 32000-1 §7.3.4.3.
std::string pdf_hexadecimal(std::string_view text) {
  std::string value;
  int high = -1;
  for (const char c : text) {
    if (c == '>') return value;
    const char lower = mail::to_lower(c);
    const int digit = mail::is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      value += static_cast<char>(high * 16 + digit);
      high = -1;
    }
    if (value.size() > kLongestUrl) break;
  }
  return {};
}

// URI actions (ISO 32000-1 §12.6.4.7).
void Found::add_of_pdf(std::string_view pdf) {
  constexpr std::string_view kKey = "/URI";
  for (size_t at = pdf.find(kKey); at != std::string_view::npos && !is_full(); at = pdf.find(kKey, at)) {
    at += kKey.size();
    const size_t value = std::min(pdf.find_first_not_of(" \t\r\n\f", at), pdf.size());
    const std::string_view rest = pdf.substr(value);
    if (rest.starts_with('(')) add(mime::openable(pdf_string(rest.substr(1))));
    if (rest.starts_with('<') && !rest.starts_with("<<")) add(mime::openable(pdf_hexadecimal(rest.substr(1))));
  }
}

}  // namespace

std::vector<std::string> attached_links(const mime::Message& message) {
  Found found;
  size_t files = 0;
  for (const mime::Part& part : message.parts()) {
    if (!part.is_leaf() || !part.is_attachment()) continue;
    if (part.type == "image" && part.subtype != "svg+xml") continue;
    if (found.is_full() || ++files > kMostFiles) break;
    std::string content = message.decoded(part, kMostOctets);
    // UTF-16, whose letters of URLs are those of ASCII with a NUL beside each.
    if (content.starts_with("\xFF\xFE") || content.starts_with("\xFE\xFF")) std::erase(content, '\0');
    switch (form_of(part, content)) {
      case Form::text:
        found.add_of_text(content);
        break;
      case Form::page:
        found.add_of_page(content);
        break;
      case Form::pdf:
        found.add_of_pdf(content);
        break;
      case Form::none:
        break;
    }
  }
  return std::move(found.links);
}

}  // namespace doorward::filter
