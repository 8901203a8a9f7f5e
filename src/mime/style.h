// What CSS says about whether text can be seen: the few properties with which mail hides it. Simple selectors only
// (tag, .class, #id and their unions); at-rules and combinations are passed over, which errs on the side of visible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace doorward::mime {

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
  bool known = true;  // false: an image or something unread stands there
  bool transparent = false;
};

// "#fff", "#ffffff", "rgb(…)", a name; not known if it is none of them. `bare_hex`: the attribute's form without "#".
Colour read_colour(std::string_view value, bool bare_hex = false);
// So alike that no eye tells them apart.
bool alike(const Colour& a, const Colour& b);

struct Length {
  float value = 0;
  bool relative = false;  // × the parent's (em, %)
};

struct Style {
  std::optional<bool> none;       // display:none
  std::optional<bool> invisible;  // visibility
  std::optional<Length> size;     // of the font, px
  std::optional<Colour> colour, background;
  std::optional<float> opacity;
  std::optional<bool> no_extent;  // width or height is zero
  std::optional<bool> clipped;    // overflow is hidden
  std::optional<bool> away;       // placed or indented off the screen
  std::optional<bool> preserve;   // white-space:pre…
  std::string_view image;         // of the first url(…)
  void merge(const Style& later);
};

Style read_declarations(std::string_view css);

// The rules of all <style> elements of a document; views into it.
class StyleSheet {
 public:
  void add(std::string_view css);
  bool empty() const { return rules_.empty(); }
  // In the order tag, class, id, so that the later wins.
  void apply(std::string_view tag, std::string_view classes, std::string_view id, Style& style) const;

 private:
  void add_rule(std::string_view selectors, const Style& style);
  void look_up(std::string_view key, Style& style) const;
  std::unordered_map<std::string, Style> rules_;  // "p", ".x", "#y", "p.x", in lower case
};

}  // namespace doorward::mime
