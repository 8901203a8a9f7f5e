// A mail in the spool: what a 250 promised, and how far the promise is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "mail/content.h"
#include "mail/envelope.h"
#include "mime/edit.h"
#include "sheet/sheet.h"

namespace doorward::spool {

// What became of one recipient so far.
enum class Fate : uint8_t {
  waiting,    // to be delivered (or kept), at once or later
  delivered,  // its next hop has taken it, or the vault has it
  failed,     // refused for good or expired; who had to be told was told
  stranded,   // refused for good, and nobody may be told (DESIGN §2: no backscatter): kept until an administrator acts
  removed,    // an administrator took it out
};

// Where the mail goes next. The name is a lane of the schedule: what shares it shares concurrency and back-off.
struct Destination {
  enum class Kind : uint8_t {
    backend,  // a protected mail server; name: its id in decimal
    mx,       // by MX records; name: the domain's key
    vault,    // kept here; name is empty
  } kind = Kind::backend;
  std::string name;
  auto operator<=>(const Destination&) const = default;
};
std::string text(const Destination& destination);  // "backend:101", "mx:example.org", "vault"

struct Recipient {
  mail::Recipient to;  // as the next hop gets it, with its RFC 3461 parameters
  std::string given;   // as the client wrote it
  Destination destination;
  uint16_t version = 0;  // which of the mail's contents
  uint64_t customer = 0, domain = 0;
  sheet::Class klass = sheet::Class::clean;
  sheet::Disposition disposition = sheet::Disposition::deliver;
  Fate fate = Fate::waiting;
};

struct Mail {
  std::string id;  // of the envelope: the reference in logs, replies and sheets
  sheet::Direction direction = sheet::Direction::inbound;
  bool may_bounce = false;  // the sender is authenticated, so that a DSN is no backscatter
  SystemTime received_at{};
  std::string client_ip, helo;
  mail::ReversePath from;
  mail::Body body = mail::Body::seven_bit;
  bool smtputf8 = false;
  bool require_tls = false;  // RFC 8689
  mail::DsnReturn ret = mail::DsnReturn::none;
  std::string envid;    // still xtext
  uint64_t size = 0;    // octets of the raw message
  std::string subject;  // for lists; at most 200 octets of UTF-8
  std::vector<Recipient> recipients;
};

// The bytes of one mail, raw and as each group of recipients gets them; shared by its jobs.
class Content {
 public:
  Content(mail::Content raw, std::vector<mime::Edits> versions)
      : raw_(std::move(raw)), versions_(std::move(versions)) {}
  std::string_view raw() const { return raw_.bytes(); }
  size_t versions() const { return versions_.size(); }
  // Valid as long as this object is.
  std::vector<std::string_view> pieces(size_t version) const { return versions_[version].apply(raw_.bytes()); }
  const std::vector<mime::Edits>& edits() const { return versions_; }
  size_t in_memory() const { return raw_.in_memory(); }

 private:
  mail::Content raw_;
  std::vector<mime::Edits> versions_;
};

}  // namespace doorward::spool
