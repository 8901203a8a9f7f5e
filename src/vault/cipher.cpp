#include "vault/cipher.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace doorward::vault {
namespace {

using Stream = crypto_secretstream_xchacha20poly1305_state;
constexpr size_t kHeader = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr size_t kTag = crypto_secretstream_xchacha20poly1305_ABYTES;
static_assert(kKey == crypto_secretstream_xchacha20poly1305_KEYBYTES);

const unsigned char* octets(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* octets(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void start() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) throw std::runtime_error("libsodium cannot be started");
}

// Wiped when it goes out of scope: it holds what the key opens.
struct Sealed {
  Stream stream{};
  Sealed() = default;
  ~Sealed() { sodium_memzero(&stream, sizeof stream); }
  Sealed(const Sealed&) = delete;
  Sealed& operator=(const Sealed&) = delete;
};

}  // namespace

std::string new_key() {
  start();
  std::string key(kKey, '\0');
  crypto_secretstream_xchacha20poly1305_keygen(octets(key));
  return key;
}

void wipe(std::string& secret) {
  sodium_memzero(secret.data(), secret.size());
  secret.clear();
}

std::string seal(std::string_view key, std::string_view name, std::span<const std::string_view> plain) {
  start();
  size_t size = 0;
  for (const auto& piece : plain) size += piece.size();
  std::string out;
  out.reserve(kHeader + size + (size / kChunk + 1) * kTag);
  out.resize(kHeader);
  Sealed state;
  crypto_secretstream_xchacha20poly1305_init_push(&state.stream, octets(out), octets(key));
  const auto push = [&](std::string_view chunk, bool last) {
    const size_t at = out.size();
    out.resize(at + chunk.size() + kTag);
    const unsigned char tag = last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0;
    crypto_secretstream_xchacha20poly1305_push(&state.stream, octets(out) + at, nullptr, octets(chunk), chunk.size(),
                                               octets(name), name.size(), tag);
  };
  std::string chunk;
  chunk.reserve(kChunk);
  for (std::string_view piece : plain) {
    while (!piece.empty()) {
      if (chunk.size() == kChunk) {
        push(chunk, false);
        chunk.clear();
      }
      const size_t taken = std::min(kChunk - chunk.size(), piece.size());
      chunk.append(piece.substr(0, taken));
      piece.remove_prefix(taken);
    }
  }
  push(chunk, true);
  wipe(chunk);
  return out;
}

Result<std::string> open(std::string_view key, std::string_view name, std::string_view sealed) {
  start();
  const auto broken = [] { return fail("the content is damaged, or the key is not its own"); };
  if (key.size() != kKey || sealed.size() < kHeader + kTag) return broken();
  Sealed state;
  if (crypto_secretstream_xchacha20poly1305_init_pull(&state.stream, octets(sealed), octets(key)) != 0) return broken();
  sealed.remove_prefix(kHeader);
  std::string plain;
  plain.reserve(sealed.size());
  bool ended = false;
  while (!sealed.empty()) {
    const auto chunk = sealed.substr(0, kChunk + kTag);
    sealed.remove_prefix(chunk.size());
    if (ended || chunk.size() < kTag) return broken();
    const size_t at = plain.size();
    plain.resize(at + chunk.size() - kTag);
    unsigned char tag = 0;
    if (crypto_secretstream_xchacha20poly1305_pull(&state.stream, octets(plain) + at, nullptr, &tag, octets(chunk),
                                                   chunk.size(), octets(name), name.size()) != 0) {
      return broken();
    }
    ended = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
  }
  if (!ended) return broken();
  return plain;
}

std::string digest(std::span<const std::string_view> pieces) {
  start();
  crypto_generichash_state state;
  std::string out(crypto_generichash_BYTES, '\0');
  crypto_generichash_init(&state, nullptr, 0, out.size());
  for (const auto& piece : pieces) crypto_generichash_update(&state, octets(piece), piece.size());
  crypto_generichash_final(&state, octets(out), out.size());
  return out;
}

}  // namespace doorward::vault
