#include "filter/hashed_object.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "filter/link_target.h"
#include "mail/ascii.h"

namespace doorward::filter {
namespace {

std::string hexadecimal(std::string_view octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char octet : octets) {
    text += kDigits[static_cast<uint8_t>(octet) >> 4];
    text += kDigits[static_cast<uint8_t>(octet) & 15];
  }
  return text;
}

std::string base32(std::string_view octets) {
  constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  uint32_t bits = 0;
  unsigned count = 0;
  for (const char octet : octets) {
    bits = (bits << 8 | static_cast<uint8_t>(octet)) & 0xFFFF;
    for (count += 8; count >= 5; count -= 5) text += kDigits[(bits >> (count - 5)) & 31];
  }
  if (count > 0) text += kDigits[(bits << (5 - count)) & 31];
  return text;
}

}  // namespace

std::string listed_address(std::string_view address) {
  std::string text = mail::lowered(address);
  const size_t at = text.rfind('@');
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) return {};
  std::string local = text.substr(0, at), domain = text.substr(at + 1);
  if (const size_t tag = local.find('+', 1); tag != std::string::npos) local.resize(tag);
  if (domain == "googlemail.com") domain = "gmail.com";
  if (domain == "gmail.com") std::erase(local, '.');
  return local + "@" + domain;
}

std::string listed_link(std::string_view url) {
  const auto target = target_of(url);
  if (!target || target->host.empty()) return {};
  std::string text = mail::lowered(target->host);
  text += target->rest.substr(0, target->rest.find('#'));
  while (text.ends_with('/')) text.pop_back();
  return text;
}

std::string hash_label(ListHash hash, std::string_view text) {
  const EVP_MD* const kind = hash == ListHash::sha1 ? EVP_sha1() : hash == ListHash::md5 ? EVP_md5() : EVP_sha256();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, kind, nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot hash");
  }
  const std::string_view octets(reinterpret_cast<const char*>(digest.data()), size);
  return hash == ListHash::sha256_base32 ? base32(octets) : hexadecimal(octets);
}

}  // namespace doorward::filter
