// Paths, mailboxes and domains: what is accepted must be written so that it is read again as the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mail/address.h"
#include "mail/ip.h"
#include "mail/wildcard.h"

using namespace doorward::mail;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string_view rest;
  for (const Utf8 utf8 : {Utf8::refused, Utf8::allowed}) {
    if (const auto path = parse_reverse_path(text, utf8, rest); path && !path->null) {
      const auto again = parse_mailbox(path->text(), utf8);
      if (!again || *again != path->mailbox || again->key() != path->mailbox.key()) std::abort();
      if (utf8 == Utf8::refused && !path->mailbox.is_ascii()) std::abort();
    }
    if (const auto mailbox = parse_mailbox(text, utf8)) {
      const auto again = parse_mailbox(mailbox->text(), utf8);
      if (!again || *again != *mailbox || mailbox->text().size() > text.size()) std::abort();
    }
    static_cast<void>(parse_forward_path(text, utf8, rest));
    static_cast<void>(parse_domain(text, utf8));
  }
  if (const auto ip = IpAddress::parse(text); ip && IpAddress::parse(ip->text()) != ip) std::abort();
  if (const auto network = Network::parse(text); network && !network->contains(network->base())) std::abort();
  const size_t half = size / 2;
  if (wildcard_match(text.substr(0, half), text.substr(half)) &&
      !wildcard_match_ignoring_case(text.substr(0, half), text.substr(half))) {
    std::abort();
  }
  return 0;
}
