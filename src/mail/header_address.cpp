#include "mail/header_address.h"

#include <algorithm>
#include <utility>

#include "mail/ascii.h"

namespace doorward::mail {
namespace {

constexpr int kMaxCommentDepth = 50;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Reads one list. What it meets between two separators is gathered as words; "<" makes of them a display name, and a
// separator makes of them an address.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  HeaderAddressList read() {
    if (text_.size() > kMaxAddressHeader) {
      text_ = text_.substr(0, kMaxAddressHeader);
      list_.truncated = true;
    }
    while (at_ < text_.size() && list_.addresses.size() < kMaxHeaderAddresses) step();
    if (at_ < text_.size()) list_.truncated = true;
    if (in_group_) list_.malformed = true;  // its ";" is missing
    end_entry();
    return std::move(list_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (is_space(c)) {
      ++at_;
      space_ = true;
    } else if (c == '(') {
      current_.comment = take_comment();
      space_ = true;
    } else if (c == '"') {
      word(take_quoted(), true);
    } else if (c == '<') {
      take_angle();
    } else if (c == '>' || c == ')') {  // closes nothing
      ++at_;
      list_.malformed = true;
    } else if (c == ',' || c == ';') {  // ";" also stands where clients of one vendor separate addresses
      ++at_;
      if (c == ';') {
        if (!in_group_) list_.malformed = true;
        in_group_ = false;
      }
      end_entry();
    } else if (c == ':' && !angle_ && !words_.contains('@')) {
      ++at_;
      list_.group = true;
      if (in_group_) list_.malformed = true;
      in_group_ = true;
      clear();  // the group's name is no address
    } else {
      word(take_atom(), false);
    }
  }

  // Words of a display name are joined by one space where there was any; an address' parts by none.
  void word(std::string_view text, bool quoted) {
    if (angle_) list_.malformed = true;
    if (!display_.empty() && (space_ || quoted)) display_ += ' ';
    const bool glued = text.starts_with('@') || text.starts_with('.') || words_.ends_with('@') || words_.ends_with('.');
    if (!words_.empty() && space_ && !glued) several_ = true;
    if (quoted) {
      unquote(text, display_);
    } else {
      display_ += text;
    }
    words_ += text;
    space_ = false;
  }

  // A run of characters up to what has a meaning of its own; "[…]" is taken as a whole.
  std::string_view take_atom() {
    const size_t begin = at_;
    if (text_[at_] == '[') {
      const size_t end = text_.find(']', at_);
      at_ = end == std::string_view::npos ? text_.size() : end + 1;
    } else {
      ++at_;
      while (at_ < text_.size() && !is_space(text_[at_]) &&
             std::string_view("()<>\",;:[").find(text_[at_]) == std::string_view::npos) {
        ++at_;
      }
    }
    return text_.substr(begin, at_ - begin);
  }

  // With its quotes; a missing last quote is malformed, and the text ends there.
  std::string_view take_quoted() {
    const size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) {
      list_.malformed = true;
      at_ = text_.size();
    } else {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  static void unquote(std::string_view quoted, std::string& to) {
    quoted.remove_prefix(1);
    for (size_t i = 0; i < quoted.size(); ++i) {
      if (quoted[i] == '"') break;
      if (quoted[i] == '\\' && i + 1 < quoted.size()) ++i;
      const bool line_end = quoted[i] == '\r' || quoted[i] == '\n';
      if (!line_end) to += quoted[i] == '\t' ? ' ' : quoted[i];
    }
  }

  std::string take_comment() {
    std::string result;
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\\' && at_ < text_.size()) {
        result += text_[at_++];
        continue;
      }
      if (c == '(' && ++depth == 1) continue;
      if (c == ')' && --depth == 0) return result;
      if (depth > kMaxCommentDepth) break;
      if (c != '\r' && c != '\n') result += c;
    }
    list_.malformed = true;
    return result;
  }

  // "<" [obsolete route] address ">"; a second pair in one entry: clients differ, the last one is kept as the address.
  void take_angle() {
    if (angle_) list_.malformed = true;
    ++at_;
    angle_ = true;
    std::string address;
    bool closed = false;
    while (at_ < text_.size() && !closed) {
      const char c = text_[at_];
      if (c == '>') {
        closed = true;
        ++at_;
      } else if (c == '(') {
        current_.comment = take_comment();
      } else if (c == '"') {
        address += take_quoted();
      } else if (is_space(c)) {
        ++at_;
      } else if (c == '<') {
        list_.malformed = true;
        ++at_;
      } else {
        address += c;
        ++at_;
      }
    }
    if (!closed) list_.malformed = true;
    // obs-route (RFC 5322 §4.4): "@one,@two:" before the address
    if (address.starts_with('@')) {
      if (const size_t colon = address.find(':'); colon != std::string::npos) address.erase(0, colon + 1);
    }
    current_.address = std::move(address);
    space_ = true;
  }

  void end_entry() {
    if (angle_) {
      current_.display_name = std::move(display_);
    } else if (!words_.empty()) {
      current_.address = std::move(words_);
      if (several_) last_word_is_the_address();
    } else {
      clear();
      return;  // an empty entry (obs-addr-list) means nothing
    }
    if (auto mailbox = parse_mailbox(current_.address)) {
      current_.mailbox = std::move(*mailbox);
    } else if (!(angle_ && current_.address.empty())) {  // "Name <>" is how some write that they have no address
      list_.malformed = true;
    }
    list_.addresses.push_back(std::move(current_));
    clear();
  }

  // "First Last a@b.example" without brackets: what has the "@" is the address, the rest the name.
  void last_word_is_the_address() {
    list_.malformed = true;
    const size_t sign = display_.rfind('@');
    if (sign == std::string::npos) {
      current_.address = std::move(display_);
      return;
    }
    const size_t space_before = display_.rfind(' ', sign);
    const size_t begin = space_before == std::string::npos ? 0 : space_before + 1;
    const size_t end = std::min(display_.find(' ', sign), display_.size());
    current_.address = display_.substr(begin, end - begin);
    current_.display_name = display_.substr(0, begin == 0 ? 0 : begin - 1);
  }

  void clear() {
    current_ = HeaderAddress();
    display_.clear();
    words_.clear();
    angle_ = several_ = space_ = false;
  }

  std::string_view text_;
  size_t at_ = 0;
  HeaderAddressList list_;
  HeaderAddress current_;
  std::string display_;   // the words as a name: unquoted, single spaces
  std::string words_;     // the words as an address: as written, no spaces
  bool angle_ = false;    // an address in brackets was read
  bool several_ = false;  // the words do not make one address
  bool space_ = false;    // white space or a comment stood before what comes next
  bool in_group_ = false;
};

}  // namespace

HeaderAddressList parse_address_list(std::string_view value) { return Reader(value).read(); }

}  // namespace doorward::mail
