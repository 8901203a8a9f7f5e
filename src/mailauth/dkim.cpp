#include "mailauth/dkim.h"

#include <algorithm>
#include <array>

#include "mail/ascii.h"
#include "mailauth/signature.h"
#include "mailauth/signature_check.h"

namespace doorward::mailauth {
namespace {

constexpr size_t kValueBegin = 8;

struct Candidate {
  size_t field = 0;  // its index among the mail's
  Signature signature;
};

DkimSignature described(const Signature& signature) {
  DkimSignature result;
  result.result = signature.fault;
  result.reason = signature.reason;
  result.domain = signature.domain;
  result.selector = signature.selector;
  result.identity = signature.identity;
  result.algorithm = signature.algorithm_name;
  result.value_begin = signature.value_text.substr(0, kValueBegin);
  result.length = signature.length;
  result.time = signature.time;
  result.expires = signature.expires;
  for (const std::string_view name : signature.names) result.names.push_back(mail::lowered(name));
  return result;
}

void refuse(DkimSignature& signature, Result result, std::string_view reason) {
  signature.result = result;
  signature.reason = reason;
}

// All that needs no key. The body comes last, since it costs most.
void judge_without_key(SignedMail& mail, const Signature& signature, const DkimOptions& options, DkimSignature& out) {
  if (mail.cut()) return refuse(out, Result::permerror, "the mail's header section is too long");
  if (const auto reason = untimely(signature, options.now, options.skew); !reason.empty()) {
    return refuse(out, Result::policy, reason);
  }
  const Checked body = check_body(mail, signature, out.unsigned_octets);
  if (body.result != Result::pass) refuse(out, body.result, body.reason);
}

}  // namespace

bool DkimOutcome::passed() const {
  return std::ranges::any_of(signatures, [](const auto& one) { return one.result == Result::pass; });
}

Result DkimOutcome::best() const {
  constexpr std::array kOrder{Result::pass,   Result::temperror, Result::fail,
                              Result::policy, Result::permerror, Result::neutral};
  for (const Result result : kOrder) {
    if (std::ranges::any_of(signatures, [&](const auto& one) { return one.result == result; })) return result;
  }
  return Result::none;
}

void hash_bodies(SignedMail& mail) {
  for (const mime::Header& field : mail.fields()) {
    const bool dkim = mail::equal_ignoring_case(field.name, "DKIM-Signature");
    if (!dkim && !mail::equal_ignoring_case(field.name, "ARC-Message-Signature")) continue;
    const auto signature = read_signature(dkim ? SignatureKind::dkim : SignatureKind::arc_message, field.value);
    if (signature.fault == Result::none) (void)mail.body_hash(signature.body, signature.length);
  }
}

Task<DkimOutcome> verify_dkim(net::Core& core, net::Resolver& resolver, SignedMail& mail, DkimOptions options) {
  DkimOutcome outcome;
  std::vector<Candidate> candidates;  // as long as outcome.signatures
  size_t readable = 0;
  for (size_t i = 0; i < mail.fields().size() && candidates.size() < options.fields; ++i) {
    const mime::Header& field = mail.fields()[i];
    if (!mail::equal_ignoring_case(field.name, "DKIM-Signature")) continue;
    candidates.push_back({i, read_signature(SignatureKind::dkim, field.value)});
    DkimSignature& out = outcome.signatures.emplace_back(described(candidates.back().signature));
    if (out.result != Result::none) continue;
    if (++readable > options.signatures) {
      refuse(out, Result::policy, "too many signatures");
      continue;
    }
    judge_without_key(mail, candidates.back().signature, options, out);
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (outcome.signatures[i].result == Result::none) names.push_back(candidates[i].signature.key_name());
  }
  const KeyLookup lookup{.deadline = options.deadline, .most = options.lookups, .cache = options.cache};
  co_await mail.keys().fetch(core, resolver, std::move(names), lookup);
  for (size_t i = 0; i < candidates.size(); ++i) {
    DkimSignature& out = outcome.signatures[i];
    if (out.result != Result::none) continue;
    const Signature& signature = candidates[i].signature;
    const Checked checked = check_value(signature, header_hash(mail, signature, candidates[i].field),
                                        mail.keys().at(signature.key_name()), true);
    refuse(out, checked.result, checked.reason);
    out.key_bits = checked.key_bits;
    out.testing = checked.testing;
    out.dnssec = checked.dnssec;
  }
  co_return outcome;
}

}  // namespace doorward::mailauth
