#include "filter/blocklists.h"

#include <fmt/format.h>

#include <string>

#include "filter/evidence.h"

namespace doorward::filter {
namespace {

class Blocklists final : public Filter {
 public:
  const FilterInfo& info() const override {
    static const FilterInfo info{
        .name = "blocklists",
        .sentence = "Asks public lists about the servers that had the mail and the domains that it names.",
        .scope = Scope::mail,
        .cost = Cost::network,
        .lowest = -10,
        .highest = 100,
        .default_weight = 1,
        .default_cap = 7,
        .symbols = {{"address_listed", "A server that had the mail stands on a list of those that send spam."},
                    {"address_known_good", "A server that had the mail stands on a list of trustworthy ones."},
                    {"domain_listed", "A domain that the mail names stands on a list of those found in spam."},
                    {"domain_known_good", "A domain that the mail names stands on a list of trustworthy ones."}}};
    return info;
  }

  void judge(const Case& mail, sheet::Findings& findings) const override {
    for (const ListHit& hit : mail.facts.list_hits) {
      const bool good = hit.points < sheet::Points();
      const std::string_view symbol = hit.kind == ListKind::ip ? (good ? "address_known_good" : "address_listed")
                                                               : (good ? "domain_known_good" : "domain_listed");
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
