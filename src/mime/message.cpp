#include "mime/message.h"

#include <utility>

#include "mime/chars.h"
#include "mime/charset.h"
#include "mime/encoded_word.h"
#include "mime/html.h"
#include "mime/part_tree.h"
#include "mime/plain_text.h"
#include "mime/transfer.h"

namespace doorward::mime {

struct Message::State {
  State(std::string_view bytes, const Limits& bounds) : raw(bytes), limits(bounds) {}
  std::string_view raw;
  Limits limits;
  PartTree tree;
  Oddities oddities;
  std::string subject;
  std::vector<Text> texts;
  std::vector<Link> links;
  HtmlFacts html;
};

namespace {

enum class Show { no, plain, html };

// Parts whose text a client would show, or open as a page of its own.
Show shows(const Part& part) {
  if (part.is_text()) return part.subtype == "html" ? Show::html : Show::plain;
  if (!part.is_leaf()) return Show::no;
  if (part.subtype == "xhtml+xml" || part.subtype == "html") return Show::html;
  if (part.type == "application" && !part.file_name.empty()) {
    const std::string_view name = part.file_name;
    for (const std::string_view end : {".html", ".htm", ".shtml", ".xhtml"}) {
      if (name.size() > end.size() && iequals(name.substr(name.size() - end.size()), end)) return Show::html;
    }
  }
  return Show::no;
}

// Reads the texts of all parts, within what the limits leave.
template <class State>
class TextReader {
 public:
  explicit TextReader(State& state)
      : state_(state), text_left_(state.limits.text_bytes), html_left_(state.limits.html_bytes) {}

  void read() {
    for (const Part& part : state_.tree.parts) {
      if (const Show show = shows(part); show != Show::no) read_part(part, show);
    }
  }

 private:
  void read_part(const Part& part, Show show) {
    if (text_left_ == 0) return state_.oddities.add("text_limit", part.index);
    TransferFlaws flaws;
    const size_t limit = show == Show::html ? html_left_ : 4 * text_left_;
    const std::string_view bytes = decode_transfer(part.body, part.encoding, transfer_, flaws, limit);
    note(flaws, part, bytes.size() == limit);
    Conversion conversion;
    std::string_view charset = part.charset;
    if (charset.empty() && show == Show::html && has_8bit(bytes)) charset = meta_charset(bytes);
    std::string_view utf8 = to_utf8(bytes, charset, utf8_, conversion);
    if (conversion.unknown_charset) state_.oddities.add("unknown_charset", part.index, part.charset);
    if (conversion.declared_wrong) state_.oddities.add("wrong_charset", part.index, part.charset);
    Text text;
    text.part = part.index;
    show == Show::html ? html(utf8, part, text) : plain(utf8, part, text);
    text_left_ -= std::min(text_left_, text.visible.size() + text.hidden.size());
    if (state_.links.size() >= state_.limits.links) state_.oddities.add("links_limit", part.index);
    keep(part, std::move(text));
  }

  void note(const TransferFlaws& flaws, const Part& part, bool limited) {
    if (part.encoding == Encoding::base64) {
      if (flaws.junk) state_.oddities.add("base64_junk", part.index);
      if (flaws.after_padding) state_.oddities.add("base64_after_padding", part.index);
      if (flaws.truncated) state_.oddities.add("base64_truncated", part.index);
    } else if (part.encoding == Encoding::quoted_printable && flaws.junk) {
      state_.oddities.add("quoted_printable_junk", part.index);
    } else if (part.encoding == Encoding::uuencode && flaws.junk) {
      state_.oddities.add("uuencode_missing", part.index);
    }
    if (limited) state_.oddities.add("text_limit", part.index);
  }

  void html(std::string_view utf8, const Part& part, Text& text) {
    const HtmlBounds bounds{.text_bytes = text_left_, .links = state_.limits.links};
    html_left_ -= std::min(html_left_, utf8.size());
    if (utf8.find('\0') != std::string_view::npos) state_.oddities.add("nul_byte", part.index);
    read_html(utf8, part.index, bounds, text, state_.links, state_.html);
  }

  void plain(std::string_view utf8, const Part& part, Text& text) {
    Flow flow;
    flow.flowed = is_flowed(part, flow.delete_space);
    if (utf8.find('\0') != std::string_view::npos) state_.oddities.add("nul_byte", part.index);
    read_plain(utf8, flow, text_left_, text);
    find_links(text, state_.limits.links, state_.links);
  }

  // A second reading that shows the same is not kept.
  void keep(const Part& part, Text text) {
    if (part.alternative_reading) {
      constexpr size_t kLookBack = 8;
      const size_t from = state_.texts.size() > kLookBack ? state_.texts.size() - kLookBack : 0;
      for (size_t i = from; i < state_.texts.size(); ++i) {
        if (state_.texts[i].visible == text.visible && state_.texts[i].hidden == text.hidden) return;
      }
    }
    if (text.visible.empty() && text.hidden.empty()) return;
    state_.texts.push_back(std::move(text));
  }

  State& state_;
  size_t text_left_, html_left_;
  std::string transfer_, utf8_;
};

}  // namespace

bool Part::is_attachment() const {
  if (is_multipart()) return false;
  if (disposition == "attachment") return true;
  if (is_message()) return parent != index && disposition != "inline";
  if (is_text()) return !file_name.empty();
  const bool picture = type == "image" && (!content_id.empty() || disposition == "inline");
  return !picture;
}

Message Message::parse(std::string_view raw, const Limits& limits) {
  auto state = std::make_unique<State>(raw, limits);
  TreeBuilder(raw, limits, state->tree, state->oddities).build();
  if (state->tree.parts.empty()) state->tree.parts.emplace_back();
  state->subject = state->tree.parts.front().headers.text("subject");
  TextReader<State>(*state).read();
  return Message(std::move(state));
}

Message::Message(std::unique_ptr<State> state) : state_(std::move(state)) {}
Message::Message(Message&&) noexcept = default;
Message& Message::operator=(Message&&) noexcept = default;
Message::~Message() = default;

std::string_view Message::raw() const { return state_->raw; }
const Headers& Message::headers() const { return state_->tree.parts.front().headers; }
std::span<const Part> Message::parts() const { return state_->tree.parts; }
const std::string& Message::subject() const { return state_->subject; }
std::span<const Text> Message::texts() const { return state_->texts; }
std::span<const Link> Message::links() const { return state_->links; }
const HtmlFacts& Message::html() const { return state_->html; }
std::span<const Oddity> Message::oddities() const { return state_->oddities.all(); }

std::string Message::decoded(const Part& part, size_t limit) const {
  std::string scratch;
  TransferFlaws flaws;
  const std::string_view bytes = decode_transfer(part.body, part.encoding, scratch, flaws, limit);
  return bytes.data() == scratch.data() ? std::move(scratch) : std::string(bytes);
}

}  // namespace doorward::mime
