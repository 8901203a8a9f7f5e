#include "filter/word_cache.h"

#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>
#include <utility>

#include "base/log.h"

namespace doorward::filter {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "doorward words 1\n";
constexpr size_t kHashBytes = 32;
constexpr size_t kMostBlobs = 4;
constexpr uintmax_t kLargestFile = uintmax_t{2} << 30U;
constexpr size_t kKeptFiles = 4;
using Hash = std::array<unsigned char, kHashBytes>;

Hash hash_of(std::string_view bytes) {
  Hash hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                     nullptr, 0);
  return hash;
}

std::string_view as_bytes(const Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

fs::path path_of(const std::string& directory, const std::string& key) {
  return fs::path(directory) / ("words-" + key + ".cache");
}

void remove_old(const std::string& directory) {
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with("words-") || !name.ends_with(".cache")) continue;
    std::error_code unreadable;
    files.emplace_back(it->last_write_time(unreadable), it->path());
  }
  std::ranges::sort(files, std::greater<>());
  for (size_t i = kKeptFiles; i < files.size(); ++i) fs::remove(files[i].second, error);
}

}  // namespace

std::string content_key(const std::vector<std::string_view>& pieces) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, kHashBytes);
  for (const auto piece : pieces) {
    const uint64_t size = piece.size();
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(&size), sizeof size);
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(piece.data()), piece.size());
  }
  Hash hash{};
  crypto_generichash_final(&state, hash.data(), hash.size());
  std::string hex;
  for (const unsigned char byte : hash) hex += fmt::format("{:02x}", byte);
  return hex;
}

// The file: magic, the hash of all that follows, and each blob after its size.
std::optional<std::vector<std::string>> read_word_cache(const std::string& directory, const std::string& key) {
  const fs::path path = path_of(directory, key);
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error || size < kMagic.size() + kHashBytes || size > kLargestFile) return std::nullopt;
  std::string file(static_cast<size_t>(size), '\0');
  std::ifstream in(path, std::ios::binary);
  if (!in.read(file.data(), static_cast<std::streamsize>(file.size()))) return std::nullopt;
  std::string_view rest = file;
  if (!rest.starts_with(kMagic)) return std::nullopt;
  rest.remove_prefix(kMagic.size());
  const std::string_view hash = rest.substr(0, kHashBytes);
  rest.remove_prefix(kHashBytes);
  if (as_bytes(hash_of(rest)) != hash) {
    log::warning("words.cache_broken", {{"file", path.string()}});
    return std::nullopt;
  }
  std::vector<std::string> blobs;
  while (!rest.empty()) {
    uint64_t length = 0;
    if (rest.size() < sizeof length || blobs.size() == kMostBlobs) return std::nullopt;
    std::memcpy(&length, rest.data(), sizeof length);
    rest.remove_prefix(sizeof length);
    if (length > rest.size()) return std::nullopt;
    blobs.emplace_back(rest.substr(0, static_cast<size_t>(length)));
    rest.remove_prefix(static_cast<size_t>(length));
  }
  return blobs;
}

void write_word_cache(const std::string& directory, const std::string& key,
                      const std::vector<std::string_view>& blobs) {
  std::string body;
  for (const auto blob : blobs) {
    const uint64_t length = blob.size();
    body.append(reinterpret_cast<const char*>(&length), sizeof length);
    body += blob;
  }
  std::error_code error;
  fs::create_directories(directory, error);
  const fs::path path = path_of(directory, key);
  const fs::path beside = path.string() + fmt::format(".{}.new", getpid());
  {
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out << kMagic << as_bytes(hash_of(body)) << body;
    out.close();
    if (!out) error = std::make_error_code(std::errc::io_error);
  }
  if (!error) fs::rename(beside, path, error);
  if (error) {
    log::warning("words.cache_not_written", {{"file", path.string()}, {"error", error.message()}});
    std::error_code ignored;
    fs::remove(beside, ignored);
    return;
  }
  remove_old(directory);
}

}  // namespace doorward::filter
