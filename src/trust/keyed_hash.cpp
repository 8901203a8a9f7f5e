#include "trust/keyed_hash.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace doorward::trust {
namespace {

static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);

std::unexpected<Error> failed(const std::string& path) { return fail(std::strerror(errno), path, Blame::environment); }

// Whole or not at all, and durable before anything is stored under it: without its key a table means nothing.
Result<void> write_key(const std::string& directory, const std::string& path,
                       const std::array<unsigned char, 16>& key) {
  const std::string fresh = path + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failed(fresh);
  const bool written = ::write(file, key.data(), key.size()) == static_cast<ssize_t>(key.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!written || ::rename(fresh.c_str(), path.c_str()) != 0) return failed(fresh);
  const int folder = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder >= 0 && ::fsync(folder) == 0;
  if (folder >= 0) ::close(folder);
  return synced ? Result<void>{} : failed(directory);
}

}  // namespace

KeyedHash::KeyedHash() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be used");
  crypto_shorthash_keygen(key_.data());
}

Result<KeyedHash> KeyedHash::open(const std::string& directory, bool read_only) {
  KeyedHash hash;
  const std::string path = directory + "/key";
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file >= 0) {
    const ssize_t got = ::read(file, hash.key_.data(), hash.key_.size());
    ::close(file);
    if (got != static_cast<ssize_t>(hash.key_.size())) {
      return fail("not a key of 16 octets; move the whole folder away to begin anew", path, Blame::environment);
    }
    return hash;
  }
  if (errno != ENOENT) return failed(path);
  if (read_only) return hash;
  std::error_code problem;
  std::filesystem::create_directories(directory, problem);
  if (problem) return fail(problem.message(), directory, Blame::environment);
  if (auto written = write_key(directory, path, hash.key_); !written) return std::unexpected(written.error());
  return hash;
}

uint64_t KeyedHash::of(uint8_t kind, uint64_t customer, std::initializer_list<std::string_view> parts) const {
  std::string text(1 + sizeof customer, static_cast<char>(kind));
  std::memcpy(text.data() + 1, &customer, sizeof customer);
  for (const std::string_view part : parts) {
    const auto size = static_cast<uint32_t>(part.size());
    text.append(reinterpret_cast<const char*>(&size), sizeof size);
    text += part;
  }
  uint64_t hash = 0;
  crypto_shorthash(reinterpret_cast<unsigned char*>(&hash), reinterpret_cast<const unsigned char*>(text.data()),
                   text.size(), key_.data());
  return hash;
}

}  // namespace doorward::trust
