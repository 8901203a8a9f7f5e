// Bodies on disk: XChaCha20-Poly1305 in chunks (libsodium's secretstream), a key of their own each. Whoever has no key
// has noise; a chunk that was changed, cut off, moved or taken from another body is found out.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace doorward::vault {

inline constexpr size_t kKey = 32;                      // octets
inline constexpr size_t kChunk = size_t{64} << 10;      // octets of plain text that one tag covers
inline constexpr size_t kMostBody = size_t{256} << 20;  // octets; larger ones are not kept

// Random, from the system. Whoever holds it wipes it with wipe().
std::string new_key();
void wipe(std::string& secret);

// `name` is bound to it: it opens under the same name only.
std::string seal(std::string_view key, std::string_view name, std::span<const std::string_view> plain);
Result<std::string> open(std::string_view key, std::string_view name, std::string_view sealed);

// 32 octets that stand for the content: BLAKE2b.
std::string digest(std::span<const std::string_view> pieces);

}  // namespace doorward::vault
