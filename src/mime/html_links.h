// The links of an HTML document, and what its elements say besides: pictures, forms, scripts, frames.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mime/html_attributes.h"
#include "mime/message.h"

namespace doorward::mime {

// How the reader sees the element at hand.
struct Sight {
  bool hidden = false;          // its text
  bool picture_hidden = false;  // whatever the font's size or colour is
  bool conditional = false;     // only Outlook shows it
};

class HtmlLinks {
 public:
  // `text` is what was read so far: a link's words are those that came while it was open. No more than `most` in
  // `links`.
  HtmlLinks(size_t part, size_t most, const Text& text, std::vector<Link>& links, HtmlFacts& facts)
      : part_(part), most_(most), text_(text), links_(links), facts_(facts) {}

  void of(Tag tag, const Attributes& attributes, const Sight& sight);
  void add_picture(std::string_view url, bool hidden) { add(url, LinkSource::html_image, hidden); }
  bool is_open() const { return open_.has_value(); }
  void show_picture() {
    if (open_) open_->picture = true;
  }
  void end();
  // Addresses in the text that are no links: clients make them clickable. When all was read.
  void find_in_text();

 private:
  struct Open {  // the link that is open
    size_t index = 0;
    size_t visible_at = 0, hidden_at = 0;
    bool picture = false;
  };
  void begin(const Attributes& attributes, const Sight& sight);
  void image(const Attributes& attributes, bool hidden);
  void meta(const Attributes& attributes);
  bool add(std::string_view url, LinkSource source, bool hidden);
  bool add_decoded(std::string_view url, LinkSource source, bool hidden);

  size_t part_, most_;
  const Text& text_;
  std::vector<Link>& links_;
  HtmlFacts& facts_;
  std::optional<Open> open_;
  std::vector<std::pair<size_t, size_t>> covered_;  // of the visible text, by links
  std::string base_;
};

}  // namespace doorward::mime
