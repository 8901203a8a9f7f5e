// A list that is asked over the DNS (RBL, SURBL …): what it is asked for, and what its answers mean (RFC 5782).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "filter/hashed_object.h"
#include "mail/ip.h"
#include "sheet/points.h"

namespace doorward::filter {

enum class ListKind : uint8_t {
  ip,      // addresses: of the client, and of servers that had the mail before
  domain,  // domains: of links, and of the sender
  email,   // hashes of mail addresses: of the sender, of answers, of mailto: links
  link,    // hashes of links
};

// What an address in an answer means: "127.0.0.2 = 3", "127.0.0.4-7 = 2.5", "127.0.*.3 = -2", "127.0.0.&8 = 3" (bit 8
// of the last number is set).
struct ListCode {
  struct Octet {
    uint8_t from = 0, to = 255;
    uint8_t bits = 0;  // that must be set; 0: the range counts
  };
  std::array<Octet, 4> octets;
  sheet::Points points;  // negative: a bonus

  bool matches(uint32_t answer) const;
};
Result<ListCode> parse_list_code(std::string_view text);
std::string text_of(const ListCode& code);

struct BlockList {
  std::string name{};  // for score sheets and metrics
  std::string zone{};  // "bl.example.org"
  ListKind kind = ListKind::ip;
  ListHash hash = ListHash::sha1;  // of kinds email and link
  bool on = true;
  bool tested = true;             // it has the entries for tests of RFC 5782 §5, and is used only while they are right
  unsigned received = 0;          // ip: of how many Received fields, from the top, the address is asked too
  std::vector<ListCode> codes{};  // all that match count
  std::vector<std::string> servers{};  // that are asked, as 192.0.2.53 or 192.0.2.53@5353; none: those of the zone
};

// Lists that may be used without a licence by sites of moderate traffic; those that need one are there, and off.
std::vector<BlockList> default_block_lists();

// What an answer is worth.
struct ListVerdict {
  enum class Kind : uint8_t { not_listed, listed, failed } kind = Kind::not_listed;
  sheet::Points points;  // of all codes together
  std::string codes{};   // "127.0.0.2 127.0.0.10"
};
// Addresses outside of 127.0.0.0/8, and those by which lists refuse an answer (127.255.255.0/24, 127.0.0.1 where no
// code names it), are failures: a domain that was sold answers everything.
ListVerdict verdict_of(const BlockList& list, const std::vector<mail::IpAddress>& answers);

}  // namespace doorward::filter
