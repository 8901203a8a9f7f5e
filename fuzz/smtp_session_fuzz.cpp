// What a session reads, over arbitrary bytes: command lines, text after DATA, chunks after BDAT. The first octet
// chooses the pieces in which the bytes arrive; however they are cut, the reading must be the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "smtp/command.h"
#include "smtp/line_reader.h"
#include "smtp/text_scanner.h"

namespace {

using namespace doorward::smtp;

constexpr size_t kLineLimit = 256;
constexpr size_t kTextLine = 500;
constexpr uint64_t kLargest = 4096;

// One session's reader; notes what it understood.
class Reader {
 public:
  void feed(std::string_view bytes) {
    held_ += bytes;
    while (!over_ && (text_ ? read_text() : read_line())) {
    }
  }
  const std::string& understood() const { return understood_; }

 private:
  bool read_line() {
    const Line line = next_line(held_, kLineLimit);
    if (line.state == LineState::incomplete) return false;
    if (line.state == LineState::too_long) {
      if (line.used == 0 || line.used > held_.size()) std::abort();
      over_ = true;  // where a long line is noticed depends on how it came; what it was does not matter any more
      understood_ += "long;";
      return false;
    }
    if (line.state != LineState::complete) {
      over_ = true;
      understood_ += "bad;";
      return false;
    }
    if (line.text.find_first_of("\r\n") != std::string_view::npos || line.used != line.text.size() + 2) std::abort();
    take(line.text);
    held_.erase(0, line.used);
    return true;
  }

  void take(std::string_view line) {
    const CommandLine command = split_command(line);
    understood_ += std::to_string(static_cast<int>(command.verb)) + ";";
    const Offered offered;
    switch (command.verb) {
      case Verb::ehlo:
      case Verb::helo:
        understood_ += parse_hello(command.argument, command.verb == Verb::ehlo) ? "+" : "-";
        break;
      case Verb::mail:
        understood_ += parse_mail(command.argument, offered) ? "+" : "-";
        break;
      case Verb::rcpt:
        understood_ += parse_rcpt(command.argument, offered, true) ? "+" : "-";
        break;
      case Verb::xclient:
        understood_ += parse_xclient(command.argument) ? "+" : "-";
        break;
      case Verb::data:
        text_.emplace(TextScanner::Form::dotted, kTextLine, kLargest);
        break;
      case Verb::bdat:
        if (const auto chunk = parse_bdat(command.argument); chunk && chunk->first <= kLargest) {
          chunk_left_ = chunk->first;
          text_.emplace(TextScanner::Form::chunks, kTextLine, kLargest);
          chunked_ = true;
        }
        break;
      default:
        break;
    }
  }

  bool read_text() {
    const size_t most = chunked_ ? std::min<size_t>(chunk_left_, held_.size()) : held_.size();
    std::string_view bytes = std::string_view(held_).substr(0, most);
    size_t done = 0;
    while (done < bytes.size() && !text_->ended()) {
      const auto step = text_->next(bytes.substr(done));
      if (step.used == 0 || done + step.used > bytes.size()) std::abort();
      message_ += step.text;
      done += step.used;
    }
    held_.erase(0, done);
    if (chunked_) chunk_left_ -= done;
    const bool ended = chunked_ ? chunk_left_ == 0 : text_->ended();
    if (!ended) return false;
    if (chunked_) static_cast<void>(text_->end_of_chunks());
    if (message_.size() != text_->size()) std::abort();
    const bool spoiled = text_->fault() != TextFault::none;
    if (!spoiled) check_clean();
    understood_ += spoiled ? "spoiled" : message_;
    message_.clear();
    text_.reset();
    chunked_ = false;
    return true;
  }

  // What passes has no line end but CRLF, and says so itself (RFC 5321 §2.3.8).
  void check_clean() const {
    for (size_t i = 0; i < message_.size(); ++i) {
      if (message_[i] == '\n' && (i == 0 || message_[i - 1] != '\r')) std::abort();
      if (message_[i] == '\r' && (i + 1 == message_.size() || message_[i + 1] != '\n')) std::abort();
    }
  }

  std::string held_, message_, understood_;
  std::optional<TextScanner> text_;
  uint64_t chunk_left_ = 0;
  bool chunked_ = false, over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = data[0] % 16 + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  Reader whole;
  whole.feed(bytes);
  Reader cut;
  for (size_t at = 0; at < bytes.size(); at += piece) cut.feed(bytes.substr(at, piece));
  // A bad line shows as soon as its first fault is there, which may be another one when less of it has come.
  if (whole.understood() != cut.understood()) {
    const auto stem = [](std::string_view text) { return text.substr(0, text.rfind(';', text.size() - 2) + 1); };
    const bool both_bad = whole.understood().ends_with(";") && cut.understood().ends_with(";");
    if (!both_bad || stem(whole.understood()) != stem(cut.understood())) std::abort();
  }
  return 0;
}
