#include "centre/secret.h"

#include <sodium.h>

#include <array>
#include <stdexcept>

namespace doorward::centre {
namespace {

constexpr size_t kOctets = 32;
constexpr int kForm = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

std::string text_of(const std::array<unsigned char, kOctets>& octets) {
  std::array<char, sodium_base64_ENCODED_LEN(kOctets, kForm)> text{};
  sodium_bin2base64(text.data(), text.size(), octets.data(), octets.size(), kForm);
  return text.data();
}

}  // namespace

std::string new_secret() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be used");
  std::array<unsigned char, kOctets> octets{};
  randombytes_buf(octets.data(), octets.size());
  return text_of(octets);
}

std::string token_hash(std::string_view token) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be used");
  std::array<unsigned char, kOctets> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(token.data()), token.size(),
                     nullptr, 0);
  return text_of(hash);
}

}  // namespace doorward::centre
