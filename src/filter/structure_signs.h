// The signs that the structure filter knows, and where its checks put them down; for src/filter/structure*.cpp alone.
#pragma once

#include <array>
#include <bitset>
#include <string>
#include <string_view>

#include "filter/evidence.h"
#include "filter/filter.h"

namespace doorward::filter {

// Symbol, strength (points at weight 1), sentence. Strengths follow the rates in docs/filters/structure.md.
#define DOORWARD_STRUCTURE_SIGNS(SIGN)                                                                                 \
  SIGN(date_missing, 1.0, "The mail has no Date field.")                                                               \
  SIGN(date_unreadable, 0.8, "The Date field holds no date.")                                                          \
  SIGN(date_zone_impossible, 1.5, "The Date field names a time zone that no place on earth has.")                      \
  SIGN(date_future, 1.5, "The mail is dated in the future.")                                                           \
  SIGN(date_past, 0.8, "The mail is dated more than four days before it arrived.")                                     \
  SIGN(date_after_received, 1.2, "The mail is dated hours after the first server took it in.")                         \
  SIGN(message_id_missing, 0.8, "The mail has no Message-ID.")                                                         \
  SIGN(message_id_malformed, 1.5, "The Message-ID is not of the form <left@right>.")                                   \
  SIGN(message_id_odd_domain, 0.2, "The Message-ID names an IP address or localhost instead of a domain.")             \
  SIGN(message_id_of_recipient, 1.0, "The Message-ID names the recipient's domain, but the sender is not of it.")      \
  SIGN(received_backwards, 0.8, "The Received fields tell of a way on which time went backwards by hours.")            \
  SIGN(received_unreadable, 0.3, "The newest Received field has no date or names no server.")                          \
  SIGN(from_missing, 1.5, "The mail has no From field.")                                                               \
  SIGN(from_unreadable, 1.0, "The From field holds no address.")                                                       \
  SIGN(from_shows_other_address, 1.0, "The name in the From field looks like an address, and not the sender's.")       \
  SIGN(from_name_mixed_scripts, 1.5,                                                                                   \
       "A word of the sender's name mixes Latin letters with look-alikes of other scripts.")                           \
  SIGN(to_missing, 0.0, "The mail has neither To nor Cc.")                                                             \
  SIGN(reply_to_freemail, 1.5, "Answers go to a freemail address of another domain than the sender's.")                \
  SIGN(subject_missing, 0.2, "The mail has no Subject.")                                                               \
  SIGN(subject_empty, 0.3, "The Subject is empty.")                                                                    \
  SIGN(subject_capitals, 1.2, "The Subject is written in capitals.")                                                   \
  SIGN(subject_needlessly_encoded, 0.8, "The Subject is encoded although it is plain ASCII.")                          \
  SIGN(subject_mixed_scripts, 1.5, "A word of the Subject mixes Latin letters with look-alikes of other scripts.")     \
  SIGN(header_duplicate, 0.8, "A header field that may stand once stands several times.")                              \
  SIGN(outlook_express_forged, 1.5, "The mail claims to come from Outlook Express, whose Message-IDs look otherwise.") \
  SIGN(html_only, 1.0, "The mail is HTML without a plain text form.")                                                  \
  SIGN(html_hidden_text, 0.8, "A large part of the HTML text is hidden from the eye.")                                 \
  SIGN(html_image_only, 1.5, "The HTML shows images and hardly any text.")                                             \
  SIGN(html_form, 0.4, "The HTML contains a form to fill in.")                                                         \
  SIGN(html_password, 2.0, "The HTML asks for a password.")                                                            \
  SIGN(html_script, 0.8, "The HTML contains a script.")                                                                \
  SIGN(html_frame, 0.0, "The HTML contains a frame or an embedded object.")                                            \
  SIGN(html_refresh, 1.5, "The HTML sends the reader on to another page.")                                             \
  SIGN(html_data_url, 0.5, "The HTML carries a page or image within a link of its own.")                               \
  SIGN(link_ip, 2.0, "A link goes to a bare IP address.")                                                              \
  SIGN(link_port, 0.8, "A link goes to an unusual port.")                                                              \
  SIGN(link_user_info, 2.0, "A link hides its target behind a user name.")                                             \
  SIGN(link_punycode, 0.8, "A link goes to an internationalised domain name.")                                         \
  SIGN(link_shows_other_domain, 0.5, "The text of a link shows another domain than the link goes to.")                 \
  SIGN(link_odd_scheme, 1.0, "A link runs a script or opens data.")                                                    \
  SIGN(attachment_executable, 2.0, "An attachment is a program or script by its name.")                                \
  SIGN(attachment_double_extension, 3.0, "An attachment hides a program behind a second file extension.")              \
  SIGN(attachment_html, 1.0, "A web page is attached as a file.")                                                      \
  SIGN(attachment_name_disguised, 3.0, "The name of an attachment is disguised by invisible or reversing characters.") \
  SIGN(text_needlessly_base64, 0.5, "Text of plain ASCII is encoded in base64.")                                       \
  SIGN(text_invisible_in_words, 1.5, "Invisible characters stand within words.")                                       \
  SIGN(text_mixed_scripts, 1.0, "Words of the text mix Latin letters with look-alikes of other scripts.")

enum class Sign : size_t {
#define DOORWARD_SIGN(symbol, strength, sentence) symbol,
  DOORWARD_STRUCTURE_SIGNS(DOORWARD_SIGN)
#undef DOORWARD_SIGN
      count_
};
inline constexpr size_t kSigns = static_cast<size_t>(Sign::count_);

struct SignInfo {
  std::string_view symbol;
  double strength;
  std::string_view sentence;
};
inline constexpr std::array<SignInfo, kSigns> kSignInfo{{
#define DOORWARD_SIGN(symbol, strength, sentence) {#symbol, strength, sentence},
    DOORWARD_STRUCTURE_SIGNS(DOORWARD_SIGN)
#undef DOORWARD_SIGN
}};

// One mail's signs, each put down once.
class Signs {
 public:
  Signs(const Case& mail, sheet::Findings& findings) : mail_(mail), findings_(findings) {}
  const Case& mail() const { return mail_; }
  const mime::Message& message() const { return mail_.message; }
  bool has(Sign sign) const { return seen_[static_cast<size_t>(sign)]; }
  void found(Sign sign, std::string_view evidence = {}) {
    const auto index = static_cast<size_t>(sign);
    if (seen_[index]) return;
    seen_.set(index);
    add(kSignInfo[index].symbol, kSignInfo[index].strength, evidence);
  }
  // `symbol` is a literal.
  void add(std::string_view symbol, double strength, std::string_view evidence) {
    findings_.push_back(
        {.filter = "structure", .symbol = symbol, .strength = strength, .evidence = printable(evidence)});
  }

 private:
  const Case& mail_;
  sheet::Findings& findings_;
  std::bitset<kSigns> seen_;
};

// The checks, by topic.
void check_times(Signs& signs);     // Date, Received
void check_identity(Signs& signs);  // Message-ID, From, To, Reply-To, mail client
void check_subject(Signs& signs);   // Subject; fields that stand twice
void check_html(Signs& signs);
void check_links(Signs& signs);
void check_attachments(Signs& signs);
void check_texts(Signs& signs);     // encodings, invisible characters, mixed scripts
void check_oddities(Signs& signs);  // what the parser noted
std::vector<SymbolInfo> oddity_symbols();

// Whether a word of the text has Latin letters and look-alikes of another script; the word, or nothing.
std::string mixed_script_word(std::string_view utf8);

}  // namespace doorward::filter
