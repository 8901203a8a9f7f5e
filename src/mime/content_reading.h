// What the Content-* fields of an entity say; where they say it twice, each way in which a client may read them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mime/message.h"
#include "mime/oddities.h"

namespace doorward::mime {

struct ContentReading {
  std::string type = "text", subtype = "plain", charset;
  std::vector<std::string> boundaries;  // candidates, the likeliest first
  Encoding encoding = Encoding::identity;
};

// The likeliest first; at most four.
std::vector<ContentReading> read_content(const Headers& headers, bool in_digest, size_t part, Oddities& oddities);

// Fills disposition, names and content_id.
void read_names(Part& part, Oddities& oddities);

// RFC 3676 parameters of a text part.
bool is_flowed(const Part& part, bool& delete_space);

}  // namespace doorward::mime
