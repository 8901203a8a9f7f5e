// HTML to the text that a reader sees, the text that is hidden from him, links and facts: one tolerant pass over the
// bytes, no tree (docs/decisions has why). Work is linear in the input whatever it holds.
#pragma once

#include <string_view>
#include <vector>

#include "mime/message.h"

namespace doorward::mime {

struct HtmlBounds {
  size_t text_bytes = 0;  // of visible and of hidden text
  size_t links = 0;       // in all: no more than so many in `links`
};

// `html` is UTF-8. Appends links and adds to the facts; fills text.visible, .hidden and .invisible_characters.
void read_html(std::string_view html, size_t part, const HtmlBounds& bounds, Text& text, std::vector<Link>& links,
               HtmlFacts& facts);

// The charset that <meta> of the document's first bytes names; empty if none.
std::string_view meta_charset(std::string_view html);

}  // namespace doorward::mime
