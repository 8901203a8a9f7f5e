#include "base/id.h"

#include <sodium.h>

#include <array>
#include <cstdint>

namespace doorward {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

int digit(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  const auto at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::string new_id(SystemTime now) {
  // Random bytes are drawn in bulk: a system call a mail would cost more than the id.
  static thread_local std::array<uint8_t, 640> pool;
  static thread_local size_t used = pool.size();
  if (used == pool.size()) {
    randombytes_buf(pool.data(), pool.size());
    used = 0;
  }
  std::string id(26, '0');
  auto time = static_cast<uint64_t>(now.time_since_epoch().count());
  for (size_t i = 10; i-- > 0; time >>= 5) id[i] = kAlphabet[time & 31];
  const uint8_t* random = pool.data() + used;
  used += 10;
  uint64_t bits = 0;
  unsigned have = 0;
  size_t next = 0;
  for (size_t i = 10; i < 26; ++i) {
    if (have < 5) {
      bits = (bits << 8) | random[next++];
      have += 8;
    }
    have -= 5;
    id[i] = kAlphabet[(bits >> have) & 31];
  }
  return id;
}

bool is_id(std::string_view text) {
  if (text.size() != 26 || text[0] < '0' || text[0] > '7') return false;
  for (const char c : text) {
    if (digit(c) < 0) return false;
  }
  return true;
}

SystemTime id_time(std::string_view id) {
  int64_t time = 0;
  for (size_t i = 0; i < 10; ++i) time = time << 5 | digit(id[i]);
  return SystemTime(std::chrono::milliseconds(time));
}

}  // namespace doorward
