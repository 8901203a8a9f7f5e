#include "filter/list_questions.h"

#include <libpsl.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <optional>

#include "base/handle.h"
#include "filter/attached_links.h"
#include "filter/link_target.h"
#include "filter/shown_address.h"
#include "mail/ascii.h"
#include "mailauth/tag_list.h"
#include "net/dns_answer.h"

namespace doorward::filter {
namespace {

constexpr size_t kMostDomains = 30;  // of links
constexpr size_t kMostLinks = 500;   // looked at
constexpr size_t kMostHashed = 20;   // addresses, and links
constexpr std::string_view kMailto = "mailto:";

// Named by mails of all kinds, and never listed: asking would be waste.
constexpr std::array<std::string_view, 8> kEverywhere{"w3.org",      "microsoft.com", "google.com", "googleapis.com",
                                                      "gstatic.com", "apple.com",     "schema.org", "adobe.com"};

struct Object {
  std::string text;
  std::string_view where;
  mail::IpAddress ip;     // of an address
  unsigned received = 0;  // 0: the client itself; else of which Received field, from the top
};

bool is_private(const mail::IpAddress& ip) {
  static const auto networks = mail::private_networks();
  return ip.is_unspecified() ||
         std::ranges::any_of(networks, [&](const mail::Network& network) { return network.contains(ip); });
}

// The first address in "from … by": what the server that wrote the field saw.
std::optional<mail::IpAddress> received_from(std::string_view field) {
  constexpr size_t kLooked = 500;
  field = field.substr(0, std::min(field.find(" by "), kLooked));
  while (!field.empty()) {
    const size_t begin = field.find_first_of("[(");
    if (begin == std::string_view::npos) return std::nullopt;
    field.remove_prefix(begin + 1);
    std::string_view inner = field.substr(0, field.find_first_of("])"));
    if (mail::starts_ignoring_case(inner, "IPv6:")) inner.remove_prefix(5);
    if (const auto ip = mail::IpAddress::parse(inner)) return ip;
  }
  return std::nullopt;
}

class Objects {
 public:
  void add_ip(const mail::IpAddress& ip, std::string_view where, unsigned received) {
    if (is_private(ip) || std::ranges::any_of(ips, [&](const Object& known) { return known.ip == ip; })) return;
    ips.push_back({ip.text(), where, ip, received});
  }
  void add_host(std::string_view host, std::string_view where) {
    const std::string domain = registered_domain(net::dns_name(host));
    if (domain.empty() || is_shortener(domain)) return;
    if (std::ranges::find(kEverywhere, domain) != kEverywhere.end()) return;
    if (std::ranges::any_of(domains, [&](const Object& known) { return known.text == domain; })) return;
    if (domains.size() < kMostDomains) domains.push_back({domain, where, {}, 0});
  }

  // Of what lists of hashes know: in the form in which it is hashed.
  static void add_text(std::vector<Object>& to, std::string text, std::string_view where) {
    if (text.empty() || to.size() >= kMostHashed) return;
    if (std::ranges::any_of(to, [&](const Object& known) { return known.text == text; })) return;
    to.push_back({std::move(text), where, {}, 0});
  }

  std::vector<Object> ips, domains, addresses, links;
};

void add_received(const mime::Message& message, unsigned depth, Objects& to) {
  unsigned seen = 0;
  for (const mime::Header& field : message.headers().fields()) {
    if (seen == depth) return;
    if (!mail::equal_ignoring_case(field.name, "Received")) continue;
    ++seen;
    if (const auto ip = received_from(field.value)) to.add_ip(*ip, "received", seen);
  }
}

// Who says to have sent it. Claims alone, all of them: a lie about a listed domain harms nobody but the liar.
void add_senders(const mail::Client& client, const mail::Envelope& envelope, const mime::Message& message,
                 Objects& to) {
  constexpr size_t kMostSignatures = 5;
  if (!envelope.from.null) to.add_host(envelope.from.mailbox.domain.key(), "sender");
  for (const std::string_view field : {"From", "Reply-To"}) {
    to.add_host(first_address(message.headers().text(field)).domain(), "sender");
  }
  size_t signatures = 0;
  for (const mime::Header& field : message.headers().fields()) {
    if (!mail::equal_ignoring_case(field.name, "DKIM-Signature")) continue;
    if (++signatures > kMostSignatures) break;
    const auto tags = mailauth::TagList::parse(field.value);
    if (tags) to.add_host(tags->value("d").value_or(""), "signature");
  }
  if (!client.helo.starts_with('[') && !is_ip_host(client.helo)) to.add_host(client.helo, "helo");
}

void add_links(const mime::Message& message, std::span<const std::string> attached, Objects& to) {
  const auto add = [&to](const std::string& link, std::string_view where) {
    const std::string url = behind_redirectors(link);
    const auto target = target_of(url);
    if (target && !is_ip_host(target->host)) to.add_host(target->host, where);
    if (!mail::starts_ignoring_case(link, kMailto)) return;
    const std::string address = address_within(std::string_view(link).substr(kMailto.size()));
    to.add_host(std::string_view(address).substr(address.rfind('@') + 1), where);
  };
  size_t looked = 0;
  for (const mime::Link& link : message.links()) {
    if (++looked > kMostLinks) break;
    add(link.url, "link");
  }
  for (const std::string& link : attached) add(link, "attachment");
}

void add_addresses(const mail::Envelope& envelope, const mime::Message& message, Objects& to) {
  if (!envelope.from.null) Objects::add_text(to.addresses, listed_address(envelope.from.mailbox.key()), "sender");
  for (const std::string_view field : {"From", "Reply-To", "Sender"}) {
    Objects::add_text(to.addresses, listed_address(first_address(message.headers().text(field)).address), "sender");
  }
  size_t looked = 0;
  for (const mime::Link& link : message.links()) {
    if (++looked > kMostLinks) return;
    if (!mail::starts_ignoring_case(link.url, kMailto)) continue;
    Objects::add_text(to.addresses, listed_address(address_within(std::string_view(link.url).substr(kMailto.size()))),
                      "link");
  }
}

void add_whole_links(const mime::Message& message, std::span<const std::string> attached, Objects& to) {
  size_t looked = 0;
  for (const mime::Link& link : message.links()) {
    if (++looked > kMostLinks) break;
    Objects::add_text(to.links, listed_link(behind_redirectors(link.url)), "link");
  }
  for (const std::string& link : attached) {
    Objects::add_text(to.links, listed_link(behind_redirectors(link)), "attachment");
  }
}

}  // namespace

std::string reversed(const mail::IpAddress& ip) {
  std::string name = net::reverse_name(ip);
  for (const std::string_view end : {".in-addr.arpa", ".ip6.arpa"}) {
    if (name.ends_with(end)) name.resize(name.size() - end.size());
  }
  return name;
}

std::string registered_domain(const std::string& host) {
  if (host.empty()) return {};
  const char* domain = psl_registrable_domain(psl_builtin(), host.c_str());
  return domain != nullptr ? std::string(domain) : std::string();
}

std::vector<ListQuestion> list_questions(std::span<const BlockList> lists, const std::vector<bool>& used,
                                         const mail::Client& client, const mail::Envelope& envelope,
                                         const mime::Message& message, size_t most) {
  const auto any = [&](ListKind kind) {
    for (size_t i = 0; i < lists.size(); ++i) {
      if (used[i] && lists[i].kind == kind) return true;
    }
    return false;
  };
  unsigned depth = 0;
  for (size_t i = 0; i < lists.size(); ++i) {
    if (!used[i]) continue;
    depth = std::max(depth, lists[i].received);
  }
  Objects objects;
  objects.add_ip(client.ip, "client", 0);
  add_received(message, depth, objects);
  const bool wants_domains = any(ListKind::domain), wants_links = any(ListKind::link);
  const auto attached = wants_domains || wants_links ? attached_links(message) : std::vector<std::string>();
  if (wants_domains) {
    add_senders(client, envelope, message, objects);
    add_links(message, attached, objects);
  }
  if (any(ListKind::email)) add_addresses(envelope, message, objects);
  if (wants_links) add_whole_links(message, attached, objects);
  std::vector<ListQuestion> questions;
  const auto ask = [&](size_t list, const Object& object, const std::string& label) {
    if (questions.size() < most) questions.push_back({list, label + "." + lists[list].zone, object.text, object.where});
  };
  for (size_t i = 0; i < lists.size(); ++i) {
    if (!used[i]) continue;
    if (lists[i].kind == ListKind::domain) {
      for (const Object& domain : objects.domains) ask(i, domain, domain.text);
    } else if (lists[i].kind == ListKind::email || lists[i].kind == ListKind::link) {
      const auto& hashed = lists[i].kind == ListKind::email ? objects.addresses : objects.links;
      for (const Object& object : hashed) ask(i, object, hash_label(lists[i].hash, object.text));
    } else {
      for (const Object& ip : objects.ips) {
        if (ip.received <= lists[i].received) ask(i, ip, reversed(ip.ip));
      }
    }
  }
  return questions;
}

}  // namespace doorward::filter
