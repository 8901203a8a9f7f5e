#include "mime/style.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "mime/chars.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMaxRules = 1000;
constexpr size_t kMaxDeclarations = 100;
constexpr size_t kMaxClasses = 16;
constexpr float kOffScreen = -400;  // px: beyond what any layout would shift

// "12.5px" → 12.5 and "px"; false if it begins with no number.
bool read_number(std::string_view value, float& number, std::string_view& unit) {
  value = trim(value);
  size_t i = 0;
  const bool negative = !value.empty() && value[0] == '-';
  if (negative || (!value.empty() && value[0] == '+')) ++i;
  float result = 0, scale = 1;
  bool digits = false, fraction = false;
  for (; i < value.size() && i < 24 && (is_digit(value[i]) || (value[i] == '.' && !fraction)); ++i) {
    if (value[i] == '.') {
      fraction = true;
      continue;
    }
    digits = true;
    result = result * 10 + static_cast<float>(value[i] - '0');
    if (fraction) scale *= 10;
  }
  if (!digits) return false;
  number = (negative ? -result : result) / scale;
  unit = trim(value.substr(i));
  return true;
}

std::optional<Length> read_length(std::string_view value) {
  float number = 0;
  std::string_view unit;
  if (!read_number(value, number, unit)) {
    if (iequals(value, "xx-small") || iequals(value, "x-small") || iequals(value, "small")) return Length{10, false};
    if (iequals(value, "medium") || iequals(value, "large") || iequals(value, "x-large")) return Length{16, false};
    return std::nullopt;
  }
  if (istarts_with(unit, "pt")) return Length{number * 4 / 3, false};
  if (istarts_with(unit, "em")) return Length{number, true};
  if (istarts_with(unit, "%")) return Length{number / 100, true};
  if (istarts_with(unit, "rem")) return Length{number * 16, false};
  if (istarts_with(unit, "vw") || istarts_with(unit, "vh")) return Length{number * 8, false};
  if (istarts_with(unit, "in")) return Length{number * 96, false};
  if (istarts_with(unit, "cm")) return Length{number * 38, false};
  if (istarts_with(unit, "mm")) return Length{number * 3.8F, false};
  return Length{number, false};
}

uint8_t channel(std::string_view value) {
  float number = 0;
  std::string_view unit;
  if (!read_number(value, number, unit)) return 0;
  if (unit.starts_with('%')) number *= 2.55F;
  return static_cast<uint8_t>(std::min(255.0F, std::max(0.0F, number)));
}

Colour read_rgb(std::string_view value) {
  std::string_view inner = value.substr(value.find('(') + 1);
  inner = inner.substr(0, inner.find(')'));
  std::array<std::string_view, 4> parts{};
  size_t count = 0;
  while (count < 4 && !inner.empty()) {
    const size_t cut =
        std::min(inner.find_first_of(",/ ", inner.find_first_not_of(' ') == kNone ? 0 : inner.find_first_not_of(' ')),
                 inner.size());
    if (!trim(inner.substr(0, cut)).empty()) parts[count++] = trim(inner.substr(0, cut));
    inner.remove_prefix(std::min(cut + 1, inner.size()));
  }
  Colour colour{channel(parts[0]), channel(parts[1]), channel(parts[2])};
  float alpha = 1;
  std::string_view unit;
  if (count == 4 && read_number(parts[3], alpha, unit) && alpha < 0.05F) colour.transparent = true;
  colour.known = count >= 3;
  return colour;
}

// RGB, RRGGBB, and both with an alpha behind (CSS Color 4 §5.2).
Colour read_hex(std::string_view digits) {
  std::array<unsigned, 8> value{};
  const size_t size = digits.size();
  if (size != 3 && size != 4 && size != 6 && size != 8) return {.known = false};
  for (size_t i = 0; i < size; ++i) {
    const int hex = hex_value(digits[i]);
    if (hex < 0) return {.known = false};
    value[i] = static_cast<unsigned>(hex);
  }
  const bool brief = size < 6;
  const auto channel_at = [&](size_t i) {
    return static_cast<uint8_t>(brief ? value[i] * 17 : value[2 * i] * 16 + value[2 * i + 1]);
  };
  Colour colour{channel_at(0), channel_at(1), channel_at(2)};
  colour.transparent = (size == 4 || size == 8) && channel_at(3) < 13;
  return colour;
}

// The names that mail uses; the rest is unknown, which hides nothing.
constexpr std::pair<std::string_view, uint32_t> kColours[] = {
    {"white", 0xffffff},       {"black", 0x000000},     {"red", 0xff0000},        {"green", 0x008000},
    {"blue", 0x0000ff},        {"yellow", 0xffff00},    {"gray", 0x808080},       {"grey", 0x808080},
    {"silver", 0xc0c0c0},      {"navy", 0x000080},      {"maroon", 0x800000},     {"purple", 0x800080},
    {"orange", 0xffa500},      {"teal", 0x008080},      {"lime", 0x00ff00},       {"aqua", 0x00ffff},
    {"cyan", 0x00ffff},        {"fuchsia", 0xff00ff},   {"magenta", 0xff00ff},    {"olive", 0x808000},
    {"snow", 0xfffafa},        {"ivory", 0xfffff0},     {"ghostwhite", 0xf8f8ff}, {"whitesmoke", 0xf5f5f5},
    {"floralwhite", 0xfffaf0}, {"azure", 0xf0ffff},     {"mintcream", 0xf5fffa},  {"aliceblue", 0xf0f8ff},
    {"lightgrey", 0xd3d3d3},   {"lightgray", 0xd3d3d3}, {"darkgray", 0xa9a9a9},   {"gainsboro", 0xdcdcdc}};

bool is_zero(std::string_view value) {
  float number = 1;
  std::string_view unit;
  return read_number(value, number, unit) && number <= 0.5F && number >= 0;
}

void read_background(std::string_view value, Style& style) {
  if (ifind(value, "url(") != kNone || ifind(value, "gradient") != kNone) {
    style.background = Colour{.known = false};
    return;
  }
  // background: COLOUR position …
  const size_t paren = value.find('(');
  const size_t cut = paren == kNone ? value.find_first_of(" \t") : value.find(')', paren);
  const Colour colour = read_colour(value.substr(0, cut));
  if (!colour.transparent && (colour.known || paren != kNone)) style.background = colour;
}

void read_url(std::string_view value, Style& style) {
  const size_t at = ifind(value, "url(");
  if (at == kNone || !style.image.empty()) return;
  std::string_view url = trim(value.substr(at + 4, value.find(')', at) - at - 4));
  if (url.size() >= 2 && (url.front() == '\'' || url.front() == '"')) url = url.substr(1, url.size() - 2);
  style.image = url;
}

void read_declaration(std::string_view name, std::string_view value, Style& style) {
  const size_t important = value.find('!');
  if (important != kNone) value = trim(value.substr(0, important));
  if (name.empty() || value.empty()) return;
  switch (lower(name[0])) {
    case 'b':
      if (iequals(name, "background") || iequals(name, "background-color") || iequals(name, "background-image")) {
        read_url(value, style);
        read_background(value, style);
      }
      break;
    case 'c':
      if (iequals(name, "color")) {
        if (!iequals(value, "inherit") && !iequals(value, "initial")) style.colour = read_colour(value);
      } else if (iequals(name, "clip") && ifind(value, "rect(0") != kNone) {
        style.away = true;
      }
      break;
    case 'd':
      if (iequals(name, "display")) style.none = iequals(value, "none");
      break;
    case 'f':
      if (iequals(name, "font-size")) {
        style.size = read_length(value);
      } else if (iequals(name, "font")) {
        // font: [style] SIZE[/line] family; the first number with a unit, or a naked zero, is the size.
        for (size_t i = 0; i < value.size(); ++i) {
          if (!is_digit(value[i]) || (i > 0 && value[i - 1] != ' ')) continue;
          const size_t end = std::min(value.find_first_of(" /", i), value.size());
          const std::string_view size = value.substr(i, end - i);
          if (is_alpha(size.back()) || size.back() == '%' || size == "0") {
            style.size = read_length(size);
            break;
          }
        }
      }
      break;
    case 'h':
    case 'm':
      if ((iequals(name, "height") || iequals(name, "max-height") || iequals(name, "max-width")) && is_zero(value))
        style.no_extent = true;
      else if (iequals(name, "height") || iequals(name, "max-height"))
        style.no_extent = false;
      break;
    case 'l':
    case 't': {
      float number = 0;
      std::string_view unit;
      if ((iequals(name, "left") || iequals(name, "top") || iequals(name, "text-indent")) &&
          read_number(value, number, unit)) {
        if (istarts_with(unit, "em") || istarts_with(unit, "rem")) number *= 16;
        if (number <= kOffScreen) style.away = true;
      } else if (iequals(name, "transform") && ifind(value, "scale(0)") != kNone) {
        style.away = true;
      }
      break;
    }
    case 'o': {
      float number = 1;
      std::string_view unit;
      if (iequals(name, "opacity") && read_number(value, number, unit))
        style.opacity = unit.starts_with('%') ? number / 100 : number;
      else if (istarts_with(name, "overflow"))
        style.clipped = iequals(value, "hidden") || iequals(value, "clip");
      break;
    }
    case 'v':
      if (iequals(name, "visibility")) style.invisible = iequals(value, "hidden") || iequals(value, "collapse");
      break;
    case 'w':
      if (iequals(name, "width") && is_zero(value))
        style.no_extent = true;
      else if (iequals(name, "white-space"))
        style.preserve = istarts_with(value, "pre");
      break;
    default:
      break;
  }
}

}  // namespace

Colour read_colour(std::string_view value, bool bare_hex) {
  value = trim(value);
  if (value.starts_with('#')) {
    value.remove_prefix(1);
    return read_hex(value);
  }
  if (istarts_with(value, "rgb")) return read_rgb(value);
  if (iequals(value, "transparent")) return {.transparent = true};
  for (const auto& [name, rgb] : kColours) {
    if (iequals(value, name))
      return {static_cast<uint8_t>(rgb >> 16), static_cast<uint8_t>(rgb >> 8 & 0xff), static_cast<uint8_t>(rgb & 0xff)};
  }
  if (bare_hex && (value.size() == 6 || value.size() == 3)) return read_hex(value);
  return {.known = false};
}

bool alike(const Colour& a, const Colour& b) {
  constexpr int kNear = 10;
  const auto near = [](uint8_t x, uint8_t y) { return std::abs(int{x} - int{y}) <= kNear; };
  return a.known && b.known && near(a.red, b.red) && near(a.green, b.green) && near(a.blue, b.blue);
}

void Style::merge(const Style& later) {
  const auto take = [](auto& mine, const auto& theirs) {
    if (theirs.has_value()) mine = theirs;
  };
  take(none, later.none);
  take(invisible, later.invisible);
  take(size, later.size);
  take(colour, later.colour);
  take(background, later.background);
  take(opacity, later.opacity);
  take(no_extent, later.no_extent);
  take(clipped, later.clipped);
  take(away, later.away);
  take(preserve, later.preserve);
  if (!later.image.empty()) image = later.image;
}

Style read_declarations(std::string_view css) {
  Style style;
  for (size_t count = 0; !css.empty() && count < kMaxDeclarations; ++count) {
    size_t end = 0;
    for (bool paren = false; end < css.size() && (css[end] != ';' || paren); ++end) {
      if (css[end] == '(')
        paren = true;
      else if (css[end] == ')')
        paren = false;
    }
    const std::string_view declaration = css.substr(0, end);
    const size_t colon = declaration.find(':');
    if (colon != kNone)
      read_declaration(trim(declaration.substr(0, colon)), trim(declaration.substr(colon + 1)), style);
    css.remove_prefix(std::min(end + 1, css.size()));
  }
  return style;
}

void StyleSheet::add(std::string_view css) {
  while (!css.empty() && rules_.size() < kMaxRules) {
    css = trim(css);
    if (css.starts_with("<!--")) css.remove_prefix(4);
    if (css.starts_with("-->")) css.remove_prefix(3);
    if (css.starts_with("/*")) {
      const size_t end = css.find("*/", 2);
      css.remove_prefix(end == kNone ? css.size() : end + 2);
      continue;
    }
    const size_t open = css.find_first_of("{;");
    if (open == kNone) return;
    const std::string_view selectors = trim(css.substr(0, open));
    if (css[open] == ';') {  // @import and the like
      css.remove_prefix(open + 1);
      continue;
    }
    size_t close = open, depth = 0;
    for (; close < css.size(); ++close) {
      if (css[close] == '{')
        ++depth;
      else if (css[close] == '}' && --depth == 0)
        break;
    }
    if (!selectors.starts_with('@')) add_rule(selectors, read_declarations(css.substr(open + 1, close - open - 1)));
    css.remove_prefix(std::min(close + 1, css.size()));
  }
}

void StyleSheet::add_rule(std::string_view selectors, const Style& style) {
  if (!style.none && !style.invisible && !style.size && !style.colour && !style.background && !style.opacity &&
      !style.no_extent && !style.away && !style.clipped)
    return;
  while (!selectors.empty() && rules_.size() < kMaxRules) {
    const size_t comma = std::min(selectors.find(','), selectors.size());
    const std::string_view selector = trim(selectors.substr(0, comma));
    const bool simple = !selector.empty() && selector.size() <= 64 && selector.find_first_of(" >+~:[*\t\r\n/") == kNone;
    if (simple) rules_[lowered(selector)].merge(style);
    selectors.remove_prefix(std::min(comma + 1, selectors.size()));
  }
}

void StyleSheet::look_up(std::string_view key, Style& style) const {
  const auto rule = rules_.find(std::string(key));
  if (rule != rules_.end()) style.merge(rule->second);
}

void StyleSheet::apply(std::string_view tag, std::string_view classes, std::string_view id, Style& style) const {
  const std::string name = lowered(tag.substr(0, 64));
  look_up(name, style);
  classes = classes.substr(0, 1024);
  for (size_t count = 0; count < kMaxClasses && !(classes = trim(classes)).empty(); ++count) {
    const size_t end = std::min(classes.find_first_of(" \t\r\n\f"), classes.size());
    const std::string one = "." + lowered(classes.substr(0, end));
    look_up(one, style);
    look_up(name + one, style);
    classes.remove_prefix(end);
  }
  if (id.empty() || id.size() > 64) return;
  const std::string one = "#" + lowered(id);
  look_up(one, style);
  look_up(name + one, style);
}

}  // namespace doorward::mime
