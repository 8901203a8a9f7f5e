#include "mailauth/dkim_sign.h"

#include "mailauth/tag_list.h"

namespace doorward::mailauth {

std::string sign_dkim(SignedMail& mail, const SigningKey& key, const DkimSigning& signing) {
  const auto names = names_to_sign(mail, usual_fields(), fields_once_more());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(signing.now).time_since_epoch();
  SigningField field("DKIM-Signature");
  field.tag("v", "1");
  field.tag("a", text(key.algorithm()));
  field.tag("c", signing.body == Canonical::relaxed ? "relaxed/relaxed" : "relaxed/simple");
  field.tag("d", signing.domain);
  field.tag("s", signing.selector);
  if (!signing.identity.empty()) field.tag("i", signing.identity);
  field.tag("t", std::to_string(seconds.count()));
  if (signing.lifetime) field.tag("x", std::to_string((seconds + *signing.lifetime).count()));
  field.names(names);
  field.tag("bh", base64_text(hash_body(mail.body(), signing.body, std::nullopt).hash));
  field.value();

  std::string signed_text;
  const std::vector<std::string_view> views(names.begin(), names.end());
  mail.append_signed(signed_text, Canonical::relaxed, views, mail.fields().size());
  signed_text += field.unsigned_form();
  Sha256 hash;
  hash.add(signed_text);
  return field.signed_form(key.sign(hash.finish()), true);
}

}  // namespace doorward::mailauth
