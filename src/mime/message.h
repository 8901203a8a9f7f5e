// The parsed message: views into the immutable raw bytes, made once a mail. Parsing never fails: whatever is malformed
// is read as mail clients would read it, and noted as an oddity. Where clients read a structure differently (two
// boundaries, two Content-Types, a broken transfer encoding), both readings are among the parts, so that nothing a
// recipient could be shown stays unseen. All work and memory are bounded by Limits; what lies beyond is an oddity too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace doorward::mime {

struct Limits {
  size_t header_bytes = 256 * 1024;  // of one header section
  size_t header_fields = 1000;
  size_t parts = 1000;
  size_t depth = 32;               // nested multiparts and messages
  size_t text_bytes = 512 * 1024;  // visible text gathered for the filters, in all
  size_t html_bytes = 512 * 1024;  // HTML looked at, in all
  size_t links = 2000;
};

struct Header {
  std::string_view name;   // as given
  std::string_view value;  // after the colon, folds included, without the last line end
  size_t offset = 0;       // of the field's first byte in the raw message
  size_t length = 0;       // with its line end
};

// The header fields of a message or part, in order.
class Headers {
 public:
  std::span<const Header> fields() const { return fields_; }
  // The first field of that name (compared without case), or nullptr.
  const Header* find(std::string_view name) const;
  size_t count(std::string_view name) const;
  // Unfolded and trimmed, still encoded; empty if there is none.
  std::string unfolded(std::string_view name) const;
  // Unfolded, RFC 2047 words decoded, UTF-8, no controls; empty if there is none.
  std::string text(std::string_view name) const;
  std::vector<Header>& mutable_fields() { return fields_; }

 private:
  std::vector<Header> fields_;
};

enum class Encoding { identity, base64, quoted_printable, uuencode, unknown };

struct Part {
  size_t index = 0;
  size_t parent = 0;  // of the root: itself
  unsigned depth = 0;
  Headers headers;
  std::string type;     // lower case, "text"; the RFC's default where it is missing or malformed
  std::string subtype;  // lower case, "plain"
  std::string charset;  // lower case, as declared; empty if not
  std::string boundary;
  std::string file_name;    // of filename= or name=, RFC 2231 and 2047 decoded, UTF-8; empty if none
  std::string disposition;  // lower case, "attachment"; empty if none
  std::string content_id;
  Encoding encoding = Encoding::identity;
  std::string_view raw;    // header section, empty line and body
  std::string_view body;   // still transfer-encoded
  std::string other_name;  // where name= and filename= differ, the one that some clients use instead; else empty
  bool alternative_reading = false;  // another reading of bytes that an earlier part covers already
  // `raw`, `body` and the headers' offsets are those of a decoded copy that the message keeps (an encoded
  // message/rfc822): no edit of the raw message can be made from them.
  bool decoded_copy = false;
  bool is_multipart() const { return type == "multipart"; }
  bool is_message() const { return type == "message" && (subtype == "rfc822" || subtype == "global"); }
  bool is_text() const { return type == "text"; }
  bool is_leaf() const { return !is_multipart() && !is_message(); }
  bool is_attachment() const;  // a client would show it as a file
};

// Something a well-made message does not have. The names are stable; filters turn them into findings.
struct Oddity {
  std::string_view name;  // "duplicate_content_type", "unterminated_boundary", "nul_byte" …
  size_t part = 0;
  std::string evidence;  // short, printable; may be empty
};

enum class LinkSource { html_href, html_form, html_image, html_other, text };
struct Link {
  std::string url;    // as a client would open it: entities decoded, white space removed
  std::string shown;  // the text that it stands behind (HTML), trimmed
  LinkSource source;
  size_t part = 0;
  bool hidden = false;  // behind text that is not visible
};

// Visible text of one text part: UTF-8, no controls but \n, white space as a reader sees it.
struct Text {
  size_t part = 0;
  std::string visible;
  std::string hidden;  // what HTML hides from the eye (display:none, font-size:0, white on white, …)
  bool from_html = false;
  size_t invisible_characters = 0;  // zero-width and the like, dropped from both texts
};

// What HTML parts showed besides text: counts over all of them.
struct HtmlFacts {
  unsigned forms = 0, scripts = 0, iframes = 0, images = 0, remote_images = 0, objects = 0, event_handlers = 0;
  unsigned password_fields = 0, meta_refresh = 0, data_urls = 0, unclosed_or_nested_too_deep = 0;
  size_t hidden_characters = 0, visible_characters = 0;
};

class Message {
 public:
  // `raw` must outlive the message.
  static Message parse(std::string_view raw, const Limits& limits = {});
  Message(Message&&) noexcept;
  Message& operator=(Message&&) noexcept;
  ~Message();

  std::string_view raw() const;
  const Headers& headers() const;       // of the root
  std::span<const Part> parts() const;  // in document order; [0] is the root
  const std::string& subject() const;   // decoded, UTF-8
  std::span<const Text> texts() const;  // of all text parts that a client would show, in order
  std::span<const Link> links() const;
  const HtmlFacts& html() const;
  std::span<const Oddity> oddities() const;
  // A leaf's body with its transfer encoding undone, at most `limit` bytes; raw bytes where nothing is to decode.
  std::string decoded(const Part& part, size_t limit = SIZE_MAX) const;

 private:
  struct State;
  explicit Message(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace doorward::mime
