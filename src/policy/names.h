// The words of the policy's enumerations, as files, store and portal write them.
#pragma once

#include <optional>
#include <string_view>

#include "policy/model.h"

namespace doorward::policy {

std::string_view name(DeliveryMode mode);           // proxy, relay
std::string_view name(LegalMode mode);              // refuse-only, quarantine, discard, tag-only
std::string_view name(Operation operation);         // normal, observe, bypass
std::string_view name(BackendProtocol protocol);    // smtp, lmtp
std::string_view name(BackendTls tls);              // off, opportunistic, required, required-verified
std::string_view name(RuleMode mode);               // reject, pass, check
std::string_view name(Level level);                 // provider, reseller, customer, domain, mailbox
std::string_view name(sheet::Direction direction);  // inbound, outbound
std::string_view name(filter::EntryKind kind);     // sender, sender-domain, network, file-name, subject-part, body-part
std::string_view name(filter::Where where);        // subject, body, both
std::string_view name(filter::Spelling spelling);  // exact, similar
std::string_view name(filter::PatternKind kind);   // words, regex

// The value of that name; none where there is no such name.
template <class Enum>
std::optional<Enum> value_of(std::string_view text) {
  for (int i = 0; i < 16; ++i) {
    const auto value = static_cast<Enum>(i);
    const std::string_view known = name(value);
    if (known.empty()) break;
    if (known == text) return value;
  }
  return std::nullopt;
}

}  // namespace doorward::policy
