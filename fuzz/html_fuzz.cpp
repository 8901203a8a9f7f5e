// HTML to text and links.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "mime/charset.h"
#include "mime/html.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace doorward::mime;
  // The reader is given UTF-8; so is it here.
  std::string scratch;
  Conversion conversion;
  const std::string_view html = to_utf8({reinterpret_cast<const char*>(data), size}, "utf-8", scratch, conversion);
  if (!valid_utf8(html)) abort();
  Text text;
  std::vector<Link> links;
  HtmlFacts facts;
  read_html(html, 0, {.text_bytes = 8192, .links = 100}, text, links, facts);
  if (links.size() > 100 || !valid_utf8(text.visible) || !valid_utf8(text.hidden)) abort();
  for (const Link& link : links) {
    if (!valid_utf8(link.shown)) abort();
  }
  return 0;
}
