#include "mime/part_tree.h"

#include "mime/chars.h"
#include "mime/headers.h"
#include "mime/transfer.h"

namespace doorward::mime {

namespace {

// Further readings may cost this many times the message: enough for every single trick, too little for trick upon
// trick.
constexpr size_t kRereadFactor = 6;

// A preamble is a sentence for old readers; more than that is content out of sight.
bool is_content(std::string_view text) {
  text = trim(text);
  return text.size() > 300 || text.find("://") != std::string_view::npos ||
         ifind(text, "content-type:") != std::string_view::npos;
}

}  // namespace

TreeBuilder::TreeBuilder(std::string_view raw, const Limits& limits, PartTree& tree, Oddities& oddities)
    : raw_(raw), limits_(limits), tree_(tree), oddities_(oddities), rereading_(raw.size() * kRereadFactor + 4096) {}

void TreeBuilder::build() {
  entity(raw_, {});
  if (tree_.parts.empty()) tree_.parts.emplace_back();
}

bool TreeBuilder::room(size_t part) {
  if (tree_.parts.size() < limits_.parts) return true;
  oddities_.add("parts_limit", part);
  return false;
}

bool TreeBuilder::may_reread(size_t bytes, size_t part) {
  if (bytes + 64 > rereading_) {
    oddities_.add("readings_limit", part);
    return false;
  }
  rereading_ -= bytes + 64;
  return true;
}

void TreeBuilder::entity(std::string_view bytes, const Place& place) {
  const size_t index = tree_.parts.size();
  if (index > 0 && !room(place.parent)) return;
  const bool top = place.depth == 0;
  const size_t base = static_cast<size_t>(bytes.data() - (place.origin != nullptr ? place.origin : raw_.data()));
  HeaderSection section = scan_headers(bytes, base, limits_, top, index, oddities_);
  Headers headers;
  headers.mutable_fields() = std::move(section.fields);
  const auto readings = read_content(headers, place.in_digest, index, oddities_);
  reading(bytes, section.body, place, headers, readings.front());
  Place other = place;
  other.alternative = true;
  for (size_t i = 1; i < readings.size() && may_reread(bytes.size(), index); ++i) {
    reading(bytes, section.body, other, headers, readings[i]);
  }
  if (section.broken) broken_reading(bytes, place, section.fields_before_break, section.break_at, std::move(headers));
}

// Some take the line that is no field for the first of the body. That matters only if Content-* fields follow it.
void TreeBuilder::broken_reading(std::string_view bytes, const Place& place, size_t fields, size_t break_at,
                                 Headers headers) {
  auto& all = headers.mutable_fields();
  const bool matters =
      std::any_of(all.begin() + static_cast<std::ptrdiff_t>(fields), all.end(), [](const Header& field) {
        return iequals(field.name, "content-type") || iequals(field.name, "content-transfer-encoding");
      });
  if (!matters || tree_.parts.empty() || !may_reread(bytes.size(), place.parent)) return;
  all.resize(fields);
  Place other = place;
  other.alternative = true;
  Oddities unheard;  // they are the first reading's
  const auto readings = read_content(headers, place.in_digest, tree_.parts.size(), unheard);
  reading(bytes, break_at, other, std::move(headers), readings.front());
}

void TreeBuilder::reading(std::string_view bytes, size_t body, const Place& place, Headers headers,
                          const ContentReading& content) {
  const size_t index = tree_.parts.size();
  if (index > 0 && !room(place.parent)) return;
  Part& part = tree_.parts.emplace_back();
  part.index = index;
  part.parent = place.parent;
  part.depth = place.depth;
  part.headers = std::move(headers);
  part.type = content.type;
  part.subtype = content.subtype;
  part.charset = content.charset;
  part.encoding = content.encoding;
  part.raw = bytes;
  part.body = bytes.substr(body);
  part.alternative_reading = place.alternative;
  part.decoded_copy = place.origin != nullptr;
  read_names(part, oddities_);
  const Place inside{.parent = index,
                     .depth = place.depth + 1,
                     .in_digest = content.subtype == "digest",
                     .alternative = place.alternative,
                     .origin = place.origin};
  const bool nests = part.type == "multipart" || part.type == "message";
  if (nests && inside.depth > limits_.depth) {
    oddities_.add("depth_limit", index);
    bare_text(part.body, inside);
  } else if (part.is_multipart()) {
    multipart(index, content, inside);
  } else if (part.type == "message") {
    message(index, inside);
  } else if (part.is_text() && part.subtype != "html") {
    uuencoded(index);
  }
}

// The body undone, kept as long as the message; empty if it cannot be had.
std::string_view TreeBuilder::decoded_body(const Part& part) {
  if (part.encoding == Encoding::identity || part.encoding == Encoding::unknown ||
      !may_reread(part.body.size(), part.index))
    return {};
  std::string scratch;
  TransferFlaws flaws;
  decode_transfer(part.body, part.encoding, scratch, flaws);
  if (scratch.empty()) return {};
  return tree_.decoded.emplace_back(std::move(scratch));
}

void TreeBuilder::multipart(size_t index, const ContentReading& content, const Place& inside) {
  const std::string_view body = tree_.parts[index].body;
  if (!content.boundaries.empty()) tree_.parts[index].boundary = content.boundaries.front();
  bool found = false;
  for (const std::string& boundary : content.boundaries) {
    const Split split = split_at(body, boundary, limits_.parts);
    if (!split.found()) continue;
    Place here = inside;
    if (found) {
      if (!may_reread(body.size(), index)) return;
      here.alternative = true;
    } else {
      tree_.parts[index].boundary = boundary;
    }
    found = true;
    const size_t first_child = tree_.parts.size();
    children(index, body, split, here);
    // Lines that only begin with the boundary: delimiters for some, unless they are those of a multipart inside.
    const auto explained = [&](std::string_view line) {
      for (size_t i = first_child; i < tree_.parts.size(); ++i) {
        const std::string& inner = tree_.parts[i].boundary;
        if (!inner.empty() && line.starts_with(inner) &&
            (line.size() == inner.size() || line.substr(inner.size()) == "--"))
          return true;
      }
      return false;
    };
    if (!std::ranges::all_of(split.prefixed, explained) && !boundary.empty()) {
      oddities_.add("boundary_prefix", index, split.prefixed.front());
      if (!may_reread(body.size(), index)) return;
      here.alternative = true;
      children(index, body, split_at(body, boundary, limits_.parts, true), here);
    }
  }
  // RFC 2045 §6.4 allows no encoding here but identity; some clients undo it all the same.
  if (const std::string_view undone = decoded_body(tree_.parts[index]); !undone.empty()) {
    oddities_.add("encoded_multipart", index);
    Place copy = inside;
    copy.alternative = found;
    copy.origin = undone.data();
    for (const std::string& boundary : content.boundaries) {
      const Split split = split_at(undone, boundary, limits_.parts);
      if (!split.found()) continue;
      children(index, undone, split, copy);
      found = true;
      break;
    }
  }
  if (found) return;
  oddities_.add("boundary_not_found", index);
  const std::string_view guess = guess_boundary(body);
  Place other = inside;
  other.alternative = true;
  if (!guess.empty() && may_reread(body.size(), index)) {
    children(index, body, split_at(body, guess, limits_.parts), inside);
  }
  bare_text(body, other);
}

// `whole` is what was split: the body, or what its encoding hid.
void TreeBuilder::children(size_t index, std::string_view whole, const Split& split, const Place& inside) {
  if (!split.closed) oddities_.add("unterminated_boundary", index);
  if (split.limited) oddities_.add("parts_limit", index);
  outside_text(split.preamble, "preamble_content", inside);
  for (const std::string_view part : split.parts) {
    if (!room(index)) return;
    const size_t child = tree_.parts.size();
    entity(part, inside);
    if (child < tree_.parts.size()) innermost_reading(index, whole, child, inside);
  }
  Place hidden = inside;
  hidden.alternative = true;
  if (!split.after_close.empty()) oddities_.add("content_after_close", index);
  for (const std::string_view part : split.after_close) {
    if (!room(index)) return;
    entity(part, hidden);
  }
  outside_text(split.epilogue, "epilogue_content", inside);
}

// A multipart inside with the same boundary, or one that continues the closing delimiter: readers that look at the
// innermost boundary first take it to go on behind what we took for its end.
void TreeBuilder::innermost_reading(size_t index, std::string_view whole, size_t child, const Place& inside) {
  const std::string_view outer = tree_.parts[index].boundary;
  const std::string_view inner = tree_.parts[child].boundary;
  const bool ambiguous = tree_.parts[child].is_multipart() && inner.starts_with(outer) &&
                         (inner == outer || inner.substr(outer.size()).starts_with("--"));
  if (!ambiguous || outer.empty()) return;
  const std::string_view from_child = whole.substr(static_cast<size_t>(tree_.parts[child].raw.data() - whole.data()));
  oddities_.add("nested_same_boundary", index);
  if (from_child.size() == tree_.parts[child].raw.size() || !may_reread(from_child.size(), index)) return;
  Place other = inside;
  other.alternative = true;
  entity(from_child, other);
}

// What stands before the first and behind the last delimiter is not shown by readers of MIME, but by others.
void TreeBuilder::outside_text(std::string_view text, std::string_view oddity, const Place& inside) {
  if (!is_content(text)) return;
  oddities_.add(oddity, inside.parent, trim(text));
  Place other = inside;
  other.alternative = true;
  bare_text(text, other);
}

// A part of text/plain without header.
void TreeBuilder::bare_text(std::string_view text, const Place& place) {
  if (trim(text).empty() || !room(place.parent)) return;
  Part& part = tree_.parts.emplace_back();
  part.index = tree_.parts.size() - 1;
  part.parent = place.parent;
  part.depth = place.depth;
  part.type = "text";
  part.subtype = "plain";
  part.raw = part.body = text;
  part.alternative_reading = place.alternative;
  part.decoded_copy = place.origin != nullptr;
}

void TreeBuilder::message(size_t index, const Place& inside) {
  const Part& part = tree_.parts[index];
  const std::string_view body = part.body;
  if (part.subtype == "partial") oddities_.add("message_partial", index);
  if (part.subtype == "external-body") oddities_.add("external_body", index);
  if (part.subtype == "partial" || part.subtype == "external-body") {
    // The begin of a message: its header is there to be seen.
    Place other = inside;
    other.alternative = true;
    if (may_reread(body.size(), index)) entity(body, other);
    return;
  }
  if (!part.is_message()) return;
  if (part.encoding != Encoding::identity && part.encoding != Encoding::unknown) {
    oddities_.add("encoded_message", index);
    if (const std::string_view undone = decoded_body(part); !undone.empty()) {
      Place copy = inside;
      copy.origin = undone.data();
      entity(undone, copy);
      return;
    }
  }
  if (!trim(body).empty()) entity(body, inside);
}

// Old mail clients show "begin 644 name … end" in a text as an attached file.
void TreeBuilder::uuencoded(size_t index) {
  const std::string_view body = tree_.parts[index].body;
  const Encoding encoding = tree_.parts[index].encoding;
  if (encoding == Encoding::base64 || encoding == Encoding::uuencode) return;
  UuBlock block;
  for (size_t at = 0; find_uu_block(body, at, block); at = block.end) {
    if (!room(index)) return;
    const Part& text = tree_.parts[index];
    Part file;
    file.index = tree_.parts.size();
    file.parent = text.parent;
    file.depth = text.depth;
    file.type = "application";
    file.subtype = "octet-stream";
    file.disposition = "attachment";
    file.file_name = std::string(block.name.substr(0, 255));
    file.encoding = Encoding::uuencode;
    file.raw = file.body = body.substr(block.begin, block.end - block.begin);
    file.alternative_reading = true;
    file.decoded_copy = text.decoded_copy;
    oddities_.add("inline_uuencode", index, block.name);
    tree_.parts.push_back(std::move(file));
  }
}

}  // namespace doorward::mime
