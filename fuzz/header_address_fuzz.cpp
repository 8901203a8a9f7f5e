// Address lists of header fields: bounded whatever comes.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mail/header_address.h"

using namespace doorward::mail;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto list = parse_address_list(std::string_view(reinterpret_cast<const char*>(data), size));
  if (list.addresses.size() > kMaxHeaderAddresses + 1) std::abort();
  size_t octets = 0;
  for (const auto& address : list.addresses) {
    octets += address.display_name.size() + address.address.size() + address.comment.size();
    if (address.mailbox && !parse_mailbox(address.mailbox->text())) std::abort();
  }
  if (octets > 3 * size + 3) std::abort();
  return 0;
}
