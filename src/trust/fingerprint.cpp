#include "trust/fingerprint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "trust/fingerprint_shingles.h"

namespace doorward::trust {
namespace {

constexpr size_t kMostText = 64 * 1024, kMostHtml = 64 * 1024, kMostFileBytes = 1024 * 1024;  // octets, in all
constexpr size_t kMostOfFile = 512 * 1024;
// Less is no text of anyone's own: "Thank you, see you tomorrow", a signature, a disclaimer's rest.
constexpr size_t kLeastShingles = 30, kLeastBins = 16;
constexpr size_t kMostBesideQuotes = 2;
constexpr size_t kLeastTags = 40, kLeastStructureBins = 14;
// Smaller files are tracking pixels, icons and empty attachments.
constexpr size_t kLeastAttachment = 512, kLeastImage = 4096;

void read_texts(const mime::Message& message, Quotes quotes, TextSketch& sketch) {
  size_t left = kMostText;
  for (const mime::Text& text : message.texts()) {
    const std::string_view read = std::string_view(text.visible).substr(0, left);
    add_shingles(read, quotes, sketch);
    left -= read.size();
  }
}

bool is_enough(const TextSketch& sketch) { return sketch.added() >= kLeastShingles && sketch.filled() >= kLeastBins; }

void take_text(const mime::Message& message, Fingerprint& print) {
  const TextSketch sketch = text_sketch_of(message);
  if (!is_enough(sketch)) return;
  for (size_t band = 0; band < kTextBands; ++band) {
    print.text_bands[band] = sketch.band(static_cast<uint64_t>(Likeness::text), band, kTextRows);
  }
  print.has_text = true;
}

void take_structure(const mime::Message& message, Fingerprint& print) {
  const StructureSketch sketch = structure_sketch_of(message);
  if (sketch.added() < kLeastTags || sketch.filled() < kLeastStructureBins) return;
  for (size_t band = 0; band < kStructureBands; ++band) {
    print.structure_bands[band] = sketch.band(static_cast<uint64_t>(Likeness::structure), band, kStructureRows);
  }
  print.has_structure = true;
}

// Signatures are their mail's own, and calendars and cards mostly.
bool is_never_repeated(const mime::Part& part) {
  return part.subtype.ends_with("-signature") || part.subtype == "pkcs7-mime" || part.subtype == "delivery-status" ||
         part.subtype == "rfc822-headers";
}

void take_files(const mime::Message& message, Fingerprint& print) {
  size_t left = kMostFileBytes;
  for (const mime::Part& part : message.parts()) {
    if (left == 0) break;
    const bool image = part.type == "image";
    if (!part.is_leaf() || part.alternative_reading || is_never_repeated(part) || (!image && !part.is_attachment())) {
      continue;
    }
    size_t& count = image ? print.images : print.attachments;
    const size_t least = image ? kLeastImage : kLeastAttachment;
    if (count == kMostFiles || part.body.size() < least) continue;
    const std::string content = message.decoded(part, std::min(left, kMostOfFile));
    left -= std::min(left, content.size());
    if (content.size() < least) continue;
    const auto kind = static_cast<uint64_t>(image ? Likeness::image : Likeness::attachment);
    (image ? print.image_digests : print.attachment_digests)[count++] =
        XXH3_64bits_withSeed(content.data(), content.size(), kind + 1);
  }
}

}  // namespace

TextSketch text_sketch_of(const mime::Message& message) {
  TextSketch sketch;
  read_texts(message, Quotes::skipped, sketch);
  // Quoted lines are another mail's: replies to it come from many domains. They are read where there is nothing else.
  if (sketch.added() > kMostBesideQuotes) return sketch;
  sketch = {};
  read_texts(message, Quotes::read, sketch);
  return sketch;
}

StructureSketch structure_sketch_of(const mime::Message& message) {
  StructureSketch sketch;
  size_t left = kMostHtml;
  for (const mime::Part& part : message.parts()) {
    if (left == 0) break;
    if (!part.is_text() || part.subtype != "html" || part.alternative_reading) continue;
    if (part.encoding == mime::Encoding::identity) {
      const std::string_view html = part.body.substr(0, left);
      add_structure(html, sketch);
      left -= html.size();
    } else {
      const std::string html = message.decoded(part, left);
      add_structure(html, sketch);
      left -= std::min(left, html.size());
    }
  }
  return sketch;
}

std::span<const uint64_t> Fingerprint::of(Likeness kind) const {
  switch (kind) {
    case Likeness::text:
      return std::span(text_bands).first(has_text ? kTextBands : 0);
    case Likeness::structure:
      return std::span(structure_bands).first(has_structure ? kStructureBands : 0);
    case Likeness::attachment:
      return std::span(attachment_digests).first(attachments);
    case Likeness::image:
      return std::span(image_digests).first(images);
  }
  return {};
}

Fingerprint fingerprint_of(const mime::Message& message) {
  Fingerprint print{};
  take_text(message, print);
  take_structure(message, print);
  take_files(message, print);
  return print;
}

}  // namespace doorward::trust
