// DMARC records, and the tree walk's names: bounded, and read alike when written again.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "mailauth/dmarc_record.h"
#include "mailauth/dmarc_walk.h"
#include "net/dns_answer.h"

using namespace doorward::mailauth;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void try_uris(const std::vector<std::string>& uris) {
  require(uris.size() <= kMostDmarcUris);
  for (const std::string& uri : uris) {
    require(uri.find(':') != std::string::npos && uri.find_first_of(",;! \r\n") == std::string::npos);
  }
}

std::string written(const DmarcRecord& record) {
  std::string text = "v=DMARC1";
  const auto add = [&](std::string_view tag, const std::optional<DmarcPolicy>& policy) {
    if (policy) text.append(";").append(tag).append("=").append(doorward::mailauth::text(*policy));
  };
  add("p", record.policy);
  add("sp", record.subdomains);
  add("np", record.nonexistent);
  if (record.strict_dkim) text += ";adkim=s";
  if (record.strict_spf) text += ";aspf=s";
  if (record.testing) text += ";t=y";
  if (record.suffix != DmarcSuffix::unsaid) text += record.suffix == DmarcSuffix::yes ? ";psd=y" : ";psd=n";
  if (!record.aggregate.empty()) {
    text += ";rua=";
    for (const std::string& uri : record.aggregate) text.append(uri).append(",");
  }
  return text;
}

void try_record(std::string_view text) {
  const auto record = parse_dmarc_record(text);
  if (!record) return;
  try_uris(record->aggregate);
  require(record->aggregate_limits.size() == record->aggregate.size());
  try_uris(record->failure);
  const std::string shorter = written(*record);
  if (shorter.size() > kMostDmarcRecord) return;
  const auto again = parse_dmarc_record(shorter);
  require(again.has_value());
  require(again->policy == record->policy && again->subdomains == record->subdomains);
  require(again->nonexistent == record->nonexistent && again->suffix == record->suffix);
  require(again->strict_dkim == record->strict_dkim && again->strict_spf == record->strict_spf);
  require(again->testing == record->testing && again->aggregate == record->aggregate);
}

void try_walk(std::string_view text) {
  const std::string domain = doorward::net::dns_name(text);
  if (domain.empty()) return;
  const auto targets = dmarc_walk_targets(domain);
  require(!targets.empty() && targets.size() <= 8 && targets.front() == domain);
  require(targets.back().find('.') == std::string_view::npos);
  DmarcWalk walk;
  walk.start = domain;
  walk.whole = true;
  for (const std::string_view target : targets) {
    walk.found.push_back({std::string(target), {}});
    require(domain.ends_with(walk.organizational_domain()));
    walk.found.back().record.suffix = DmarcSuffix::yes;
    const std::string organization = walk.organizational_domain();
    require(!organization.empty() && domain.ends_with(organization) && organization.size() >= target.size());
    walk.found.back().record.suffix = DmarcSuffix::unsaid;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_record(text);
  try_walk(text);
  return 0;
}
