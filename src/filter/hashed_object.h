// What lists of hashes are asked for: mail addresses and links in one form each, and the hash of it as a label.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace doorward::filter {

enum class ListHash : uint8_t { sha1, md5, sha256, sha256_base32 };

// Lower case; without a "+tag"; of Gmail without the dots that it ignores, and under its one domain. Empty: no address.
// That is the form of the lists that are in use (MSBL's EBL, and rspamd's for its own).
std::string listed_address(std::string_view address);

// Host, path and query of an http or https link: the host in lower case, no port, no fragment, no slash at the end.
// Empty: no such link.
std::string listed_link(std::string_view url);

// In hexadecimal, or base 32 (RFC 4648 §6) without padding; lower case.
std::string hash_label(ListHash hash, std::string_view text);

}  // namespace doorward::filter
