#include <algorithm>

#include "filter/structure_signs.h"

namespace doorward::filter {
namespace {

constexpr size_t kHiddenCharacters = 100;  // fewer are a preview line, or counting pixels' names
constexpr size_t kHardlyAnyText = 80;      // characters

bool has_leaf(const mime::Message& message, std::string_view subtype) {
  return std::ranges::any_of(message.parts(), [&](const mime::Part& part) {
    return part.is_text() && part.subtype == subtype && !part.is_attachment();
  });
}

}  // namespace

void check_html(Signs& signs) {
  const auto& message = signs.message();
  if (!has_leaf(message, "html")) return;
  if (!has_leaf(message, "plain")) signs.found(Sign::html_only);
  const mime::HtmlFacts& html = message.html();
  if (html.hidden_characters >= kHiddenCharacters && html.hidden_characters * 3 > html.visible_characters) {
    signs.found(Sign::html_hidden_text, std::to_string(html.hidden_characters) + " characters hidden, " +
                                            std::to_string(html.visible_characters) + " visible");
  }
  if (html.images > 0 && html.visible_characters < kHardlyAnyText) signs.found(Sign::html_image_only);
  if (html.forms > 0) signs.found(Sign::html_form);
  if (html.password_fields > 0) signs.found(Sign::html_password);
  if (html.scripts > 0 || html.event_handlers > 0) signs.found(Sign::html_script);
  if (html.iframes > 0 || html.objects > 0) signs.found(Sign::html_frame);
  if (html.meta_refresh > 0) signs.found(Sign::html_refresh);
  if (html.data_urls > 0) signs.found(Sign::html_data_url);
}

}  // namespace doorward::filter
