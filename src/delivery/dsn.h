// Delivery status notifications (RFC 3464 in RFC 6522's multipart/report): what became of a mail, told to its sender.
// Pure: the caller decides who may be told (no backscatter) and sends the result with the null reverse path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "smtp/reply.h"

namespace doorward::delivery {

enum class DsnAction : uint8_t { failed, delayed, relayed, delivered, expanded };  // RFC 3464 §2.3.3
std::string_view text(DsnAction action);

enum class Language : uint8_t { english, german, dutch };
Language language_of(std::string_view tag);  // "de-AT" (RFC 5646); English where we have none

// One recipient, and what became of it.
struct DsnRecipient {
  mail::Mailbox address;  // as the sender gave it; a rewritten one is nobody's business
  std::string orcpt{};    // ORCPT= as given, still xtext; empty if none
  DsnAction action = DsnAction::failed;
  smtp::EnhancedStatus status{};  // 0.0.0: as the action says
  // The reply that decided, with its code: "550 5.1.1 No such user". Empty: not told. For inbound mail the gateway's
  // own reply and no remote_mta, since backends have no names outside.
  std::string diagnostic{};
  std::string remote_mta{};  // a host name or address literal; empty: not told
  std::optional<SystemTime> last_attempt{};
  std::optional<SystemTime> retry_until{};  // of a delayed one
};

// The mail that is spoken of. The views must live during the call.
struct DsnSubject {
  mail::Mailbox sender;  // of its reverse path, which was not null
  std::string envid{};   // ENVID= as given, still xtext
  mail::DsnReturn ret = mail::DsnReturn::none;
  bool smtputf8 = false;
  SystemTime arrived{};
  std::string received_from{};  // the client's name; empty: not told
  std::string_view content;     // raw; the header section at least
};

struct DsnOptions {
  std::string host;  // ours, ASCII: Reporting-MTA and MAILER-DAEMON's domain
  Language language = Language::english;
  SystemTime now{};
  // Of the mail that is returned, in octets. A larger one comes back as its header section, cut at this size.
  size_t most_returned = 64 * 1024;
};

struct Dsn {
  std::string id;       // of the Message-ID
  mail::Mailbox to;     // the only recipient; the reverse path is null, NOTIFY=NEVER (RFC 3461 §6.1)
  std::string content;  // raw, lines end in CRLF
  mail::Body body = mail::Body::seven_bit;
  bool smtputf8 = false;  // the next hop must know it
};

// Precondition: at least one recipient. All go into one notification; its title names the worst action.
Dsn make_dsn(const DsnSubject& subject, const std::vector<DsnRecipient>& recipients, const DsnOptions& options);

// What a sender that gave no NOTIFY is told (RFC 3461 §4.1 leaves it open).
struct NotifyDefaults {
  bool failure = true, delay = true;
};
// Whether this event is to be told to that sender: never to a null one (RFC 5321 §4.5.5).
bool wants(const mail::ReversePath& sender, const mail::Notify& notify, DsnAction event, NotifyDefaults defaults = {});

// Whether a mail is itself a report, or was sent by a machine in answer to a mail, although its reverse path is not
// null: nobody waits for an answer, and two such machines would never stop (RFC 3834 §2).
bool is_automatic_answer(std::string_view content);

}  // namespace doorward::delivery
