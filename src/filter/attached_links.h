// Links in what is attached, as far as it is text already: pages, calendars, vCards, tables, pictures in SVG, and the
// link annotations of PDF files that are not compressed. What has to be unpacked is not looked into here.
#pragma once

#include <string>
#include <vector>

#include "mime/message.h"

namespace doorward::filter {

// As a client would open them, at most 200, of at most 20 attachments and 256 KiB each.
std::vector<std::string> attached_links(const mime::Message& message);

}  // namespace doorward::filter
