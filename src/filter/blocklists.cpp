#include "filter/blocklists.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "filter/evidence.h"

namespace doorward::filter {
namespace {

// By kind of list.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kSymbols{
    {{"address_listed", "address_known_good"},
     {"domain_listed", "domain_known_good"},
     {"mail_address_listed", "mail_address_known_good"},
     {"link_listed", "link_known_good"}}};

class Blocklists final : public Filter {
 public:
  const FilterInfo& info() const override {
    static const FilterInfo info{
        .name = "blocklists",
        .sentence =
            "Asks public lists about the servers that had the mail and the domains, addresses and links that it names.",
        .scope = Scope::mail,
        .cost = Cost::network,
        .lowest = -10,
        .highest = 100,
        .default_weight = 1,
        .default_cap = 7,
        .symbols = {
            {"address_listed", "A server that had the mail stands on a list of those that send spam."},
            {"address_known_good", "A server that had the mail stands on a list of trustworthy ones."},
            {"domain_listed", "A domain that the mail names stands on a list of those found in spam."},
            {"domain_known_good", "A domain that the mail names stands on a list of trustworthy ones."},
            {"mail_address_listed", "A mail address that the mail names stands on a list of those found in spam."},
            {"mail_address_known_good", "A mail address that the mail names stands on a list of good ones."},
            {"link_listed", "A link of the mail stands on a list of those found in spam."},
            {"link_known_good", "A link of the mail stands on a list of good ones."}}};
    return info;
  }

  void judge(const Case& mail, sheet::Findings& findings) const override {
    for (const ListHit& hit : mail.facts.list_hits) {
      const bool good = hit.points < sheet::Points();
      const auto& [listed, known_good] = kSymbols.at(static_cast<size_t>(hit.kind));
      const std::string_view symbol = good ? known_good : listed;
      findings.push_back(
          {.filter = "blocklists",
           .symbol = symbol,
           .strength = hit.points.value(),
           .evidence = printable(fmt::format("{} ({}): {} {}", hit.object, hit.where, hit.list, hit.codes), 200),
           .own_points = hit.points});
    }
  }
};

}  // namespace

const Filter& blocklists() {
  static const Blocklists filter;
  return filter;
}

}  // namespace doorward::filter
