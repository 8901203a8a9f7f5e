#include "mime/html_boxes.h"

namespace doorward::mime {

namespace {

constexpr size_t kMaxDepth = 256;
constexpr float kTooSmall = 2.5F;  // px: a font no one can read
constexpr float kFaint = 0.05F;    // opacity

bool is_table_part(Tag tag) {
  switch (tag) {
    case Tag::table:
    case Tag::tbody:
    case Tag::thead:
    case Tag::tfoot:
    case Tag::tr:
    case Tag::td:
    case Tag::th:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool Box::hidden() const {
  return gone || invisible || size < kTooSmall || colour.transparent || alike(colour, background);
}

bool is_block(Tag tag) {
  switch (tag) {
    case Tag::address:
    case Tag::article:
    case Tag::aside:
    case Tag::blockquote:
    case Tag::body:
    case Tag::center:
    case Tag::dd:
    case Tag::div:
    case Tag::dl:
    case Tag::dt:
    case Tag::fieldset:
    case Tag::figure:
    case Tag::footer:
    case Tag::form:
    case Tag::h1:
    case Tag::h2:
    case Tag::h3:
    case Tag::h4:
    case Tag::h5:
    case Tag::h6:
    case Tag::head:
    case Tag::header:
    case Tag::hr:
    case Tag::html:
    case Tag::li:
    case Tag::main:
    case Tag::nav:
    case Tag::ol:
    case Tag::option:
    case Tag::p:
    case Tag::pre:
    case Tag::section:
    case Tag::table:
    case Tag::tbody:
    case Tag::tfoot:
    case Tag::thead:
    case Tag::title:
    case Tag::tr:
    case Tag::ul:
      return true;
    default:
      return false;
  }
}

bool is_void(Tag tag) {
  switch (tag) {
    case Tag::area:
    case Tag::base:
    case Tag::bgsound:
    case Tag::br:
    case Tag::col:
    case Tag::embed:
    case Tag::frame:
    case Tag::hr:
    case Tag::img:
    case Tag::input:
    case Tag::link:
    case Tag::meta:
    case Tag::param:
    case Tag::source:
    case Tag::track:
    case Tag::wbr:
      return true;
    default:
      return false;
  }
}

bool Boxes::push(Box box) {
  if (stack_.size() >= kMaxDepth) {
    ++overflow_;
    return false;
  }
  ++open_[box.name & 255];
  stack_.push_back(box);
  return true;
}

Box Boxes::inside(Tag tag, uint32_t name, const Style& style) const {
  Box box = top();
  box.name = name;
  box.tag = tag;
  if (tag == Tag::a) box.colour = {0, 0, 238};  // links have a colour of their own
  if (tag == Tag::pre) box.preserve = true;
  box.gone = box.gone || style.none.value_or(false) || style.away.value_or(false) ||
             style.opacity.value_or(1) < kFaint || (style.no_extent.value_or(false) && style.clipped.value_or(false));
  box.invisible = style.invisible.value_or(box.invisible);
  box.preserve = style.preserve.value_or(box.preserve);
  if (style.size) box.size = style.size->relative ? box.size * style.size->value : style.size->value;
  if (style.colour) box.colour = *style.colour;
  if (style.background && !style.background->transparent) box.background = *style.background;
  return box;
}

size_t Boxes::find(Tag tag, uint32_t name) const {
  if (open_[name & 255] == 0) return 0;
  const bool table_part = is_table_part(tag);
  for (size_t i = stack_.size(); i-- > 1;) {
    if (stack_[i].name == name) return i;
    const Tag at = stack_[i].tag;
    if (at == Tag::table || (!table_part && (at == Tag::td || at == Tag::th)))
      return 0;  // a cell's end tags stay inside
  }
  return 0;
}

size_t Boxes::find_implied(Tag opening) const {
  const bool cell = opening == Tag::td || opening == Tag::th, list_item = opening == Tag::li;
  const bool term = opening == Tag::dd || opening == Tag::dt;
  for (size_t i = stack_.size(); i-- > 1;) {
    const Tag at = stack_[i].tag;
    if (at == Tag::table) return 0;
    if (cell && (at == Tag::td || at == Tag::th)) return i;
    if (cell && at == Tag::tr) return 0;
    if (opening == Tag::tr) {
      if (at == Tag::tr) return i;
      continue;
    }
    if (list_item && (at == Tag::ul || at == Tag::ol)) return 0;
    if ((list_item && at == Tag::li) || (term && (at == Tag::dd || at == Tag::dt))) return i;
    if (opening == Tag::option) return at == Tag::option ? i : 0;
    if (cell) continue;
    if (at == Tag::p) return i;
    if (at == Tag::td || at == Tag::th || at == Tag::button || (at == Tag::div && !list_item && !term)) return 0;
  }
  return 0;
}

}  // namespace doorward::mime
