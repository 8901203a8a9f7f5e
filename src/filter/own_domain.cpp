#include "filter/own_domain.h"

#include <algorithm>
#include <string>

#include "filter/evidence.h"
#include "filter/shown_address.h"

namespace doorward::filter {
namespace {

class OwnDomain final : public Filter {
 public:
  const FilterInfo& info() const override {
    static const FilterInfo info{
        .name = "own_domain",
        .sentence = "Looks for mail from outside in the name of one's own domain that nothing proves.",
        .scope = Scope::tenant,
        .cost = Cost::network,
        .lowest = 0,
        .highest = 4,
        .default_weight = 1,
        .default_cap = 4,
        .symbols = {{"own_domain_forged", "A stranger's server sends in the name of your own domain."},
                    {"own_domain_forwarded",
                     "Mail in the name of your own domain came over a mailing list, which proves itself."}}};
    return info;
  }

  void judge(const Case& mail, sheet::Findings& findings) const override {
    const auto& asked = mail.facts.authentication;
    // Of one's own networks nobody was asked, and nothing needs to be proven.
    if (mail.direction != sheet::Direction::inbound || !asked || !asked->spf_asked) return;
    for (const auto& claim : mail.input.claims) {
      if (mail.facts.proves(claim.domain)) continue;
      const auto& headers = mail.message.headers();
      const bool list = headers.count("List-Id") != 0 || headers.count("List-Post") != 0;
      const bool forwarded = list && mail.facts.proves_somebody();
      findings.push_back({.filter = "own_domain",
                          .symbol = forwarded ? "own_domain_forwarded" : "own_domain_forged",
                          .strength = forwarded ? 0.5 : 4,
                          .evidence = printable(claim.domain),
                          .owner = claim.customer});
    }
  }
};

}  // namespace

const Filter& own_domain() {
  static const OwnDomain filter;
  return filter;
}

}  // namespace doorward::filter
