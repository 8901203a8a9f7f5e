#include "policy/keys.h"

#include "mail/address.h"

namespace doorward::policy {

std::string name_key(Level level, std::string_view name) {
  if (level == Level::mailbox) {
    if (const auto mailbox = mail::parse_mailbox(name)) return mailbox->key();
  } else if (level == Level::domain) {
    if (const auto domain = mail::parse_domain(name)) return domain->key();
  }
  std::string key(name);
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return key;
}

}  // namespace doorward::policy
