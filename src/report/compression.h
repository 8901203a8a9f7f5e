// gzip (RFC 1952) and zip, of which reports are made; what strangers sent is unpacked within bounds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace doorward::report {

std::string gzip(std::string_view text);

bool is_gzip(std::string_view octets);
bool is_zip(std::string_view octets);

// Fails where it is damaged, or holds more than `most` octets.
Result<std::string> gunzip(std::string_view octets, size_t most);

inline constexpr size_t kMostZipEntries = 16;  // that are looked at
// The files in it, none longer than `most`, all together neither; those that are encrypted are passed over.
Result<std::vector<std::string>> unzip(std::string_view octets, size_t most);

}  // namespace doorward::report
