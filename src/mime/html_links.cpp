#include "mime/html_links.h"

#include "mime/chars.h"
#include "mime/entities.h"
#include "mime/urls.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMaxShown = 512;

}  // namespace

void HtmlLinks::of(Tag tag, const Attributes& a, const Sight& sight) {
  const bool hidden = sight.hidden;
  switch (tag) {
    case Tag::a:
      begin(a, sight);
      break;
    case Tag::area:
      add(a[Attribute::href], LinkSource::html_href, hidden);
      break;
    case Tag::base:
      if (base_.empty() && a.has(Attribute::href))
        base_ = openable(decode_attribute(a[Attribute::href].substr(0, 4096)));
      break;
    case Tag::form:
      ++facts_.forms;
      add(a[Attribute::action], LinkSource::html_form, hidden);
      break;
    case Tag::input:
      if (iequals(a[Attribute::type], "password")) ++facts_.password_fields;
      if (a.has(Attribute::src)) add(a[Attribute::src], LinkSource::html_image, hidden);
      add(a[Attribute::formaction], LinkSource::html_form, hidden);
      break;
    case Tag::button:
      add(a[Attribute::formaction], LinkSource::html_form, hidden);
      break;
    case Tag::img:
      image(a, sight.picture_hidden);
      break;
    case Tag::iframe:
    case Tag::frame:
      ++facts_.iframes;
      add(a[Attribute::src], LinkSource::html_other, hidden);
      break;
    case Tag::object:
    case Tag::embed:
    case Tag::applet:
      ++facts_.objects;
      add(a.has(Attribute::data) ? a[Attribute::data] : a[Attribute::src], LinkSource::html_other, hidden);
      break;
    case Tag::script:
      ++facts_.scripts;
      add(a[Attribute::src], LinkSource::html_other, hidden);
      break;
    case Tag::meta:
      meta(a);
      break;
    default:
      if (a.has(Attribute::href)) add(a[Attribute::href], LinkSource::html_other, hidden);
      if (a.has(Attribute::src)) add(a[Attribute::src], LinkSource::html_other, hidden);
      break;
  }
  if (a.has(Attribute::background)) add(a[Attribute::background], LinkSource::html_image, hidden);
  if (a.has(Attribute::poster)) add(a[Attribute::poster], LinkSource::html_image, hidden);
}

void HtmlLinks::image(const Attributes& a, bool hidden) {
  ++facts_.images;
  const std::string_view source = trim(a[Attribute::src].substr(0, 4096));
  if (istarts_with(source, "http") || source.starts_with("//")) ++facts_.remote_images;
  add(source, LinkSource::html_image, hidden);
}

// <meta http-equiv=refresh content="0; url=…">
void HtmlLinks::meta(const Attributes& a) {
  if (!iequals(trim(a[Attribute::http_equiv]), "refresh")) return;
  ++facts_.meta_refresh;
  const std::string content = decode_attribute(a[Attribute::content].substr(0, 4096));
  const size_t at = ifind(content, "url");
  const size_t equals = at == kNone ? kNone : content.find('=', at);
  if (equals == kNone) return;
  std::string_view url = trim(std::string_view(content).substr(equals + 1));
  if (!url.empty() && (url.front() == '\'' || url.front() == '"')) {
    const char quote = url.front();
    url.remove_prefix(1);
    url = url.substr(0, url.find(quote));
  }
  add_decoded(url, LinkSource::html_other, false);
}

bool HtmlLinks::add(std::string_view url, LinkSource source, bool hidden) {
  if (url.empty() || url.front() == '#') return false;
  url = cut_utf8(url, 8192);
  return url.find('&') == kNone ? add_decoded(url, source, hidden) : add_decoded(decode_attribute(url), source, hidden);
}

bool HtmlLinks::add_decoded(std::string_view url, LinkSource source, bool hidden) {
  std::string opened = openable(url, base_);
  if (opened.empty() || istarts_with(opened, "cid:")) return false;
  if (istarts_with(opened, "data:")) {
    ++facts_.data_urls;
    return false;
  }
  if (links_.size() >= most_) return false;
  links_.push_back({.url = std::move(opened), .shown = {}, .source = source, .part = part_, .hidden = hidden});
  return true;
}

void HtmlLinks::begin(const Attributes& attributes, const Sight& sight) {
  if (!add(attributes[Attribute::href], LinkSource::html_href, sight.hidden) || sight.conditional) return;
  open_ = Open{.index = links_.size() - 1, .visible_at = text_.visible.size(), .hidden_at = text_.hidden.size()};
}

void HtmlLinks::end() {
  if (!open_) return;
  const Open open = *std::exchange(open_, std::nullopt);
  Link& link = links_[open.index];
  const std::string_view seen = trim(std::string_view(text_.visible).substr(open.visible_at));
  const std::string_view unseen = trim(std::string_view(text_.hidden).substr(open.hidden_at));
  link.shown = cut_utf8(seen.empty() ? unseen : seen, kMaxShown);
  link.hidden = seen.empty() && !open.picture && (link.hidden || !unseen.empty());
  if (!seen.empty()) covered_.emplace_back(open.visible_at, text_.visible.size());
}

void HtmlLinks::find_in_text() {
  auto next = covered_.begin();
  TextUrl url;
  for (size_t at = 0; find_url(text_.visible, at, url) && links_.size() < most_; at = url.end) {
    while (next != covered_.end() && next->second <= url.begin) ++next;
    if (next != covered_.end() && next->first <= url.begin) continue;
    const std::string_view shown = std::string_view(text_.visible).substr(url.begin, url.end - url.begin);
    links_.push_back({.url = openable(shown),
                      .shown = std::string(shown),
                      .source = LinkSource::text,
                      .part = part_,
                      .hidden = false});
  }
}

}  // namespace doorward::mime
