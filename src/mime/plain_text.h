// text/plain as a reader sees it: lines, format=flowed put together (RFC 3676), quotes kept; and the URLs in it.
#pragma once

#include <string_view>
#include <vector>

#include "mime/message.h"

namespace doorward::mime {

struct Flow {
  bool flowed = false, delete_space = false;
};

// `plain` is UTF-8. Fills text.visible up to `limit` bytes.
void read_plain(std::string_view plain, Flow flow, size_t limit, Text& text);

// Appends the URLs of the text, until `links` has `max_links`.
void find_links(const Text& text, size_t max_links, std::vector<Link>& links);

}  // namespace doorward::mime
