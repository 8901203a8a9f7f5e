#include "filter/facts.h"

#include <algorithm>

#include "mail/ascii.h"

namespace doorward::filter {
namespace {

// "example.org" for itself and for "mail.example.org"; single labels stand for nobody.
bool speaks_for(std::string_view proven, std::string_view domain) {
  if (!proven.contains('.') || proven.size() > domain.size()) return false;
  const size_t at = domain.size() - proven.size();
  return mail::equal_ignoring_case(domain.substr(at), proven) && (at == 0 || domain[at - 1] == '.');
}

// What l= leaves unsigned is anybody's.
bool is_whole(const mailauth::DkimSignature& signature) {
  return signature.result == mailauth::Result::pass && signature.unsigned_octets == 0;
}

}  // namespace

bool Facts::proves(std::string_view domain) const {
  if (!authentication) return false;
  const auto& of = *authentication;
  if (of.spf.result == mailauth::Result::pass && speaks_for(of.spf.domain, domain)) return true;
  if (of.dmarc.result == mailauth::Result::pass && of.dmarc.whole &&
      mail::equal_ignoring_case(of.dmarc.author_domain, domain)) {
    return true;
  }
  return std::ranges::any_of(of.dkim.signatures, [&](const auto& signature) {
    return is_whole(signature) && speaks_for(signature.domain, domain);
  });
}

bool Facts::proves_somebody() const {
  return authentication && (authentication->spf.result == mailauth::Result::pass ||
                            std::ranges::any_of(authentication->dkim.signatures, is_whole));
}

}  // namespace doorward::filter
