// A whole message: parts, texts, links. What is found must lie in the bytes given, and stay within the limits.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mime/message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace doorward::mime;
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  Limits limits;
  limits.parts = 100;
  limits.depth = 8;
  limits.header_fields = 50;
  limits.text_bytes = 16 * 1024;
  limits.html_bytes = 16 * 1024;
  limits.links = 50;
  const Message message = Message::parse(raw, limits);
  if (message.parts().empty() || message.parts().size() > limits.parts || message.links().size() > limits.links)
    abort();
  for (const Part& part : message.parts()) {
    if (part.parent > part.index || part.depth > limits.depth + 1) abort();
    if (!part.decoded_copy && !part.raw.empty() &&
        (part.raw.data() < raw.data() || part.raw.data() + part.raw.size() > raw.data() + raw.size()))
      abort();
    for (const Header& field : part.headers.fields()) {
      if (!part.decoded_copy && !raw.substr(field.offset, field.length).starts_with(field.name)) abort();
    }
    if (part.is_leaf()) (void)message.decoded(part, 4096);
    (void)part.is_attachment();
  }
  return 0;
}
