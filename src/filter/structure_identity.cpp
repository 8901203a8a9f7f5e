#include <algorithm>
#include <string>

#include "filter/shown_address.h"
#include "filter/structure_signs.h"
#include "mail/ascii.h"

namespace doorward::filter {
namespace {

bool is_ip(std::string_view domain) {
  return domain.starts_with('[') ||
         (!domain.empty() && domain.find_first_not_of("0123456789.") == std::string_view::npos);
}

void check_message_id_domain(Signs& signs, std::string_view domain, const ShownAddress& from) {
  // Machines without a domain are as common among honest senders.
  if (is_ip(domain) || domain == "localhost" || domain.starts_with("localhost.")) {
    signs.found(Sign::message_id_odd_domain, domain);
    return;
  }
  if (signs.mail().direction != sheet::Direction::inbound) return;
  for (const auto& recipient : signs.mail().envelope.recipients) {
    const std::string& ours = recipient.mailbox.domain.key();
    if (domain == ours && owner_domain(from.domain()) != owner_domain(ours))
      signs.found(Sign::message_id_of_recipient, domain);
  }
}

// Outlook Express writes <12 hex digits$8 hex digits$8 hex digits@host>.
bool is_outlook_express_id(std::string_view id) {
  const auto hex = [&](size_t from, size_t count) {
    return id.size() > from + count && std::ranges::all_of(id.substr(from, count), mail::is_hex);
  };
  return id.starts_with('<') && hex(1, 12) && id[13] == '$' && hex(14, 8) && id[22] == '$' && hex(23, 8) &&
         id[31] == '@';
}

void check_message_id(Signs& signs, const ShownAddress& from) {
  const auto& headers = signs.message().headers();
  if (headers.find("Message-ID") == nullptr) return signs.found(Sign::message_id_missing);
  const std::string id = headers.unfolded("Message-ID");
  const size_t at = id.rfind('@');
  // RFC 5322 §3.6.4
  if (id.size() < 5 || id.front() != '<' || id.back() != '>' || at == std::string::npos || at == 1 ||
      at + 2 >= id.size() || id.find_first_of(" \t") != std::string::npos) {
    return signs.found(Sign::message_id_malformed, id);
  }
  check_message_id_domain(signs, mail::lowered(std::string_view(id).substr(at + 1, id.size() - at - 2)), from);
  // Servers of Microsoft replace the Message-ID of what their users send.
  const std::string mailer = headers.unfolded("X-Mailer");
  if (mailer.starts_with("Microsoft Outlook Express") && !is_outlook_express_id(id) && !id.ends_with("phx.gbl>") &&
      !id.contains("@hotmail.com")) {
    signs.found(Sign::outlook_express_forged, id);
  }
}

void check_from(Signs& signs, const ShownAddress& from) {
  if (signs.message().headers().find("From") == nullptr) return signs.found(Sign::from_missing);
  if (from.address.empty()) return signs.found(Sign::from_unreadable, signs.message().headers().text("From"));
  const std::string other = address_within(from.name);
  if (!other.empty() && other != from.address) {
    const ShownAddress shown{.name = {}, .address = other};
    // "a.b@shop.example" <news@mail.shop.example> is common and honest.
    if (owner_domain(shown.domain()) != owner_domain(from.domain()))
      signs.found(Sign::from_shows_other_address, from.name + " <" + from.address + ">");
  }
  const std::string mixed = mixed_script_word(from.name);
  if (!mixed.empty()) signs.found(Sign::from_name_mixed_scripts, mixed);
}

}  // namespace

void check_identity(Signs& signs) {
  const auto& headers = signs.message().headers();
  const ShownAddress from = first_address(headers.text("From"));
  check_message_id(signs, from);
  check_from(signs, from);
  if (headers.find("To") == nullptr && headers.find("Cc") == nullptr) signs.found(Sign::to_missing);
  if (headers.find("Reply-To") != nullptr) {
    const ShownAddress reply = first_address(headers.text("Reply-To"));
    if (is_freemail(reply.domain()) && !from.address.empty() && reply.domain() != from.domain()) {
      signs.found(Sign::reply_to_freemail, reply.address);
    }
  }
}

}  // namespace doorward::filter
