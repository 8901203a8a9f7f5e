// The effective settings of one recipient, after inheritance from provider to mailbox. Immutable; equal settings of one
// domain are one object, so that comparing pointers compares settings.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "action/action.h"
#include "base/clock.h"
#include "filter/input.h"
#include "mail/address.h"
#include "mail/ip.h"
#include "net/connection.h"
#include "sheet/price.h"
#include "sheet/sheet.h"
#include "sheet/verdict.h"

namespace doorward::policy {

enum class DeliveryMode : uint8_t { proxy, relay };
enum class LegalMode : uint8_t {
  refuse_only,
  quarantine,
  discard,
  tag_only
};  // quarantine and discard: consent recorded
enum class Operation : uint8_t { normal, observe, bypass };
enum class BackendProtocol : uint8_t { smtp, lmtp };
enum class BackendTls : uint8_t { off, opportunistic, required, required_verified };

// A protected mail server.
struct Backend {
  uint64_t id = 0;
  std::string name;
  BackendProtocol protocol = BackendProtocol::smtp;
  std::vector<net::Endpoint> addresses;  // in order of priority
  BackendTls tls = BackendTls::opportunistic;
  std::string tls_name;            // the name its certificate must have, where verified
  unsigned max_connections = 100;  // in all
  std::chrono::seconds timeout{300};
  uint32_t line = 0;  // where the policy file has it, 0 where it came from elsewhere
};

enum class RuleMode : uint8_t { reject, pass, check };

struct Rule {
  std::string name;
  std::optional<sheet::Direction> direction;  // none: both
  std::vector<mail::Network> networks;        // empty: any
  std::string sender = "*";                   // wildcards: "*@d.example", "*firma@d.example", "a.b@d.example", "<>"
  std::string recipient = "*";
  RuleMode mode = RuleMode::check;
  int threshold = 4;  // -1 … 10: a mail whose SCL exceeds it is spam
  std::map<std::string, sheet::FilterPrice, std::less<>> prices;

  bool matches(sheet::Direction direction, const mail::IpAddress& ip, const std::string& sender_key,
               const std::string& recipient_key) const;
};

struct Settings {
  uint64_t customer = 0;
  uint64_t domain = 0;
  std::string domain_name;
  DeliveryMode delivery = DeliveryMode::proxy;
  LegalMode legal = LegalMode::refuse_only;
  Operation operation = Operation::normal;
  SystemTime bypass_until{};  // for Operation::bypass
  std::shared_ptr<const Backend> backend;
  int keep_days = 30;                             // of what is quarantined
  bool any_sender = false;                        // outbound: not only the customer's own domains
  bool arc_seal = true;                           // what was changed is sealed
  bool sender_domain = true;                      // senders are refused whose domain does not exist
  bool defer_on_dns_failure = true;               // where a sender's domain cannot be looked up
  bool greylist_catch_all = true;                 // unknown senders to the catch-all mailbox are put off once
  std::optional<int> greylist_suspicious_from{};  // and mail from this SCL on, as far as it is no spam
  std::chrono::minutes greylist_catch_all_delay{1}, greylist_suspicious_delay{5};
  std::vector<std::string> trust_stop_words{};     // lower case: outgoing subjects that have one build no trust
  uint64_t size_limit = 25'000'000;                // octets
  std::vector<std::shared_ptr<const Rule>> rules;  // in order; the last one always matches
  std::array<sheet::Disposition, 7> outcomes{};    // by class, as the legal mode allows
  action::Settings actions;
  std::vector<uint64_t> owners;                 // sorted: tenants and lists whose findings count
  std::vector<uint64_t> word_lists;             // sorted
  std::vector<std::string> report_addresses;    // keys: what comes there is looked at for reports
  std::vector<const filter::Entries*> entries;  // nearest level first; owned by the snapshot

  // An emergency bypass holds until its end and no longer.
  bool bypassed(SystemTime now) const { return operation == Operation::bypass && now < bypass_until; }
};

// How a recipient is known.
struct Resolved {
  enum class Kind { ours, unknown_domain, unknown_recipient } kind = Kind::unknown_domain;
  std::shared_ptr<const Settings> settings{};  // where kind is ours
  mail::Mailbox mailbox{};                     // after aliases
  bool listed = false;                         // false: the backend is to be asked
  bool caught = false;                         // by the domain's catch-all mailbox
  bool tagged = false;                         // listed but for its tag, which the client chose
};

}  // namespace doorward::policy
