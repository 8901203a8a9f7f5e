// What an SPF check asks the DNS, within its limits (RFC 7208 §4.6.4): every question is counted, and the names of the
// client are asked for once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "mail/ip.h"
#include "net/resolver.h"

namespace doorward::mailauth {

// The name under which `expanded` is asked for: any octets, U-labels as A-labels. "" where no name can be made of it.
std::string spf_query_name(std::string_view expanded);

class SpfQueries {
 public:
  SpfQueries(net::Core& core, net::Resolver& resolver, const mail::IpAddress& ip, SteadyTime deadline, unsigned most)
      : core_(core), resolver_(resolver), ip_(ip), deadline_(deadline), most_(most) {}

  // `name` as spf_query_name() makes it; "" has no records. Beyond the budget every answer is a failure (no_room).
  Task<net::DnsAnswer> ask(std::string name, net::DnsType type);
  Task<net::DnsAnswer> ask_addresses(std::string name);  // A or AAAA, as the client's address is
  Task<std::vector<net::DnsAnswer>> ask_addresses(std::vector<std::string> names);  // at once; in order

  // Whether the client's address has a PTR name that leads back to it and is `domain` or stands below it (RFC 7208
  // §5.5). Failures of the DNS are no match.
  Task<bool> validated_below(std::string domain);
  // The name that %{p} stands for: `domain`, else one below it, else any that is validated (RFC 7208 §7.3).
  Task<std::string> validated_name(std::string domain);
  // After one of them: the client's address has no PTR record.
  bool pointers_void() const { return pointers_void_; }

  unsigned asked() const { return asked_; }
  bool exhausted() const { return exhausted_; }  // a question was not asked for want of budget

 private:
  struct Pointer {
    std::string name;
    std::optional<bool> valid{};
  };
  Task<void> find_pointers();
  // The first validated one of those that `wanted` marks; "" if there is none.
  Task<std::string> first_validated(std::vector<size_t> wanted);

  net::Core& core_;
  net::Resolver& resolver_;
  mail::IpAddress ip_;
  SteadyTime deadline_;
  unsigned most_;
  unsigned asked_ = 0;
  bool exhausted_ = false;
  bool pointers_known_ = false, pointers_void_ = false;
  std::vector<Pointer> pointers_;
};

}  // namespace doorward::mailauth
