// Edits patch byte ranges of the raw message and are sent scatter-gather; nothing is re-serialised.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::mime {

struct Edit {
  size_t offset = 0;  // in the raw message
  size_t length = 0;  // bytes replaced; 0 inserts
  std::string replacement;
};

// A set of edits of one message, kept in order of offset. Two edits may not overlap; inserts at the same offset stand
// in the order they were added. An edit that overlaps an earlier one is refused (false) and the caller drops its
// action.
class Edits {
 public:
  [[nodiscard]] bool add(Edit edit);
  void prepend(std::string text) { top_.insert(0, text); }  // new header fields above all others
  bool empty() const { return edits_.empty() && top_.empty(); }
  // The edited message as pieces in order: views into `raw` and into this object.
  std::vector<std::string_view> apply(std::string_view raw) const;
  size_t size_after(size_t raw_size) const;

  const std::string& top() const { return top_; }
  const std::vector<Edit>& all() const { return edits_; }  // in order of offset

 private:
  std::string top_;
  std::vector<Edit> edits_;
};

}  // namespace doorward::mime
