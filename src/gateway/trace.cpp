#include "gateway/trace.h"

#include <fmt/format.h>

#include "mail/date_time.h"

namespace doorward::gateway {
namespace {

// Foreign text inside a comment or atom of the field: printable, without what would end the comment or fold the line.
std::string harmless(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 255)) {
    const bool bad =
        static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '(' || c == ')' || c == '\\' || c == ';';
    out += bad ? '?' : c;
  }
  return out;
}

// RFC 3848 and RFC 6531 §4.3: the "with" keyword.
std::string_view protocol(const mail::Client& client, const mail::Envelope& envelope) {
  if (envelope.smtputf8) return client.tls ? "UTF8SMTPS" : "UTF8SMTP";
  if (!client.esmtp) return "SMTP";
  return client.tls ? "ESMTPS" : "ESMTP";
}

}  // namespace

std::string received_field(const mail::Client& client, const mail::Envelope& envelope, std::string_view host_name,
                           std::string_view recipient) {
  std::string field =
      fmt::format("Received: from {} ({}{})\r\n", client.helo.empty() ? "unknown" : harmless(client.helo),
                  client.reverse_name.empty() ? "" : harmless(client.reverse_name) + " ", client.ip.literal());
  if (client.tls) {
    field += fmt::format("\t(using {} with cipher {})\r\n", harmless(client.tls_version), harmless(client.tls_cipher));
  }
  field += fmt::format("\tby {} with {} id {}", host_name, protocol(client, envelope), envelope.id);
  if (!recipient.empty() && recipient.size() <= 320) field += fmt::format("\r\n\tfor <{}>", recipient);
  field += fmt::format(";\r\n\t{}\r\n", mail::date_time(envelope.received_at));
  return field;
}

}  // namespace doorward::gateway
