#include "mailauth/arc.h"

#include "mailauth/arc_set.h"
#include "mailauth/signature_check.h"

namespace doorward::mailauth {
namespace {

std::string at(unsigned instance) { return " of i=" + std::to_string(instance); }

void refuse(ArcOutcome& outcome, std::string reason) {
  outcome.cv = Result::fail;
  outcome.reason = std::move(reason);
}

// §5.2 step 3 C, and what can be known of the signatures without a key.
bool sound(const ArcChain& chain, ArcOutcome& outcome) {
  const auto highest = static_cast<unsigned>(chain.sets.size());
  for (unsigned i = highest; i >= 1; --i) {
    const Signature& seal = chain.sets[i - 1].seal_signature;
    if (seal.fault != Result::none) {
      refuse(outcome, "ARC-Seal" + at(i) + ": " + seal.reason);
      return false;
    }
    if (seal.tags.value("cv").value_or("") != (i == 1 ? "none" : "pass")) {
      refuse(outcome, "ARC-Seal" + at(i) + ": cv= is wrong");
      return false;
    }
  }
  return true;
}

// §5.1.1: each seal covers all sets up to its own, in the order results, message signature, seal.
std::vector<std::string> seal_hashes(const SignedMail& mail, const ArcChain& chain) {
  std::vector<std::string> hashes;
  Sha256 running;
  for (const ArcSet& set : chain.sets) {
    const mime::Header& seal = mail.fields()[set.seal];
    std::string text;
    append_field(text, Canonical::relaxed, mail.raw(mail.fields()[set.results]));
    append_field(text, Canonical::relaxed, mail.raw(mail.fields()[set.message]));
    running.add(text);
    Sha256 here(running);
    text.clear();
    append_signing_field(text, Canonical::relaxed, mail.raw(seal), set.seal_signature.tags, mail.value_at(seal));
    here.add(text);
    hashes.push_back(here.finish());
    text.clear();
    append_field(text, Canonical::relaxed, mail.raw(seal));
    running.add(text);
  }
  return hashes;
}

// Without c= a signature is simple/simple (RFC 6376 §3.5). The ARC suites have a seal without it that is meant to hold
// and holds as relaxed/relaxed alone: so that reading is tried where the first fails.
std::optional<Signature> other_reading(const Signature& signature) {
  if (signature.tags.find("c") != nullptr) return std::nullopt;
  Signature other = signature;
  other.header = other.body = Canonical::relaxed;
  return other;
}

// Of the message signature, all that needs no key.
Checked check_message(SignedMail& mail, const Signature& signature, const ArcOptions& options) {
  if (signature.fault != Result::none) return {.result = Result::fail, .reason = signature.reason};
  if (const auto reason = untimely(signature, options.now, options.skew); reason == "expired") {
    return {.result = Result::fail, .reason = std::string(reason)};
  }
  uint64_t unsigned_octets = 0;
  Checked checked = check_body(mail, signature, unsigned_octets);
  if (checked.result == Result::pass) return checked;
  const auto other = other_reading(signature);
  return other ? check_body(mail, *other, unsigned_octets) : checked;
}

Checked check_message_value(SignedMail& mail, const ArcSet& set, const FoundKeys& keys) {
  const Signature& signature = set.message_signature;
  uint64_t unsigned_octets = 0;
  Checked checked = check_body(mail, signature, unsigned_octets);
  if (checked.result == Result::pass) {
    checked = check_value(signature, header_hash(mail, signature, set.message), keys, false);
  }
  const auto other = other_reading(signature);
  if (checked.result == Result::pass || !other) return checked;
  const Checked body = check_body(mail, *other, unsigned_octets);
  return body.result == Result::pass ? check_value(*other, header_hash(mail, *other, set.message), keys, false) : body;
}

bool holds(const Checked& checked, std::string what, ArcOutcome& outcome) {
  if (checked.result == Result::pass) return true;
  outcome.temporary = checked.result == Result::temperror;
  refuse(outcome, what + ": " + checked.reason);
  return false;
}

Task<unsigned> oldest_pass(net::Core& core, net::Resolver& resolver, SignedMail& mail, const ArcChain& chain,
                           const ArcOptions& options) {
  const KeyLookup lookup{.deadline = options.deadline, .most = options.lookups, .cache = options.cache};
  for (auto i = static_cast<unsigned>(chain.sets.size()) - 1; i >= 1; --i) {
    const ArcSet& set = chain.sets[i - 1];
    if (check_message(mail, set.message_signature, options).result != Result::pass) co_return i + 1;
    const std::string name = set.message_signature.key_name();
    std::vector<std::string> names{name};
    co_await mail.keys().fetch(core, resolver, std::move(names), lookup);
    if (check_message_value(mail, set, mail.keys().at(name)).result != Result::pass) co_return i + 1;
  }
  co_return 0U;
}

void describe(const ArcChain& chain, ArcOutcome& outcome) {
  for (const ArcSet& set : chain.sets) {
    outcome.sealers.push_back({.domain = set.seal_signature.domain,
                               .selector = set.seal_signature.selector,
                               .message_domain = set.message_signature.domain,
                               .time = set.seal_signature.time,
                               .results = set.payload});
  }
}

}  // namespace

Task<ArcOutcome> verify_arc(net::Core& core, net::Resolver& resolver, SignedMail& mail, ArcOptions options) {
  ArcOutcome outcome;
  const ArcChain chain = read_chain(mail);
  outcome.instances = chain.highest;
  if (!chain.present) co_return outcome;
  outcome.ended = chain.highest != 0 && chain.sets.back().seal_signature.tags.value("cv") == "fail";
  if (outcome.ended || !chain.fault.empty()) {
    refuse(outcome, outcome.ended ? "sealed as failed by i=" + std::to_string(chain.highest) : chain.fault);
    co_return outcome;
  }
  describe(chain, outcome);
  if (!sound(chain, outcome)) co_return outcome;
  const ArcSet& newest = chain.sets.back();
  const std::string message = "ARC-Message-Signature" + at(chain.highest);
  if (!holds(check_message(mail, newest.message_signature, options), message, outcome)) co_return outcome;

  std::vector<std::string> names{newest.message_signature.key_name()};
  for (const ArcSet& set : chain.sets) names.push_back(set.seal_signature.key_name());
  const KeyLookup lookup{.deadline = options.deadline, .most = options.lookups, .cache = options.cache};
  co_await mail.keys().fetch(core, resolver, std::move(names), lookup);
  const auto& keys = mail.keys();
  if (!holds(check_message_value(mail, newest, keys.at(newest.message_signature.key_name())), message, outcome)) {
    co_return outcome;
  }
  const auto hashes = seal_hashes(mail, chain);
  for (unsigned i = chain.highest; i >= 1; --i) {
    const Signature& seal = chain.sets[i - 1].seal_signature;
    const Checked checked = check_value(seal, hashes[i - 1], keys.at(seal.key_name()), false);
    if (!holds(checked, "ARC-Seal" + at(i), outcome)) co_return outcome;
  }
  outcome.cv = Result::pass;
  outcome.oldest_pass = chain.highest;
  if (options.oldest_pass) outcome.oldest_pass = co_await oldest_pass(core, resolver, mail, chain, options);
  co_return outcome;
}

}  // namespace doorward::mailauth
