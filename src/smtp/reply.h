// A reply: code, enhanced status code (RFC 3463), text. 4xx or 5xx *is* the permanence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace doorward::smtp {

struct EnhancedStatus {
  uint16_t klass = 0, subject = 0, detail = 0;  // 0.0.0: none
  bool present() const { return klass != 0; }
  auto operator<=>(const EnhancedStatus&) const = default;
};

struct Reply {
  int code = 0;
  EnhancedStatus enhanced{};
  std::vector<std::string> lines{};  // at least one where it is written; printable ASCII (or UTF-8 under SMTPUTF8)
  bool close = false;                // the server closes the connection after it (221, 421)

  Reply() = default;
  Reply(int c, std::string text) : code(c) { lines.push_back(std::move(text)); }
  Reply(int c, EnhancedStatus e, std::string text) : code(c), enhanced(e) { lines.push_back(std::move(text)); }

  bool positive() const { return code >= 200 && code < 400; }
  bool transient() const { return code >= 400 && code < 500; }
  bool permanent() const { return code >= 500 && code < 600; }
  // As it stands on the wire, with CRLF; the enhanced code on every line (RFC 2034 §4).
  std::string wire() const;
};

}  // namespace doorward::smtp
