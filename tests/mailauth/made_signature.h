// DKIM signatures that no signer of ours makes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mailauth/dkim_sign.h"
#include "mailauth/signature_check.h"
#include "mailauth/tag_list.h"

namespace doorward::mailauth::test {

// Signs with any tags and any h=, as no well-behaved signer would.
using Tags = std::vector<std::pair<std::string, std::string>>;
inline std::string sign_with(const SigningKey& key, std::string_view raw, Tags tags, std::string h = "from:to",
                             std::string body_hash = {}) {
  SignedMail mail(raw);
  SigningField field("DKIM-Signature");
  std::map<std::string, std::string> all{
      {"v", "1"}, {"a", "ed25519-sha256"}, {"c", "relaxed/relaxed"}, {"d", "example.org"}, {"s", "ed"}};
  if (body_hash.empty()) body_hash = base64_text(mail.body_hash(Canonical::relaxed, std::nullopt)->hash);
  all["bh"] = body_hash;
  all["h"] = h;
  for (const auto& [name, value] : tags) all[name] = value;
  std::erase_if(all, [](const auto& tag) { return tag.second == "-"; });
  for (const auto& [name, value] : all) field.tag(name, value);
  field.value();
  std::string text;
  mail.append_signed(text, Canonical::relaxed, colon_list(h), mail.fields().size());
  Sha256 hash;
  hash.add(text + field.unsigned_form());
  return field.signed_form(key.sign(hash.finish()), true) + std::string(raw);
}

}  // namespace doorward::mailauth::test
