// The elements and attributes that the HTML reader knows, found by hash.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "mime/chars.h"

namespace doorward::mime {

enum class Tag : uint8_t {
  unknown,
  a,
  address,
  applet,
  area,
  article,
  aside,
  base,
  blockquote,
  body,
  br,
  button,
  center,
  dd,
  div,
  dl,
  dt,
  embed,
  fieldset,
  figure,
  font,
  footer,
  form,
  frame,
  h1,
  h2,
  h3,
  h4,
  h5,
  h6,
  head,
  header,
  hr,
  html,
  iframe,
  img,
  input,
  li,
  link,
  main,
  meta,
  nav,
  noembed,
  noframes,
  noscript,
  object,
  ol,
  option,
  p,
  param,
  plaintext,
  pre,
  script,
  section,
  select,
  source,
  style,
  table,
  tbody,
  td,
  textarea,
  tfoot,
  th,
  thead,
  title,
  tr,
  track,
  ul,
  video,
  wbr,
  xmp,
  col,
  audio,
  bgsound,
};

enum class Attribute : uint8_t {
  unknown,
  event,
  action,
  alt,
  background,
  bgcolor,
  class_,
  color,
  content,
  data,
  formaction,
  height,
  hidden,
  href,
  http_equiv,
  id,
  poster,
  src,
  style,
  text,
  type,
  value,
  width,
};
constexpr size_t kAttributes = 23;

constexpr uint32_t name_hash(std::string_view name) {
  uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ byte(lower(c))) * 16777619U;
  return hash;
}

template <class Id, size_t Size>
class NameTable {
 public:
  struct Entry {
    std::string_view name;
    Id id;
  };
  template <size_t N>
  constexpr explicit NameTable(const Entry (&entries)[N]) {
    static_assert(N * 2 <= Size);
    for (const Entry& entry : entries) {
      size_t at = name_hash(entry.name) % Size;
      while (!slots_[at].name.empty()) at = (at + 1) % Size;
      slots_[at] = entry;
    }
  }
  constexpr Id find(std::string_view name, uint32_t hash) const {
    for (size_t at = hash % Size; !slots_[at].name.empty(); at = (at + 1) % Size) {
      if (iequals(slots_[at].name, name)) return slots_[at].id;
    }
    return Id::unknown;
  }

 private:
  std::array<Entry, Size> slots_{};
};

using TagTable = NameTable<Tag, 256>;
using AttributeTable = NameTable<Attribute, 64>;

inline constexpr TagTable kTags({{"a", Tag::a},
                                 {"address", Tag::address},
                                 {"applet", Tag::applet},
                                 {"area", Tag::area},
                                 {"article", Tag::article},
                                 {"aside", Tag::aside},
                                 {"base", Tag::base},
                                 {"blockquote", Tag::blockquote},
                                 {"body", Tag::body},
                                 {"br", Tag::br},
                                 {"button", Tag::button},
                                 {"center", Tag::center},
                                 {"dd", Tag::dd},
                                 {"div", Tag::div},
                                 {"dl", Tag::dl},
                                 {"dt", Tag::dt},
                                 {"embed", Tag::embed},
                                 {"fieldset", Tag::fieldset},
                                 {"figure", Tag::figure},
                                 {"font", Tag::font},
                                 {"footer", Tag::footer},
                                 {"form", Tag::form},
                                 {"frame", Tag::frame},
                                 {"h1", Tag::h1},
                                 {"h2", Tag::h2},
                                 {"h3", Tag::h3},
                                 {"h4", Tag::h4},
                                 {"h5", Tag::h5},
                                 {"h6", Tag::h6},
                                 {"head", Tag::head},
                                 {"header", Tag::header},
                                 {"hr", Tag::hr},
                                 {"html", Tag::html},
                                 {"iframe", Tag::iframe},
                                 {"img", Tag::img},
                                 {"input", Tag::input},
                                 {"li", Tag::li},
                                 {"link", Tag::link},
                                 {"main", Tag::main},
                                 {"meta", Tag::meta},
                                 {"nav", Tag::nav},
                                 {"noembed", Tag::noembed},
                                 {"noframes", Tag::noframes},
                                 {"noscript", Tag::noscript},
                                 {"object", Tag::object},
                                 {"ol", Tag::ol},
                                 {"option", Tag::option},
                                 {"p", Tag::p},
                                 {"param", Tag::param},
                                 {"plaintext", Tag::plaintext},
                                 {"pre", Tag::pre},
                                 {"script", Tag::script},
                                 {"section", Tag::section},
                                 {"select", Tag::select},
                                 {"source", Tag::source},
                                 {"style", Tag::style},
                                 {"table", Tag::table},
                                 {"tbody", Tag::tbody},
                                 {"td", Tag::td},
                                 {"textarea", Tag::textarea},
                                 {"tfoot", Tag::tfoot},
                                 {"th", Tag::th},
                                 {"thead", Tag::thead},
                                 {"title", Tag::title},
                                 {"tr", Tag::tr},
                                 {"track", Tag::track},
                                 {"ul", Tag::ul},
                                 {"video", Tag::video},
                                 {"wbr", Tag::wbr},
                                 {"xmp", Tag::xmp},
                                 {"col", Tag::col},
                                 {"audio", Tag::audio},
                                 {"bgsound", Tag::bgsound}});
inline constexpr AttributeTable kAttributeNames({{"action", Attribute::action},
                                                 {"alt", Attribute::alt},
                                                 {"background", Attribute::background},
                                                 {"bgcolor", Attribute::bgcolor},
                                                 {"class", Attribute::class_},
                                                 {"color", Attribute::color},
                                                 {"content", Attribute::content},
                                                 {"data", Attribute::data},
                                                 {"formaction", Attribute::formaction},
                                                 {"height", Attribute::height},
                                                 {"hidden", Attribute::hidden},
                                                 {"href", Attribute::href},
                                                 {"http-equiv", Attribute::http_equiv},
                                                 {"id", Attribute::id},
                                                 {"poster", Attribute::poster},
                                                 {"src", Attribute::src},
                                                 {"style", Attribute::style},
                                                 {"text", Attribute::text},
                                                 {"type", Attribute::type},
                                                 {"value", Attribute::value},
                                                 {"width", Attribute::width}});

}  // namespace doorward::mime
