// A mail with its DKIM signatures and the key record that answers for all of them: the first line is the record, the
// rest the mail. What passes must pass again with the body cut where canonicalisation cuts it.
#include <cstdint>
#include <string>
#include <string_view>

#include "mailauth/public_key_cache.h"
#include "mailauth/signature.h"
#include "mailauth/signature_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace doorward::mailauth;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  FoundKeys found;
  if (auto key = read_key(input.substr(0, line))) {
    if (key->key.bits() > kStrongestRsa) __builtin_trap();
    found.keys.push_back(std::move(*key));
  } else {
    found.fault = Result::permerror;
  }
  SignedMail mail(input.substr(line + 1));
  for (const Canonical canonical : {Canonical::simple, Canonical::relaxed}) {
    const std::string whole(mail.body());
    const BodyHash hash = hash_body(mail.body(), canonical, std::nullopt);
    if (hash.hash != hash_body(whole + "\r\n\r\n", canonical, std::nullopt).hash && !whole.ends_with('\r')) {
      // Only what ends within a line end may differ.
      if (whole.empty() && canonical == Canonical::simple) __builtin_trap();
      if (!whole.empty()) __builtin_trap();
    }
    if (hash.length != 0 && hash.hash != hash_body(mail.body(), canonical, hash.length).hash) __builtin_trap();
  }
  for (size_t i = 0; i < mail.fields().size() && i < 20; ++i) {
    const Signature signature = read_signature(SignatureKind::dkim, mail.fields()[i].value);
    (void)untimely(signature, {}, std::chrono::seconds(0));
    if (signature.fault != Result::none) continue;
    if (signature.domain.empty() || signature.selector.empty() || signature.value.empty()) __builtin_trap();
    uint64_t unsigned_octets = 0;
    (void)check_body(mail, signature, unsigned_octets);
    (void)check_value(signature, header_hash(mail, signature, i), found, true);
  }
  return 0;
}
