// Header text: encoded words (RFC 2047), parameters (RFC 2231), and the fields themselves.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "mime/charset.h"
#include "mime/encoded_word.h"
#include "mime/headers.h"
#include "mime/parameters.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace doorward::mime;
  const std::string_view raw(reinterpret_cast<const char*>(data), size);
  const std::string text = decode_words(raw);
  if (!valid_utf8(text) || text.find_first_of("\r\n") != std::string::npos) abort();
  for (const Parameter& parameter : read_content_field(raw).parameters) {
    if (parameter.extended && !valid_utf8(parameter.value)) abort();
  }
  Oddities oddities;
  const Limits limits{.header_bytes = 8192, .header_fields = 50};
  const HeaderSection section = scan_headers(raw, 0, limits, true, 0, oddities);
  if (section.body > raw.size() || section.fields.size() > limits.header_fields) abort();
  for (const Header& field : section.fields) {
    if (field.offset + field.length > raw.size()) abort();
  }
  return 0;
}
