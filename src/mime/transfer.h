// Transfer encodings undone (RFC 2045 §6), as tolerantly as mail clients do: junk is passed over, never an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mime/message.h"

namespace doorward::mime {

// What the decoder met that should not be there.
struct TransferFlaws {
  bool junk = false;           // characters outside the alphabet, bad hexadecimal
  bool after_padding = false;  // base64 goes on behind "="
  bool truncated = false;      // a last quantum too short
};

// Each appends to `out`, at most `limit` bytes.
TransferFlaws decode_base64(std::string_view text, std::string& out, size_t limit = SIZE_MAX);
TransferFlaws decode_quoted_printable(std::string_view text, std::string& out, size_t limit = SIZE_MAX);
TransferFlaws decode_uuencode(std::string_view text, std::string& out, size_t limit = SIZE_MAX);

// A view of `body` where nothing is to decode, else of `scratch`, which is overwritten.
std::string_view decode_transfer(std::string_view body, Encoding encoding, std::string& scratch, TransferFlaws& flaws,
                                 size_t limit = SIZE_MAX);

// Content-Transfer-Encoding's value; empty is identity.
Encoding encoding_of(std::string_view value);
// The same, and the encodings that other readers may take a value for which is more than a name: comments (RFC 2045
// §5.1 allows them, many readers do not know it), quotes, lists. Each is added once; at most four in all.
void add_encodings(std::string_view value, std::vector<Encoding>& encodings);

// A block `begin 644 name … end` inside text.
struct UuBlock {
  size_t begin = 0, end = 0;  // in the text, whole lines
  std::string_view name;
};
bool find_uu_block(std::string_view text, size_t from, UuBlock& block);

}  // namespace doorward::mime
