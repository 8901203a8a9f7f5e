// The sets of a chain, with names that never answer; and sealing on top of whatever was found.
#include <cstdint>
#include <string>
#include <string_view>

#include "mailauth/arc_seal.h"
#include "mailauth/arc_set.h"
#include "mailauth/signature_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace doorward::mailauth;
  static const auto key = SigningKey::read("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  SignedMail mail(input);
  const ArcChain chain = read_chain(mail);
  ArcOutcome seen;
  if (chain.present) seen.cv = chain.fault.empty() ? Result::pass : Result::fail;
  seen.instances = chain.highest;
  if (chain.fault.empty() && chain.sets.size() != chain.highest) __builtin_trap();
  for (const ArcSet& set : chain.sets) {
    const Signature& message = set.message_signature;
    if (!chain.fault.empty() || message.fault != Result::none) continue;
    uint64_t unsigned_octets = 0;
    (void)check_body(mail, message, unsigned_octets);
    (void)header_hash(mail, message, set.message);
  }
  const auto sealed = seal_arc(mail, seen, *key, {.domain = "seal.example", .selector = "s", .results = "mx; none"});
  if (!sealed) return 0;
  const std::string whole = *sealed + std::string(input);
  const SignedMail after{std::string_view(whole)};
  const ArcChain longer = read_chain(after);
  // Only where the input began with a mailbox line or a fold does the set not stand on top.
  if (longer.highest != chain.highest + 1 && after.fields().size() == mail.fields().size() + 3) __builtin_trap();
  return 0;
}
