#include "filter/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "filter/evidence.h"
#include "mail/ascii.h"

namespace doorward::filter {
namespace {

using mailauth::Result;

// Whether the name is one that a provider gives to every address: it has the address in it.
// "host-192-0-2-7.isp.example", "7.2.0.192.dyn.isp.example", "c0000207.isp.example".
bool names_its_address(std::string_view name, const mail::IpAddress& ip) {
  if (!ip.is_v4()) return false;
  const uint32_t bits = ip.v4_bits();
  const unsigned a = bits >> 24, b = bits >> 16 & 0xFF, c = bits >> 8 & 0xFF, d = bits & 0xFF;
  std::string plain = mail::lowered(name);
  std::ranges::replace_if(plain, [](char x) { return x == '-' || x == '_' || x == 'x'; }, '.');
  const auto within = [&](const std::string& digits) {
    const size_t at = plain.find(digits);
    if (at == std::string::npos) return false;
    const bool begins = at == 0 || !mail::is_digit(plain[at - 1]);
    const size_t end = at + digits.size();
    return begins && (end == plain.size() || !mail::is_digit(plain[end]));
  };
  return within(fmt::format("{}.{}.{}.{}", a, b, c, d)) || within(fmt::format("{}.{}.{}.{}", d, c, b, a)) ||
         within(fmt::format("{:03}.{:03}.{:03}.{:03}", a, b, c, d)) || plain.contains(fmt::format("{:08x}", bits));
}

bool is_address(std::string_view helo) { return mail::IpAddress::parse(helo).has_value(); }

class Client final : public Filter {
 public:
  const FilterInfo& info() const override {
    static const FilterInfo info{
        .name = "client",
        .sentence = "Looks at the server that hands the mail in: the name of its address, and how it greets.",
        .scope = Scope::mail,
        .cost = Cost::network,
        .lowest = 0,
        .highest = 4.5,
        .default_weight = 1,
        .default_cap = 4,
        .symbols = {
            {"reverse_name_missing", "The address of the sending server has no name."},
            {"reverse_name_unconfirmed", "The name of the sending server's address does not lead back to it."},
            {"reverse_name_generic", "The sending server has a name as providers give to every connection."},
            {"helo_ours", "The sending server greets with a name of ours."},
            {"helo_address", "The sending server greets with an address instead of a name."},
            {"helo_not_qualified", "The sending server greets with a name that can be nobody's in the world."}}};
    return info;
  }

  void judge(const Case& mail, sheet::Findings& findings) const override {
    const auto& asked = mail.facts.authentication;
    // Programs of one's own networks greet as they like.
    if (mail.direction != sheet::Direction::inbound || !asked || !asked->spf_asked) return;
    judge_name(mail, asked->iprev, findings);
    judge_greeting(mail, findings);
  }

 private:
  static void add(sheet::Findings& findings, std::string_view symbol, double strength, std::string_view evidence) {
    findings.push_back({.filter = "client", .symbol = symbol, .strength = strength, .evidence = printable(evidence)});
  }
  static void judge_name(const Case& mail, const mailauth::IprevOutcome& iprev, sheet::Findings& findings) {
    if (iprev.result == Result::permerror) {
      add(findings, "reverse_name_missing", 1, mail.client.ip.text());
    } else if (iprev.result == Result::fail) {
      add(findings, "reverse_name_unconfirmed", 0.8, iprev.name);
    } else if (iprev.result == Result::pass && names_its_address(iprev.name, mail.client.ip)) {
      add(findings, "reverse_name_generic", 1, iprev.name);
    }
  }
  static void judge_greeting(const Case& mail, sheet::Findings& findings) {
    const std::string& helo = mail.client.helo;
    if (mail.facts.helo_is_ours) return add(findings, "helo_ours", 2.5, helo);
    if (helo.starts_with('[')) return;  // RFC 5321 §4.1.3 allows it where there is no name
    if (is_address(helo)) return add(findings, "helo_address", 1.5, helo);
    if (!helo.contains('.')) add(findings, "helo_not_qualified", 1, helo);
  }
};

}  // namespace

const Filter& client() {
  static const Client filter;
  return filter;
}

}  // namespace doorward::filter
