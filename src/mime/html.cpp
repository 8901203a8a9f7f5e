#include "mime/html.h"

#include <algorithm>
#include <string>

#include "mime/chars.h"
#include "mime/entities.h"
#include "mime/html_attributes.h"
#include "mime/html_boxes.h"
#include "mime/html_links.h"
#include "mime/visible_text.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMaxShown = 512;

class Reader {
 public:
  Reader(size_t part, const HtmlBounds& bounds, Text& text, std::vector<Link>& links, HtmlFacts& facts)
      : text_(text),
        facts_(facts),
        links_(part, bounds.links, text, links, facts),
        visible_(text.visible, bounds.text_bytes),
        hidden_(text.hidden, bounds.text_bytes) {}

  void read(std::string_view html) {
    collect_styles(html);
    run(html);
    links_.end();
    facts_.unclosed_or_nested_too_deep += static_cast<unsigned>(std::min<size_t>(boxes_.depth(), 64));
    links_.find_in_text();
    text_.invisible_characters += visible_.invisible() + hidden_.invisible();
  }

 private:
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
    tags_.enter_conditional();
    run(inside.substr(begin + 2));
    tags_.leave_conditional();
    in_conditional_ = false;
  }

  size_t end_tag(std::string_view html, size_t at) {
    const std::string_view name = read_tag_name(html, at + 2);
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
    if (box.tag == Tag::a) links_.end();
    if (is_block(box.tag)) visible_.line();
  }

  size_t start_tag(std::string_view html, size_t at) {
    const std::string_view name = read_tag_name(html, at + 1);
    const uint32_t hash = name_hash(name);
    const Tag tag = kTags.find(name, hash);
    size_t end = at + 1 + name.size();
    const Attributes attributes = tags_.read(html, end);
    facts_.event_handlers += attributes.events;
    if (in_conditional_) {
      links_.of(tag, attributes, {.hidden = true, .picture_hidden = true, .conditional = true});
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
    if (tag == Tag::a && links_.is_open()) boxes_.close(tag, hash, on_closed);
    if (tag == Tag::a) links_.end();
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
    } else if (!boxes_.push(box)) {
      ++facts_.unclosed_or_nested_too_deep;
    }
    links_.of(tag, attributes, {.hidden = hidden, .picture_hidden = pictures_hidden_, .conditional = false});
    if (!style.image.empty()) links_.add_picture(style.image, hidden);
  }

  // Text that stands in attributes: what replaces an image until it is loaded, the words on a button.
  void shown_attributes(Tag tag, const Attributes& attributes, bool hidden) {
    VisibleText& to = hidden ? hidden_ : visible_;
    if (tag == Tag::img) {
      if (!pictures_hidden_) links_.show_picture();
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

  Text& text_;
  HtmlFacts& facts_;
  HtmlLinks links_;
  VisibleText visible_, hidden_;
  StyleSheet sheet_;
  Boxes boxes_;
  std::string entity_, css_;
  AttributeReader tags_;
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
