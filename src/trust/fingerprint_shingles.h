// The shingles of a text and of HTML markup: what min-hashes are taken of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mime/message.h"
#include "trust/fingerprint_sketch.h"

namespace doorward::trust {

inline constexpr size_t kTextBins = 32, kStructureBins = 16;
using TextSketch = Sketch<kTextBins>;
using StructureSketch = Sketch<kStructureBins>;

enum class Quotes { skipped, read };

// Two words in a row each. Words are folded to lower case; any with a digit counts as the same word; addresses of
// web pages and mailboxes are left out; of scripts without spaces each two characters are a word. `quotes` skips lines
// that begin with ">".
void add_shingles(std::string_view text, Quotes quotes, TextSketch& sketch);

// Four start tags in a row each: the element, its attributes' names, and the values of those that say how it looks.
// `html` in any charset that has ASCII's octets.
void add_structure(std::string_view html, StructureSketch& sketch);

// Of all texts of the mail, and of all its HTML, so far as fingerprint_of() looks at them.
TextSketch text_sketch_of(const mime::Message& message);
StructureSketch structure_sketch_of(const mime::Message& message);

}  // namespace doorward::trust
