#include "action/subject_tag.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "action/encoded_text.h"
#include "mail/ascii.h"

namespace doorward::action {
namespace {

constexpr size_t kLongestTag = 60;  // bytes
constexpr size_t kLongField = 800;  // octets of a Subject field that gets the tag on a line of its own

std::string_view tag_for(sheet::Class klass, const Settings& settings) {
  switch (klass) {
    case sheet::Class::spam:
      return settings.subject_tag_spam;
    case sheet::Class::content:
      return settings.subject_tag_content;
    case sheet::Class::newsletter:
      return settings.subject_tag_newsletter;
    default:
      return {};
  }
}

// S/MIME (RFC 8551) and PGP/MIME (RFC 3156), and PGP in the text: their readers may protect the header too.
bool is_signed_or_encrypted(const mime::Message& message) {
  const bool by_type = std::ranges::any_of(message.parts(), [](const mime::Part& part) {
    if (part.type == "multipart") return part.subtype == "signed" || part.subtype == "encrypted";
    return part.type == "application" && (part.subtype == "pkcs7-mime" || part.subtype == "x-pkcs7-mime" ||
                                          part.subtype == "pgp-encrypted" || part.subtype == "pgp-signature");
  });
  return by_type || std::ranges::any_of(message.texts(), [](const mime::Text& text) {
           return text.visible.contains("-----BEGIN PGP MESSAGE-----") ||
                  text.visible.contains("-----BEGIN PGP SIGNED MESSAGE-----");
         });
}

class SubjectTag final : public Action {
 public:
  const ActionInfo& info() const override {
    const auto text = [](std::string_view name, std::string_view value, std::string_view sentence) {
      return config::OptionInfo{
          .name = name, .type = config::OptionType::text, .unit = "", .default_value = value, .sentence = sentence};
    };
    static const ActionInfo info{
        .name = "subject_tag",
        .sentence = "Puts a tag in front of the subject of mail that is delivered tagged.",
        .phase = Phase::verdict,
        .options = {text("subject_tag.spam", "*** SPAM ***", "The tag of spam; empty: none."),
                    text("subject_tag.content", "*** CF ***", "The tag of mail with unwanted content; empty: none."),
                    text("subject_tag.newsletter", "[PUB]", "The tag of newsletters; empty: none.")}};
    return info;
  }

  void on_verdict(const Verdicted& mail, MessageOutcome& outcome) const override {
    if (mail.verdict.disposition != sheet::Disposition::tag || mail.verdict.observed) return;
    const std::string_view tag = tag_for(mail.verdict.klass, mail.settings).substr(0, kLongestTag);
    if (tag.empty() || is_signed_or_encrypted(mail.message) || mail.message.subject().contains(tag)) return;
    // White space between two encoded words is not shown (RFC 2047 §6.2): the space after the tag goes into the word.
    std::string text = encoded_text(tag);
    text = text.starts_with("=?") ? encoded_text(std::string(tag) + " ") + " " : text + " ";
    bool any = false;
    for (const auto& field : mail.message.headers().fields()) {
      // Of several, mail programs show the first or the last.
      if (mail::equal_ignoring_case(field.name, "Subject"))
        any |= insert(mail.message.raw(), field, text, outcome.edits);
    }
    if (!any && mail.message.headers().find("Subject") == nullptr)
      outcome.edits.prepend("Subject: " + text.substr(0, text.size() - 1) + "\r\n");
  }

 private:
  static bool insert(std::string_view raw, const mime::Header& field, const std::string& text, mime::Edits& edits) {
    const auto value = static_cast<size_t>(field.value.data() - raw.data());
    const size_t spaces = std::min(field.value.find_first_not_of(" \t"), field.value.size());
    std::string inserted = (spaces == 0 ? " " : "") + text;
    if (field.length > kLongField) inserted += "\r\n ";
    return edits.add({.offset = value + spaces, .length = 0, .replacement = std::move(inserted)});
  }
};

}  // namespace

const Action& subject_tag() {
  static const SubjectTag action;
  return action;
}

}  // namespace doorward::action
