// The keys of the policy file's tables other than the settings (options.h), described once.
#pragma once

#include "config/option.h"

namespace doorward::policy::file {

using config::OptionInfo;
using enum config::OptionType;

inline const OptionInfo kName{"name", text, "", "", "The name, by which others refer to it."};

// [[backend]]
inline const OptionInfo kAddresses{
    "address", list, "", "", "Where it listens, in order of priority: 192.0.2.1:25, [2001:db8::1]:25 or unix:/path."};
inline const OptionInfo kProtocol{"protocol", choice,          "", "smtp", "The protocol that it speaks.", 0,
                                  0,          {"smtp", "lmtp"}};
inline const OptionInfo kTls{"tls",
                             choice,
                             "",
                             "opportunistic",
                             "TLS to it: off, where offered, always, or always with a valid certificate.",
                             0,
                             0,
                             {"off", "opportunistic", "required", "required-verified"}};
inline const OptionInfo kTlsName{"tls_name", text, "", "", "The name that its certificate must have."};
inline const OptionInfo kMaxConnections{
    "max_connections", integer, "connections", "100", "The most connections to it at a time.", 1, 10000};
inline const OptionInfo kTimeout{"timeout", duration, "", "5m", "How long it may take for an answer."};

// [[rule]]
inline const OptionInfo kDirection{
    "direction", choice, "", "both", "The direction of the mail.", 0, 0, {"both", "inbound", "outbound"}};
inline const OptionInfo kNetworks{"networks", list, "", "", "The clients' addresses or networks; none: any."};
inline const OptionInfo kSender{"sender", text, "", "*", "The sender, with wildcards * and ?; <> is the null sender."};
inline const OptionInfo kRecipient{"recipient", text, "", "*", "The recipient, with wildcards * and ?."};
inline const OptionInfo kMode{"mode",
                              choice,
                              "",
                              "check",
                              "What is done: reject, pass without filters, or check.",
                              0,
                              0,
                              {"reject", "pass", "check"}};

// [[entry]]
inline const OptionInfo kKind{"kind",
                              choice,
                              "",
                              "sender",
                              "What the pattern is compared with.",
                              0,
                              0,
                              {"sender", "sender-domain", "network", "file-name", "subject-part", "body-part"}};
inline const OptionInfo kBlock{"block", text, "", "", "The pattern of what is blocked, with wildcards * and ?."};
inline const OptionInfo kPass{
    "pass", text, "", "",
    "The pattern of what passes; a sender's pass holds only where it is authenticated or comes from `network`."};
inline const OptionInfo kNetwork{"network", text, "", "", "The network that a passed sender was recorded with."};
inline const OptionInfo kNote{"note", text, "", "", "Why it is there."};

// [[word_list.entry]]
inline const OptionInfo kPattern{
    "pattern", text, "", "",
    "The word or words, with ? for one character and * for any within a word; or a regular expression."};
inline const OptionInfo kPoints{"points", number, "points", "1", "The points of each hit.", -10, 10};
inline const OptionInfo kPart{"part", choice, "", "both", "Where it is looked for.", 0, 0, {"subject", "body", "both"}};
inline const OptionInfo kSpelling{
    "spelling",
    choice,
    "",
    "exact",
    "Whether similar spellings count: leetspeak, spaced letters, letters that look alike.",
    0,
    0,
    {"exact", "similar"}};
inline const OptionInfo kPatternKind{
    "kind", choice, "", "words", "Whether the pattern is words or a regular expression.", 0, 0, {"words", "regex"}};

// [[customer.domain.consent]]
inline const OptionInfo kConsentMode{
    "mode", choice, "", "quarantine", "What was agreed to.", 0, 0, {"quarantine", "discard"}};
inline const OptionInfo kWho{"who", text, "", "", "Who agreed, for the customer."};
inline const OptionInfo kWhen{"when", text, "", "", "When, in UTC: 2026-01-31 or 2026-01-31T12:00:00Z."};
inline const OptionInfo kText{"text", text, "", "", "The words that were agreed to, or where they are kept."};

// Tenants
inline const OptionInfo kLocked{"locked", list, "", "", "The settings given here that levels below may not change."};
inline const OptionInfo kReseller{"reseller", text, "", "", "The reseller that a customer belongs to."};
inline const OptionInfo kAddress{"address", text, "", "", "The mailbox's address."};
inline const OptionInfo kAliases{"aliases", list, "", "", "Other addresses of the mailbox."};

}  // namespace doorward::policy::file
