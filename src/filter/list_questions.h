// What lists are asked about a mail: addresses it came from, domains it names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "filter/block_list.h"
#include "mail/envelope.h"
#include "mime/message.h"

namespace doorward::filter {

struct ListQuestion {
  size_t list = 0;         // its place among the lists
  std::string name;        // that is asked for: "1.2.0.192.bl.example.org"
  std::string object;      // of whom: "192.0.2.1", "example.org"
  std::string_view where;  // "client", "received", "link", "attachment", "sender", "signature", "helo"
};

// One for each list that is `used` and each of its objects, at most `most`; each object once, where it was met first.
// Private addresses, and domains that every mail names, are not asked.
std::vector<ListQuestion> list_questions(std::span<const BlockList> lists, const std::vector<bool>& used,
                                         const mail::Client& client, const mail::Envelope& envelope,
                                         const mime::Message& message, size_t most);

// "1.2.0.192" or the nibbles of IPv6 (RFC 5782 §2.1, §2.4).
std::string reversed(const mail::IpAddress& ip);

// The part of a host name that somebody registered, by the list of public suffixes: "a.b.example.co.uk" →
// "example.co.uk"; empty where it is a suffix itself. `host` in the form of dns_name().
std::string registered_domain(const std::string& host);

}  // namespace doorward::filter
