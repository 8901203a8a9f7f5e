#include <algorithm>
#include <array>
#include <bitset>

#include "filter/structure_signs.h"

namespace doorward::filter {
namespace {

struct OddityInfo {
  std::string_view symbol;  // "mime_" and the parser's name for it
  double strength;
  std::string_view sentence;
};

constexpr std::string_view kPrefix = "mime_";

constexpr std::array kOddities = std::to_array<OddityInfo>({
    {"mime_base64_after_padding", 0.3, "Base64 goes on after its end."},
    {"mime_base64_junk", 0.2, "Base64 contains characters that do not belong there."},
    {"mime_base64_truncated", 0.1, "Base64 breaks off."},
    {"mime_blank_fold", 0.3, "A folded header field has a blank line in it."},
    {"mime_blank_header_line", 0.3, "A line of the header is blank and yet does not end it."},
    {"mime_boundary_not_found", 0.3, "The boundary that a multipart announces does not appear."},
    {"mime_boundary_prefix", 0.3, "A boundary line goes on where it should end."},
    {"mime_content_after_close", 0.1, "Content follows the end of a multipart."},
    {"mime_continuation_without_field", 0.5, "The header begins with a continuation line."},
    {"mime_depth_limit", 1.5, "Parts are nested deeper than anyone reads."},
    {"mime_duplicate_boundary", 1.0, "A multipart announces two boundaries."},
    {"mime_duplicate_content_disposition", 0.3, "A part has two Content-Disposition fields."},
    {"mime_duplicate_content_type", 0.8, "A part has two Content-Type fields."},
    {"mime_duplicate_parameter", 0.3, "A parameter of a part's header is given twice."},
    {"mime_duplicate_transfer_encoding", 0.8, "A part has two Content-Transfer-Encoding fields."},
    {"mime_empty_boundary", 1.0, "A multipart announces an empty boundary."},
    {"mime_empty_header_name", 0.5, "A header field has no name."},
    {"mime_encoded_message", 0.3, "An attached message is encoded, which the standards forbid."},
    {"mime_encoded_multipart", 1.0, "A multipart is encoded, which the standards forbid."},
    {"mime_epilogue_content", 0.0, "Content that old mail programs show follows the last part."},
    {"mime_external_body", 0.5, "A part lies elsewhere and is fetched when the mail is read."},
    {"mime_header_bytes_limit", 1.0, "The header is longer than anyone writes."},
    {"mime_header_fields_limit", 1.0, "The header has more fields than anyone writes."},
    {"mime_inline_uuencode", 0.0, "A file is written into the text by uuencode."},
    {"mime_links_limit", 0.5, "The mail has more links than anyone follows."},
    {"mime_lone_cr", 0.5, "A carriage return stands without a line feed in the header."},
    {"mime_long_boundary", 0.3, "A boundary is longer than the standard allows."},
    {"mime_malformed_content_parameters", 0.1, "The parameters of a Content-Type are malformed."},
    {"mime_malformed_content_type", 0.5, "A Content-Type is malformed."},
    {"mime_malformed_header_line", 0.5, "A line of the header is no header field."},
    {"mime_message_partial", 1.0, "The mail is a fragment that mail programs put together after the filters."},
    {"mime_missing_boundary", 1.0, "A multipart announces no boundary."},
    {"mime_missing_empty_line", 0.5, "No empty line parts header and body."},
    {"mime_more_oddities", 1.0, "The mail is odd in more ways than were noted."},
    {"mime_nested_same_boundary", 0.8, "A multipart within another has the same boundary."},
    {"mime_nul_byte", 1.0, "The mail contains NUL bytes."},
    {"mime_parts_limit", 1.0, "The mail has more parts than anyone opens."},
    {"mime_preamble_content", 0.0, "Content that old mail programs show stands before the first part."},
    {"mime_quoted_printable_junk", 0.4, "Quoted-printable text contains what does not belong there."},
    {"mime_raw_8bit_header", 0.8, "The header contains raw bytes that are not ASCII."},
    {"mime_readings_limit", 1.0, "The mail can be read in more ways than were followed."},
    {"mime_space_before_colon", 0.5, "A header field has a space before its colon."},
    {"mime_text_limit", 0.0, "The mail has more text than was looked at."},
    {"mime_unknown_charset", 0.3, "A text names a character set that does not exist."},
    {"mime_unknown_encoding", 0.5, "A part names a transfer encoding that does not exist."},
    {"mime_unterminated_boundary", 0.5, "A multipart does not end."},
    {"mime_uuencode_missing", 0.3, "A part is said to be uuencoded and is not."},
    {"mime_wrong_charset", 0.5, "A text is not written in the character set that it names."},
    {"mime_other", 0.2, "The mail is odd in a way that has no name here."},
});

}  // namespace

void check_oddities(Signs& signs) {
  std::bitset<kOddities.size()> seen;
  for (const mime::Oddity& oddity : signs.message().oddities()) {
    size_t index = 0;
    while (index + 1 < kOddities.size() && kOddities[index].symbol.substr(kPrefix.size()) != oddity.name) ++index;
    if (seen[index]) continue;
    seen.set(index);
    const bool unnamed = index + 1 == kOddities.size();
    signs.add(kOddities[index].symbol, kOddities[index].strength, unnamed ? oddity.name : oddity.evidence);
  }
}

std::vector<SymbolInfo> oddity_symbols() {
  std::vector<SymbolInfo> symbols;
  symbols.reserve(std::size(kOddities));
  for (const auto& oddity : kOddities) symbols.push_back({.symbol = oddity.symbol, .sentence = oddity.sentence});
  return symbols;
}

}  // namespace doorward::filter
