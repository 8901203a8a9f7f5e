#include "filter/structure.h"

#include "filter/structure_signs.h"

namespace doorward::filter {
namespace {

std::vector<SymbolInfo> symbols() {
  const auto oddities = oddity_symbols();
  std::vector<SymbolInfo> all;
  all.reserve(std::size(kSignInfo) + oddities.size());
  for (const auto& sign : kSignInfo) all.push_back({.symbol = sign.symbol, .sentence = sign.sentence});
  all.insert(all.end(), oddities.begin(), oddities.end());
  return all;
}

class Structure final : public Filter {
 public:
  const FilterInfo& info() const override {
    static const FilterInfo info{
        .name = "structure",
        .sentence = "Looks at how the mail is made: header fields, MIME, HTML, links, attachments.",
        .scope = Scope::mail,
        .cost = Cost::cpu,
        .lowest = 0,
        .highest = 60,
        .default_weight = 1,
        .default_cap = 6,
        .symbols = symbols()};
    return info;
  }

  void judge(const Case& mail, sheet::Findings& findings) const override {
    Signs signs(mail, findings);
    check_times(signs);
    check_identity(signs);
    check_subject(signs);
    check_html(signs);
    check_links(signs);
    check_attachments(signs);
    check_texts(signs);
    check_oddities(signs);
  }
};

}  // namespace

const Filter& structure() {
  static const Structure filter;
  return filter;
}

}  // namespace doorward::filter
