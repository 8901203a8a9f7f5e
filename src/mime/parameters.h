// Content-Type and Content-Disposition as mail clients read them: RFC 2045 §5.1 and RFC 2231, and what senders make of
// them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace doorward::mime {

struct Parameter {
  std::string name;       // lower case, without RFC 2231's marks
  std::string value;      // quotes and percents undone, UTF-8 where a charset was given; encoded words still encoded
  bool extended = false;  // RFC 2231: put together or with a charset
};

struct ContentField {
  std::string main;  // lower case: "text/plain", "attachment"
  std::vector<Parameter> parameters;
  bool malformed = false;  // quotes not closed, semicolons missing …
  // The first parameter of that name; nullptr if there is none.
  const Parameter* find(std::string_view name) const;
};

// At most 64 parameters; the others are not looked at.
ContentField read_content_field(std::string_view value);

}  // namespace doorward::mime
