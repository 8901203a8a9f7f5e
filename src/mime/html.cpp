#include "mime/html.h"

#include <array>
#include <optional>
#include <utility>

#include "mime/chars.h"
#include "mime/entities.h"
#include "mime/html_boxes.h"
#include "mime/urls.h"
#include "mime/visible_text.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMaxShown = 512;
constexpr size_t kMaxAttributes = 100;

struct Attributes {
  std::array<std::string_view, kAttributes> values{};
  std::array<bool, kAttributes> given{};
  unsigned events = 0;
  std::string_view operator[](Attribute id) const { return values[static_cast<size_t>(id)]; }
  bool has(Attribute id) const { return given[static_cast<size_t>(id)]; }
};

class Reader {
 public:
  Reader(size_t part, const HtmlBounds& bounds, Text& text, std::vector<Link>& links, HtmlFacts& facts)
      : part_(part),
        bounds_(bounds),
        text_(text),
        links_(links),
        facts_(facts),
        visible_(text.visible, bounds.text_bytes),
        hidden_(text.hidden, bounds.text_bytes) {}

  void read(std::string_view html) {
    collect_styles(html);
    run(html);
    end_link();
    facts_.unclosed_or_nested_too_deep += static_cast<unsigned>(std::min<size_t>(boxes_.depth(), 64));
    find_urls();
    text_.invisible_characters += visible_.invisible() + hidden_.invisible();
  }

 private:
  struct Open {  // the link that is open
    size_t index = 0;
    size_t visible_at = 0, hidden_at = 0;
    bool image = false;
  };

  // Rules stand for the whole document, so that those of a late <style> count as well.
  void collect_styles(std::string_view html) {
    for (size_t at = find_byte(html, '<', 0); at != kNone; at = find_byte(html, '<', at + 1)) {
      if (!istarts_with(html.substr(at + 1, 5), "style")) continue;
      const size_t open = find_byte(html, '>', at);
      if (open == kNone) return;
      const size_t close = ifind(html, "</style", open);
      sheet_.add(html.substr(open + 1, close == kNone ? kNone : close - open - 1));
      if (close == kNone) return;
      at = close;
    }
  }

  void run(std::string_view html) {
    for (size_t at = 0; at < html.size() && !(visible_.full() && hidden_.full());) {
      const size_t open = std::min(find_byte(html, '<', at), html.size());
      if (open > at) characters(html.substr(at, open - at));
      at = open < html.size() ? markup(html, open) : open;
    }
  }

  bool hides() const { return in_conditional_ || boxes_.top().hidden(); }
  VisibleText& sink() { return hides() ? hidden_ : visible_; }

  void characters(std::string_view text) {
    VisibleText& to = sink();
    const bool preserve = boxes_.top().preserve;
    for (size_t at = 0; at < text.size();) {
      const size_t amp = std::min(find_byte(text, '&', at), text.size());
      to.append(text.substr(at, amp - at), preserve);
      if (amp == text.size()) break;
      entity_.clear();
      at = read_entity(text, amp, false, entity_);
      to.append(entity_, preserve);
    }
  }

  // At "<"; returns the offset behind what was read.
  size_t markup(std::string_view html, size_t at) {
    const char next = at + 1 < html.size() ? html[at + 1] : '\0';
    if (is_alpha(next)) return start_tag(html, at);
    if (next == '/' && at + 2 < html.size() && is_alpha(html[at + 2])) return end_tag(html, at);
    if (html.substr(at, 4) == "<!--") return comment(html, at);
    if (next == '!' || next == '?' || next == '/') {
      const size_t end = find_byte(html, '>', at);
      return end == kNone ? html.size() : end + 1;
    }
    characters("<");
    return at + 1;
  }

  size_t comment(std::string_view html, size_t at) {
    if (html.substr(at + 4, 1) == ">") return at + 5;
    if (html.substr(at + 4, 2) == "->") return at + 6;
    size_t end = html.find("--", at + 4);
    while (end != kNone && html.substr(end + 2, 1) != ">" && html.substr(end + 2, 2) != "!>")
      end = html.find("--", end + 1);
    if (end == kNone) ++facts_.unclosed_or_nested_too_deep;
    const std::string_view inside = html.substr(at + 4, end == kNone ? kNone : end - at - 4);
    if (istarts_with(inside, "[if") && !in_conditional_) {
      conditional(inside);
    } else if (inside.find("[endif]") == kNone && inside.find("[if") == kNone) {
      hidden_.space();
      hidden_.append(inside);
      hidden_.line();
    }
    return end == kNone ? html.size() : html.find('>', end) + 1;
  }

  // What only Outlook shows (conditional comments): its links and text count as hidden ones.
  void conditional(std::string_view inside) {
    const size_t begin = inside.find("]>");
    if (begin == kNone) return;
    in_conditional_ = true;
    no_more_[1][0] = no_more_[1][1] = false;
    run(inside.substr(begin + 2));
    in_conditional_ = false;
  }

  size_t end_tag(std::string_view html, size_t at) {
    const std::string_view name = read_name(html, at + 2);
    const size_t end = find_byte(html, '>', at);
    const uint32_t hash = name_hash(name);
    const Tag tag = kTags.find(name, hash);
    if (!in_conditional_) {
      if (tag == Tag::br || tag == Tag::p || is_block(tag)) sink().line();
      if (!boxes_.leave_overflow()) boxes_.close(tag, hash, [&](const Box& box) { closed(box); });
      if (is_block(tag)) sink().line();
    }
    return end == kNone ? html.size() : end + 1;
  }

  void closed(const Box& box) {
    if (box.tag == Tag::a) end_link();
    if (is_block(box.tag)) visible_.line();
  }

  static std::string_view read_name(std::string_view html, size_t at) {
    size_t end = at;
    while (end < html.size() && !is_space(html[end]) && html[end] != '/' && html[end] != '>') ++end;
    return html.substr(at, end - at);
  }

  size_t start_tag(std::string_view html, size_t at) {
    const std::string_view name = read_name(html, at + 1);
    const uint32_t hash = name_hash(name);
    const Tag tag = kTags.find(name, hash);
    Attributes attributes;
    size_t end = at + 1 + name.size();
    read_attributes(html, end, attributes);
    facts_.event_handlers += attributes.events;
    if (in_conditional_) {
      links_of(tag, attributes, true);
      if (tag == Tag::br || is_block(tag)) hidden_.line();
      return tag == Tag::style || tag == Tag::script ? raw_text(html, end, name, tag) : end;
    }
    element(tag, hash, name, attributes);
    switch (tag) {
      case Tag::script:
      case Tag::style:
      case Tag::xmp:
      case Tag::iframe:
      case Tag::noembed:
      case Tag::noframes:
      case Tag::title:
      case Tag::textarea:
        return raw_text(html, end, name, tag);
      case Tag::plaintext:
        sink().append(html.substr(end), true);
        return html.size();
      default:
        return end;
    }
  }

  // Elements whose content is no markup: up to their end tag, or the end of the document.
  size_t raw_text(std::string_view html, size_t at, std::string_view name, Tag tag) {
    size_t close = html.find("</", at);
    while (close != kNone && !istarts_with(html.substr(close + 2), name)) close = html.find("</", close + 2);
    const std::string_view inside = html.substr(at, close == kNone ? kNone : close - at);
    if (tag == Tag::title) {
      hidden_.line();
      hidden_.append(decode_attribute(cut_utf8(inside, 4096)));
      hidden_.line();
    } else if (tag == Tag::textarea || tag == Tag::xmp) {
      sink().append(inside, true);
    } else if (tag == Tag::noembed || tag == Tag::noframes) {
      hidden_.append(inside);
      hidden_.line();
    }
    return close == kNone ? html.size() : close;
  }

  // Moves `at` behind the tag's ">".
  void read_attributes(std::string_view html, size_t& at, Attributes& attributes) {
    for (size_t count = 0;; ++count) {
      while (at < html.size() && (is_space(html[at]) || html[at] == '/')) ++at;
      if (at >= html.size()) return;
      if (html[at] == '>') {
        ++at;
        return;
      }
      const size_t begin = at++;  // an attribute may begin with "="
      while (at < html.size() && !is_space(html[at]) && html[at] != '/' && html[at] != '>' && html[at] != '=') ++at;
      const std::string_view name = html.substr(begin, at - begin);
      size_t equals = at;
      while (equals < html.size() && is_space(html[equals])) ++equals;
      std::string_view value;
      if (equals < html.size() && html[equals] == '=') {
        at = equals + 1;
        value = read_value(html, at);
      }
      if (count < kMaxAttributes) keep(name, value, attributes);
    }
  }

  std::string_view read_value(std::string_view html, size_t& at) {
    while (at < html.size() && is_space(html[at])) ++at;
    if (at >= html.size()) return {};
    const char quote = html[at];
    if (quote == '"' || quote == '\'') {
      // Where no quote closes, the tag ends at its first ">": a browser would drop the rest of the document, others do
      // not. It is noted, lest every tag looks through the rest in vain.
      bool& none_behind = no_more_[in_conditional_ ? 1 : 0][quote == '"' ? 1 : 0];
      const size_t end = none_behind ? kNone : find_byte(html, quote, at + 1);
      if (end != kNone) {
        const std::string_view value = html.substr(at + 1, end - at - 1);
        at = end + 1;
        return value;
      }
      none_behind = true;
      ++at;
    }
    const size_t begin = at;
    while (at < html.size() && !is_space(html[at]) && html[at] != '>') ++at;
    return html.substr(begin, at - begin);
  }

  static void keep(std::string_view name, std::string_view value, Attributes& attributes) {
    const Attribute id = kAttributeNames.find(name, name_hash(name));
    if (id == Attribute::unknown) {
      if (name.size() > 3 && istarts_with(name, "on")) ++attributes.events;
      return;
    }
    if (attributes.has(id)) return;  // the first counts
    attributes.values[static_cast<size_t>(id)] = value;
    attributes.given[static_cast<size_t>(id)] = true;
  }

  Style style_of(Tag tag, std::string_view name, const Attributes& attributes) {
    Style style;
    if (attributes.has(Attribute::bgcolor)) style.background = read_colour(attributes[Attribute::bgcolor], true);
    if (attributes.has(Attribute::background) && !attributes[Attribute::background].empty())
      style.background = Colour{.known = false};
    if (tag == Tag::font && attributes.has(Attribute::color))
      style.colour = read_colour(attributes[Attribute::color], true);
    if (tag == Tag::body && attributes.has(Attribute::text))
      style.colour = read_colour(attributes[Attribute::text], true);
    if (!sheet_.empty()) sheet_.apply(name, attributes[Attribute::class_], attributes[Attribute::id], style);
    if (attributes.has(Attribute::style)) {
      std::string_view css = attributes[Attribute::style];
      if (css.find('&') != kNone) css = css_ = decode_attribute(css);
      style.merge(read_declarations(css));
    }
    if (attributes.has(Attribute::hidden)) style.none = true;
    return style;
  }

  void element(Tag tag, uint32_t hash, std::string_view name, const Attributes& attributes) {
    const auto on_closed = [&](const Box& box) { closed(box); };
    if (is_block(tag) || tag == Tag::td || tag == Tag::th) boxes_.close_implied(tag, on_closed);
    if (tag == Tag::a && open_) boxes_.close(tag, hash, on_closed);
    if (tag == Tag::a) end_link();
    const Style style = style_of(tag, name, attributes);
    Box box = boxes_.inside(tag, hash, style);
    const bool hidden = box.hidden();
    pictures_hidden_ = box.gone || box.invisible;  // whatever the font's size or colour is
    if (hidden && !hides()) hidden_.space();
    if (tag == Tag::br) {
      sink().line();
    } else if (is_block(tag)) {
      sink().line();
    } else if (tag == Tag::td || tag == Tag::th) {
      sink().space();
    }
    if (is_void(tag)) {
      shown_attributes(tag, attributes, hidden);
      links_of(tag, attributes, hidden);
    } else {
      if (!boxes_.push(box)) ++facts_.unclosed_or_nested_too_deep;
      links_of(tag, attributes, hidden);
    }
    if (!style.image.empty()) add_link(style.image, LinkSource::html_image, hidden);
  }

  // Text that stands in attributes: what replaces an image until it is loaded, the words on a button.
  void shown_attributes(Tag tag, const Attributes& attributes, bool hidden) {
    VisibleText& to = hidden ? hidden_ : visible_;
    if (tag == Tag::img) {
      if (open_ && !pictures_hidden_) open_->image = true;
      if (attributes[Attribute::alt].empty()) return;
      to.space();
      to.append(decode_attribute(cut_utf8(attributes[Attribute::alt], kMaxShown)));
      to.space();
    } else if (tag == Tag::input && !iequals(attributes[Attribute::type], "hidden") &&
               !iequals(attributes[Attribute::type], "password")) {
      to.space();
      to.append(decode_attribute(cut_utf8(attributes[Attribute::value], kMaxShown)));
      to.space();
    }
  }

  void links_of(Tag tag, const Attributes& a, bool hidden) {
    switch (tag) {
      case Tag::a:
        open_link(a, hidden);
        break;
      case Tag::area:
        add_link(a[Attribute::href], LinkSource::html_href, hidden);
        break;
      case Tag::base:
        if (base_.empty() && a.has(Attribute::href))
          base_ = openable(decode_attribute(a[Attribute::href].substr(0, 4096)));
        break;
      case Tag::form:
        ++facts_.forms;
        add_link(a[Attribute::action], LinkSource::html_form, hidden);
        break;
      case Tag::input:
        if (iequals(a[Attribute::type], "password")) ++facts_.password_fields;
        if (a.has(Attribute::src)) add_link(a[Attribute::src], LinkSource::html_image, hidden);
        add_link(a[Attribute::formaction], LinkSource::html_form, hidden);
        break;
      case Tag::button:
        add_link(a[Attribute::formaction], LinkSource::html_form, hidden);
        break;
      case Tag::img:
        image(a, in_conditional_ || pictures_hidden_);
        break;
      case Tag::iframe:
      case Tag::frame:
        ++facts_.iframes;
        add_link(a[Attribute::src], LinkSource::html_other, hidden);
        break;
      case Tag::object:
      case Tag::embed:
      case Tag::applet:
        ++facts_.objects;
        add_link(a.has(Attribute::data) ? a[Attribute::data] : a[Attribute::src], LinkSource::html_other, hidden);
        break;
      case Tag::script:
        ++facts_.scripts;
        add_link(a[Attribute::src], LinkSource::html_other, hidden);
        break;
      case Tag::meta:
        meta(a);
        break;
      default:
        if (a.has(Attribute::href)) add_link(a[Attribute::href], LinkSource::html_other, hidden);
        if (a.has(Attribute::src)) add_link(a[Attribute::src], LinkSource::html_other, hidden);
        break;
    }
    if (a.has(Attribute::background)) add_link(a[Attribute::background], LinkSource::html_image, hidden);
    if (a.has(Attribute::poster)) add_link(a[Attribute::poster], LinkSource::html_image, hidden);
  }

  void image(const Attributes& a, bool hidden) {
    ++facts_.images;
    const std::string_view source = trim(a[Attribute::src].substr(0, 4096));
    if (istarts_with(source, "http") || source.starts_with("//")) ++facts_.remote_images;
    add_link(source, LinkSource::html_image, hidden);
  }

  // <meta http-equiv=refresh content="0; url=…">
  void meta(const Attributes& a) {
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

  bool add_link(std::string_view url, LinkSource source, bool hidden) {
    if (url.empty() || url.front() == '#') return false;
    url = cut_utf8(url, 8192);
    return url.find('&') == kNone ? add_decoded(url, source, hidden)
                                  : add_decoded(decode_attribute(url), source, hidden);
  }

  bool add_decoded(std::string_view url, LinkSource source, bool hidden) {
    std::string opened = openable(url, base_);
    if (opened.empty() || istarts_with(opened, "cid:")) return false;
    if (istarts_with(opened, "data:")) {
      ++facts_.data_urls;
      return false;
    }
    if (links_.size() >= bounds_.links) return false;
    links_.push_back({.url = std::move(opened), .shown = {}, .source = source, .part = part_, .hidden = hidden});
    return true;
  }

  void open_link(const Attributes& attributes, bool hidden) {
    if (!add_link(attributes[Attribute::href], LinkSource::html_href, hidden) || in_conditional_) return;
    open_ = Open{.index = links_.size() - 1, .visible_at = text_.visible.size(), .hidden_at = text_.hidden.size()};
  }

  void end_link() {
    if (!open_) return;
    const Open open = *std::exchange(open_, std::nullopt);
    Link& link = links_[open.index];
    const std::string_view seen = trim(std::string_view(text_.visible).substr(open.visible_at));
    const std::string_view unseen = trim(std::string_view(text_.hidden).substr(open.hidden_at));
    link.shown = cut_utf8(seen.empty() ? unseen : seen, kMaxShown);
    link.hidden = seen.empty() && !open.image && (link.hidden || !unseen.empty());
    if (!seen.empty()) covered_.emplace_back(open.visible_at, text_.visible.size());
  }

  // Addresses in the text that are no links: clients make them clickable.
  void find_urls() {
    auto next = covered_.begin();
    TextUrl url;
    for (size_t at = 0; find_url(text_.visible, at, url) && links_.size() < bounds_.links; at = url.end) {
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

  size_t part_;
  const HtmlBounds& bounds_;
  Text& text_;
  std::vector<Link>& links_;
  HtmlFacts& facts_;
  VisibleText visible_, hidden_;
  StyleSheet sheet_;
  Boxes boxes_;
  std::optional<Open> open_;
  std::vector<std::pair<size_t, size_t>> covered_;  // of the visible text, by links
  std::string base_, entity_, css_;
  bool no_more_[2][2] = {};  // quotes of a kind: in the document, in a conditional comment
  bool in_conditional_ = false;
  bool pictures_hidden_ = false;  // of the element at hand
};

size_t characters_in(std::string_view utf8) {
  return static_cast<size_t>(std::ranges::count_if(utf8, [](char c) { return (byte(c) & 0xc0) != 0x80; }));
}

}  // namespace

void read_html(std::string_view html, size_t part, const HtmlBounds& bounds, Text& text, std::vector<Link>& links,
               HtmlFacts& facts) {
  text.from_html = true;
  text.visible.reserve(std::min(bounds.text_bytes, html.size() / 3));
  Reader(part, bounds, text, links, facts).read(html);
  facts.visible_characters += characters_in(text.visible);
  facts.hidden_characters += characters_in(text.hidden);
}

std::string_view meta_charset(std::string_view html) {
  html = html.substr(0, 2048);
  size_t at = ifind(html, "charset");
  if (at == kNone) return {};
  at += 7;
  while (at < html.size() && (is_space(html[at]) || html[at] == '=' || html[at] == '"' || html[at] == '\'')) ++at;
  size_t end = at;
  while (end < html.size() && (is_alnum(html[end]) || html[end] == '-' || html[end] == '_')) ++end;
  return html.substr(at, end - at);
}

}  // namespace doorward::mime
