#include "smtp/dot_stuffing.h"

#include <algorithm>

namespace doorward::smtp {

uint64_t ContentFeed::size() const {
  uint64_t octets = 0;
  for (const std::string_view piece : pieces_) octets += piece.size();
  return octets;
}

void ContentFeed::append(std::string_view bytes, std::vector<std::string_view>& batch) {
  if (bytes.empty()) return;
  batch.push_back(bytes);
  const bool cr_before_last = bytes.size() > 1 ? bytes[bytes.size() - 2] == '\r' : after_cr_;
  line_start_ = bytes.back() == '\n';
  ended_line_ = line_start_ && cr_before_last;
  after_cr_ = bytes.back() == '\r';
}

bool ContentFeed::next(std::vector<std::string_view>& batch, size_t most_pieces, size_t most_bytes) {
  size_t bytes = 0;
  while (piece_ < pieces_.size()) {
    if (batch.size() >= most_pieces || bytes >= most_bytes) return true;
    std::string_view rest = pieces_[piece_].substr(offset_);
    rest = rest.substr(0, most_bytes - bytes);
    size_t take = rest.size();
    if (form_ == Form::dot_stuffed && !rest.empty()) {
      if (line_start_ && rest.front() == '.') batch.push_back(".");
      // A line is taken to begin after any LF, bare ones too: a dot more than needed harms less than one too few.
      if (const size_t dot = rest.find("\n."); dot != std::string_view::npos) take = dot + 1;
    }
    append(rest.substr(0, take), batch);
    bytes += take;
    offset_ += take;
    if (offset_ == pieces_[piece_].size()) {
      ++piece_;
      offset_ = 0;
    }
  }
  if (form_ == Form::dot_stuffed) batch.push_back(ended_line_ ? ".\r\n" : "\r\n.\r\n");
  return false;
}

}  // namespace doorward::smtp
