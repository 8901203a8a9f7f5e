#include "delivery/reply_map.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace doorward::delivery {
namespace {

using smtp::EnhancedStatus;
using smtp::Reply;

struct Known {
  EnhancedStatus status;
  int code;
  std::string_view text;
};

// The enhanced codes (RFC 3463 and IANA's registry) that say something of use to the sender and nothing of the backend.
constexpr std::array kKnown{
    Known{{5, 1, 0}, 550, "The address was refused by the recipient's mail server"},
    Known{{5, 1, 1}, 550, "There is no mailbox of this name"},
    Known{{5, 1, 3}, 553, "The recipient's address is not well-formed"},
    Known{{5, 1, 4}, 550, "The recipient's address is ambiguous"},
    Known{{5, 1, 6}, 551, "The mailbox has moved and takes no mail here"},
    Known{{5, 1, 7}, 553, "The sender's address is not well-formed"},
    Known{{5, 1, 8}, 550, "The sender's domain cannot be replied to"},
    Known{{5, 2, 0}, 550, "The mailbox takes no mail"},
    Known{{5, 2, 1}, 550, "The mailbox is disabled"},
    Known{{5, 2, 2}, 552, "The mailbox is full"},
    Known{{5, 2, 3}, 552, "The message is larger than this mailbox takes"},
    Known{{5, 2, 4}, 550, "The mailing list could not be expanded"},
    Known{{5, 3, 4}, 552, "The message is larger than the recipient's mail server takes"},
    Known{{5, 4, 6}, 554, "The message runs in a loop"},
    Known{{5, 6, 0}, 554, "The recipient's mail server does not take this content"},
    Known{{5, 6, 1}, 554, "The recipient's mail server does not take this kind of content"},
    Known{{5, 6, 7}, 553, "The recipient's mail server does not take internationalized addresses"},
    Known{{5, 7, 0}, 550, "The recipient's mail server refuses this mail for its policy"},
    Known{{5, 7, 1}, 550, "The recipient's mail server refuses this mail for its policy"},
    Known{{5, 7, 2}, 550, "The sender may not write to this mailing list"},
    Known{{5, 7, 30}, 550, "The recipient's mail server does not support REQUIRETLS"},
    Known{{4, 1, 1}, 450, "The mailbox is not available at present"},
    Known{{4, 1, 8}, 450, "The sender's domain cannot be replied to at present"},
    Known{{4, 2, 0}, 450, "The mailbox is not available at present"},
    Known{{4, 2, 1}, 450, "The mailbox is not available at present"},
    Known{{4, 2, 2}, 452, "The mailbox is full"},
    Known{{4, 3, 0}, 451, "The recipient's mail server cannot take the mail at present"},
    Known{{4, 3, 1}, 452, "The recipient's mail server has no room at present"},
    Known{{4, 3, 2}, 451, "The recipient's mail server is busy"},
    Known{{4, 4, 1}, 451, "The recipient's mail server does not answer"},
    Known{{4, 4, 2}, 451, "The connection to the recipient's mail server was lost"},
    Known{{4, 4, 3}, 451, "The recipient's mail server cannot route the mail at present"},
    Known{{4, 4, 5}, 451, "The recipient's mail server is congested"},
    Known{{4, 5, 3}, 452, "Too many recipients in one transaction"},
    Known{{4, 7, 0}, 450, "The recipient's mail server does not take this mail at present"},
    Known{{4, 7, 1}, 450, "The recipient's mail server does not take this mail at present"},
};

Reply known(EnhancedStatus status) {
  const auto* found = std::ranges::find(kKnown, status, &Known::status);
  return Reply(found->code, found->status, std::string(found->text));
}

bool is_known(EnhancedStatus status) { return std::ranges::find(kKnown, status, &Known::status) != kKnown.end(); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Without what stands in angle brackets: servers echo addresses there, and whoever chose the address chose the words.
std::string without_addresses(std::string_view line) {
  std::string rest;
  unsigned depth = 0;
  for (const char c : line) {
    if (c == '<') ++depth;
    if (depth == 0) rest += c;
    if (c == '>' && depth > 0) --depth;
  }
  return rest;
}

bool says(const Reply& reply, std::string_view word) {
  return std::ranges::any_of(reply.lines, [word](const std::string& line) {
    const std::string text = without_addresses(line);
    return !std::ranges::search(text, word, {}, lower, lower).empty();
  });
}

// The backend refuses the gateway itself, not the recipient or the mail. Servers that delay their refusal of a client
// until RCPT (Postfix does) say so only here, and all under 5.7.1: the words decide.
bool refuses_the_gateway(const Reply& reply) {
  // RFC 4954 and 3207: authentication or encryption is wanted first.
  if (reply.code == 530 || reply.code == 534 || reply.code == 535 || reply.code == 538) return true;
  const EnhancedStatus status = reply.enhanced;
  if (status.subject == 7) {
    // Exchange: relay denied (54, 64), client not authenticated (57, 60), sending IP banned (5xx and 6xx);
    // RFC 7372: the client's SPF (23, 24), reverse name (25); RFC 7489's DMARC (26): judged by the gateway's address.
    static constexpr std::array<uint16_t, 9> kDetails{8, 23, 24, 25, 26, 54, 57, 60, 64};
    if (std::ranges::find(kDetails, status.detail) != kDetails.end() || status.detail >= 500) return true;
  }
  if (status == EnhancedStatus{5, 1, 2}) return true;  // it does not know the very domain it is there for
  if (status.present() && status.subject != 7 && status.subject != 0) return false;
  if (!status.present() && (says(reply, "unknown") || says(reply, "no such"))) return false;  // "… in relay table"
  static constexpr std::array<std::string_view, 9> kWords{"relay",        "rcpthosts",     "client host",
                                                          "helo command", "blocked using", "authentication required",
                                                          "authenticate", "starttls",      "reverse dns"};
  return std::ranges::any_of(kWords, [&reply](std::string_view word) { return says(reply, word); });
}

Reply permanent(Stage stage, const Reply& backend) {
  const EnhancedStatus status = backend.enhanced;
  if (status == EnhancedStatus{5, 1, 10}) return known({5, 1, 1});  // Exchange's RecipientNotFound
  if (status.klass == 5 && is_known(status)) return known(status);
  if (stage == Stage::recipient) {
    switch (backend.code) {
      case 501:
      case 553:
        return known({5, 1, 3});
      case 551:
        return known({5, 1, 6});
      case 552:
        return known({5, 2, 2});
      default:
        return known({5, 1, 0});
    }
  }
  return backend.code == 552 ? known({5, 3, 4}) : Reply(554, {5, 0, 0}, "The recipient's mail server refuses the mail");
}

Reply transient(const Reply& backend) {
  if (backend.code == 421) return backend_busy();
  if (backend.enhanced.klass == 4 && is_known(backend.enhanced)) return known(backend.enhanced);
  switch (backend.code) {
    case 450:
      return known({4, 2, 0});
    case 452:
      return known({4, 3, 1});
    default:
      return known({4, 3, 0});
  }
}

Mapped nonsense() { return Mapped{known({4, 3, 0}), Fault::nonsense}; }

}  // namespace

Mapped map_reply(Stage stage, const Reply& backend) {
  if (backend.code >= 200 && backend.code < 300) {
    if (stage == Stage::recipient) return Mapped{Reply(250, {2, 1, 5}, "Recipient taken"), Fault::none};
    return Mapped{Reply(250, {2, 0, 0}, "Taken by the recipient's mail server"), Fault::none};
  }
  if (backend.transient()) {
    // A server that is full says so at MAIL too (RFC 5321 §4.2.2); in the session it can only mean that it is busy.
    return Mapped{stage == Stage::session ? backend_busy() : transient(backend), Fault::none};
  }
  if (!backend.permanent()) return nonsense();
  if (stage == Stage::session || stage == Stage::mail) return Mapped{backend_misconfigured(), Fault::misconfigured};
  // 552 was once the code for too many recipients; RFC 5321 §4.5.3.1.10 asks to take it as temporary.
  if (stage == Stage::recipient && backend.enhanced == EnhancedStatus{5, 5, 3}) return Mapped{known({4, 5, 3})};
  // Unknown command, bad sequence: about the dialog, and so never the sender's fault (501 is about the address at
  // RCPT).
  if (backend.code == 500 || backend.code == 502 || backend.code == 503 || backend.code == 504) return nonsense();
  if (backend.code == 501 && stage == Stage::content) return nonsense();
  if (refuses_the_gateway(backend)) return Mapped{backend_misconfigured(), Fault::misconfigured};
  return Mapped{permanent(stage, backend), Fault::none};
}

Reply map_failure(const net::IoFailure& failure, bool while_opening) {
  switch (failure.kind) {
    case net::IoError::other:
      return known({4, 3, 0});
    case net::IoError::tls:
      return backend_misconfigured();
    case net::IoError::exhausted:
      return backend_busy();
    default:
      return known(while_opening ? EnhancedStatus{4, 4, 1} : EnhancedStatus{4, 4, 2});
  }
}

Reply backend_misconfigured() {
  return Reply(451, {4, 3, 5}, "The recipient's mail server is not set up for this mail; its administrator was told");
}
Reply backend_busy() { return known({4, 3, 2}); }
Reply no_time_left() { return known({4, 4, 5}); }
Reply smtputf8_not_supported() { return known({5, 6, 7}); }
Reply requiretls_not_supported() { return known({5, 7, 30}); }
Reply too_large_for_backend() { return known({5, 3, 4}); }

}  // namespace doorward::delivery
