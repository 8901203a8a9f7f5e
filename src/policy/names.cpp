#include "policy/names.h"

#include <array>

namespace doorward::policy {
namespace {

// Empty beyond the last name, where value_of() ends its search.
template <size_t N, class Enum>
std::string_view at(const std::array<std::string_view, N>& names, Enum value) {
  const auto index = static_cast<size_t>(value);
  return index < N ? names[index] : std::string_view{};
}

template <class... Texts>
constexpr std::array<std::string_view, sizeof...(Texts)> list(Texts... texts) {
  return {std::string_view(texts)...};
}

constexpr auto kDelivery = list("proxy", "relay");
constexpr auto kLegal = list("refuse-only", "quarantine", "discard", "tag-only");
constexpr auto kOperation = list("normal", "observe", "bypass");
constexpr auto kProtocol = list("smtp", "lmtp");
constexpr auto kTls = list("off", "opportunistic", "required", "required-verified");
constexpr auto kRuleMode = list("reject", "pass", "check");
constexpr auto kLevel = list("provider", "reseller", "customer", "domain", "mailbox");
constexpr auto kDirection = list("inbound", "outbound");
constexpr auto kEntry = list("sender", "sender-domain", "network", "file-name", "subject-part", "body-part");
constexpr auto kWhere = list("subject", "body", "both");
constexpr auto kSpelling = list("exact", "similar");
constexpr auto kPattern = list("words", "regex");

}  // namespace

std::string_view name(DeliveryMode mode) { return at(kDelivery, mode); }
std::string_view name(LegalMode mode) { return at(kLegal, mode); }
std::string_view name(Operation operation) { return at(kOperation, operation); }
std::string_view name(BackendProtocol protocol) { return at(kProtocol, protocol); }
std::string_view name(BackendTls tls) { return at(kTls, tls); }
std::string_view name(RuleMode mode) { return at(kRuleMode, mode); }
std::string_view name(Level level) { return at(kLevel, level); }
std::string_view name(sheet::Direction direction) { return at(kDirection, direction); }
std::string_view name(filter::EntryKind kind) { return at(kEntry, kind); }
std::string_view name(filter::Where where) { return at(kWhere, where); }
std::string_view name(filter::Spelling spelling) { return at(kSpelling, spelling); }
std::string_view name(filter::PatternKind kind) { return at(kPattern, kind); }

}  // namespace doorward::policy
