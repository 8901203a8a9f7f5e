// What stands in an HTML tag: its name and the attributes that we know.
#pragma once

#include <array>
#include <string_view>

#include "mime/html_names.h"

namespace doorward::mime {

struct Attributes {
  std::array<std::string_view, kAttributes> values{};
  std::array<bool, kAttributes> given{};
  unsigned events = 0;
  std::string_view operator[](Attribute id) const { return values[static_cast<size_t>(id)]; }
  bool has(Attribute id) const { return given[static_cast<size_t>(id)]; }
};

// The name that begins at `at`; empty at the end of the document.
std::string_view read_tag_name(std::string_view html, size_t at);

// Reads attributes in time linear in the document, whatever quotes are left open in it.
class AttributeReader {
 public:
  // From behind the tag's name on; moves `at` behind the tag's ">".
  Attributes read(std::string_view html, size_t& at);
  // In a conditional comment it is the comment that the quotes have to close in.
  void enter_conditional() {
    in_conditional_ = true;
    no_more_[1][0] = no_more_[1][1] = false;
  }
  void leave_conditional() { in_conditional_ = false; }

 private:
  std::string_view read_value(std::string_view html, size_t& at);
  bool no_more_[2][2] = {};  // quotes of a kind: in the document, in a conditional comment
  bool in_conditional_ = false;
};

}  // namespace doorward::mime
