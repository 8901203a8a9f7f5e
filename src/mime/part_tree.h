// The tree of parts of a message (RFC 2046), with every reading of what is ambiguous, bounded by Limits.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "mime/boundary.h"
#include "mime/content_reading.h"
#include "mime/message.h"
#include "mime/oddities.h"

namespace doorward::mime {

struct PartTree {
  std::vector<Part> parts;
  std::deque<std::string> decoded;  // bodies that had to be decoded to be parsed: parts look into them
};

class TreeBuilder {
 public:
  TreeBuilder(std::string_view raw, const Limits& limits, PartTree& tree, Oddities& oddities);
  void build();

 private:
  struct Place {
    size_t parent = 0;
    unsigned depth = 0;
    bool in_digest = false;
    bool alternative = false;
    const char* origin = nullptr;  // of the bytes that offsets count from; null: the raw message
  };
  void entity(std::string_view bytes, const Place& place);
  void broken_reading(std::string_view bytes, const Place& place, size_t fields, size_t break_at, Headers headers);
  void reading(std::string_view bytes, size_t body, const Place& place, Headers headers, const ContentReading& content);
  void multipart(size_t index, const ContentReading& content, const Place& inside);
  void children(size_t index, std::string_view whole, const Split& split, const Place& inside);
  void innermost_reading(size_t index, std::string_view whole, size_t child, const Place& inside);
  void outside_text(std::string_view text, std::string_view oddity, const Place& inside);
  void message(size_t index, const Place& inside);
  void bare_text(std::string_view text, const Place& place);
  void uuencoded(size_t index);
  bool may_reread(size_t bytes, size_t part);
  bool room(size_t part);
  std::string_view decoded_body(const Part& part);

  std::string_view raw_;
  const Limits& limits_;
  PartTree& tree_;
  Oddities& oddities_;
  size_t rereading_;  // bytes that further readings and decoded copies may still cost
};

}  // namespace doorward::mime
