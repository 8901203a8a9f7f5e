#include "mailauth/arc_seal.h"

#include "mailauth/arc_set.h"
#include "mailauth/tag_list.h"

namespace doorward::mailauth {
namespace {

std::string seconds(SystemTime time) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

std::string hash_of(std::string_view text) {
  Sha256 hash;
  hash.add(text);
  return hash.finish();
}

std::vector<std::string> message_names(const SignedMail& mail, const ArcSealing& sealing) {
  if (!sealing.names.empty()) return sealing.names;
  std::vector<std::string_view> wanted(usual_fields().begin(), usual_fields().end());
  wanted.emplace_back("DKIM-Signature");
  return names_to_sign(mail, wanted, fields_once_more());
}

// Tags in alphabetical order, one blank between them: the form in which the test suites of others expect it, too.
std::string message_signature(SignedMail& mail, const SigningKey& key, const ArcSealing& sealing,
                              const std::string& instance) {
  const auto names = message_names(mail, sealing);
  SigningField field("ARC-Message-Signature");
  field.tag("a", text(key.algorithm()));
  field.value();
  field.tag("bh", base64_text(hash_body(mail.body(), Canonical::relaxed, std::nullopt).hash));
  field.tag("c", "relaxed/relaxed");
  field.tag("d", sealing.domain);
  field.names(names);
  field.tag("i", instance);
  field.tag("s", sealing.selector);
  field.tag("t", seconds(sealing.now));
  std::string covered;
  const std::vector<std::string_view> views(names.begin(), names.end());
  mail.append_signed(covered, Canonical::relaxed, views, mail.fields().size());
  covered += field.unsigned_form();
  return field.signed_form(key.sign(hash_of(covered)), sealing.folded);
}

// The sets that came with the mail, canonical; none of a chain that failed (RFC 8617 §5.1.2).
std::string earlier_sets(const SignedMail& mail, Result cv) {
  std::string text;
  if (cv != Result::pass) return text;
  for (const ArcSet& set : read_chain(mail).sets) {
    for (const size_t field : {set.results, set.message, set.seal}) {
      append_field(text, Canonical::relaxed, mail.raw(mail.fields()[field]));
    }
  }
  return text;
}

}  // namespace

doorward::Result<std::string> seal_arc(SignedMail& mail, const ArcOutcome& seen, const SigningKey& key,
                                       const ArcSealing& sealing) {
  if (seen.ended) return fail("the chain was sealed as failed: no set may be added", {}, Blame::peer);
  if (seen.instances >= kMostArcSets) return fail("the chain has as many sets as it may have", {}, Blame::peer);
  if (seen.cv == Result::pass) {
    const ArcChain chain = read_chain(mail);
    if (!chain.fault.empty() || chain.sets.size() != seen.instances) {
      return fail("the mail's chain is not the one that was verified");
    }
  }
  const std::string instance = std::to_string(seen.instances + 1);
  const std::string results = "ARC-Authentication-Results: i=" + instance + "; " + sealing.results + "\r\n";
  const std::string message = message_signature(mail, key, sealing, instance);

  SigningField seal("ARC-Seal");
  seal.tag("a", text(key.algorithm()));
  seal.value();
  seal.tag("cv", text(seen.cv));
  seal.tag("d", sealing.domain);
  seal.tag("i", instance);
  seal.tag("s", sealing.selector);
  seal.tag("t", seconds(sealing.now));
  std::string covered = earlier_sets(mail, seen.cv);
  append_field(covered, Canonical::relaxed, results);
  append_field(covered, Canonical::relaxed, message);
  covered += seal.unsigned_form();
  return seal.signed_form(key.sign(hash_of(covered)), sealing.folded) + message + results;
}

}  // namespace doorward::mailauth
