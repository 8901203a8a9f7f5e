#include "trust/fingerprint_shingles.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace doorward::trust {
namespace {

// What an octet is in a text: 0 separates words; letters stand for themselves in lower case; digits are kDigit; of
// beyond ASCII, kWide begins a character of a script without spaces.
constexpr uint8_t kDigit = '0', kAt = '@', kWide = 0xFF;
constexpr std::array<uint8_t, 256> kTextOctets = [] {
  std::array<uint8_t, 256> octets{};
  for (unsigned octet = 0; octet < 256; ++octet) {
    const auto c = static_cast<uint8_t>(octet);
    if (c >= 'a' && c <= 'z') octets[c] = c;
    if (c >= 'A' && c <= 'Z') octets[c] = static_cast<uint8_t>(c | 0x20);
    if (c >= '0' && c <= '9') octets[c] = kDigit;
    if (c >= 0x80) octets[c] = c;
    if (c >= 0xE3 && c <= 0xED) octets[c] = kWide;
  }
  octets[static_cast<uint8_t>('@')] = kAt;
  return octets;
}();

constexpr uint64_t kNumber = 0x9E3779B97F4A7C15ull;

class WordShingles {
 public:
  explicit WordShingles(TextSketch& sketch) : sketch_(sketch) {}

  void word(uint64_t hash) {
    // "12 345,67" and "12345" are the same number to us, and so is a row of them.
    if (hash == kNumber && last_ == kNumber) return;
    if (last_ != 0) {
      sketch_.add(mixed(last_ * 0x94D049BB133111EBull + hash));
    }
    last_ = hash;
  }

 private:
  TextSketch& sketch_;
  uint64_t last_ = 0;
};

bool begins_address(std::string_view text, size_t at, size_t word) {
  const size_t length = at - word;
  if (length >= 4 && length <= 5 && text.substr(at, 3) == "://") return true;
  return length == 3 && at < text.size() && text[at] == '.' && (text[word] | 0x20) == 'w' &&
         (text[word + 1] | 0x20) == 'w' && (text[word + 2] | 0x20) == 'w';
}

constexpr bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

size_t skip_to_space(std::string_view text, size_t at) {
  while (at < text.size() && !is_space(text[at])) ++at;
  return at;
}

size_t skip_quotes(std::string_view text, size_t at) {
  while (at < text.size() && text[at] == '>') {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return text.size();
    at = end + 1;
  }
  return at;
}

}  // namespace

void add_shingles(std::string_view text, Quotes quotes, TextSketch& sketch) {
  WordShingles shingles(sketch);
  uint64_t wide_before = 0;
  for (size_t at = quotes == Quotes::skipped ? skip_quotes(text, 0) : 0; at < text.size();) {
    const auto octet = static_cast<uint8_t>(text[at]);
    const uint8_t what = kTextOctets[octet];
    if (what == 0 || what == kAt) {
      ++at;
      if (octet == '\n' && quotes == Quotes::skipped) at = skip_quotes(text, at);
      continue;
    }
    if (what == kWide) {
      uint64_t character = 0;
      const size_t size = std::min<size_t>(3, text.size() - at);
      std::memcpy(&character, text.data() + at, size);
      if (wide_before != 0) shingles.word(mixed(wide_before * 0x9E3779B97F4A7C15ull + character));
      wide_before = character;
      at += size;
      continue;
    }
    wide_before = 0;
    const size_t begin = at;
    uint64_t hash = 0x243F6A8885A308D3ull;
    bool number = false;
    for (; at < text.size(); ++at) {
      const uint8_t next = kTextOctets[static_cast<uint8_t>(text[at])];
      if (next == 0 || next == kWide || next == kAt) break;
      number |= next == kDigit;
      hash = (hash ^ next) * 0x100000001B3ull;
    }
    if (at < text.size() && (text[at] == '@' || text[at] == ':' || text[at] == '.') &&
        (text[at] == '@' || begins_address(text, at, begin))) {
      at = skip_to_space(text, at);
      continue;
    }
    shingles.word(number ? kNumber : hash);
  }
}

namespace {

constexpr std::array<uint8_t, 256> kNameOctets = [] {
  std::array<uint8_t, 256> octets{};
  for (unsigned octet = 0; octet < 128; ++octet) {
    const auto c = static_cast<uint8_t>(octet);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-') octets[c] = c;
    if (c >= 'A' && c <= 'Z') octets[c] = static_cast<uint8_t>(c | 0x20);
  }
  return octets;
}();

constexpr uint64_t kBasis = 0xCBF29CE484222325ull, kPrime = 0x100000001B3ull;

constexpr uint64_t name_hash(std::string_view name) {
  uint64_t hash = kBasis;
  for (const char c : name) hash = (hash ^ kNameOctets[static_cast<uint8_t>(c)]) * kPrime;
  return hash;
}

// What a template's maker chose and a mail's writer does not: looks, not addresses, names or texts.
constexpr std::array kLooks = {
    name_hash("width"),  name_hash("height"),      name_hash("bgcolor"),     name_hash("color"),   name_hash("style"),
    name_hash("class"),  name_hash("align"),       name_hash("valign"),      name_hash("face"),    name_hash("size"),
    name_hash("border"), name_hash("cellpadding"), name_hash("cellspacing"), name_hash("colspan"), name_hash("type")};

bool is_look(uint64_t name) { return std::ranges::find(kLooks, name) != kLooks.end(); }

class TagReader {
 public:
  explicit TagReader(std::string_view html) : html_(html) {}

  // Finds the next start tag and gives its hash; false at the end.
  bool next(uint64_t& tag) {
    for (;;) {
      const void* found = at_ < html_.size() ? std::memchr(html_.data() + at_, '<', html_.size() - at_) : nullptr;
      if (found == nullptr) return false;
      at_ = static_cast<size_t>(static_cast<const char*>(found) - html_.data()) + 1;
      if (at_ >= html_.size() || kNameOctets[octet()] < 'a') continue;
      tag = name();
      attributes(tag);
      return true;
    }
  }

 private:
  uint8_t octet() const { return static_cast<uint8_t>(html_[at_]); }
  uint64_t name() {
    uint64_t hash = kBasis;
    for (; at_ < html_.size(); ++at_) {
      const uint8_t c = kNameOctets[octet()];
      if (c == 0) break;
      hash = (hash ^ c) * kPrime;
    }
    return hash;
  }
  void attributes(uint64_t& tag) {
    while (at_ < html_.size() && html_[at_] != '>' && html_[at_] != '<') {
      if (kNameOctets[octet()] == 0) {
        ++at_;
        continue;
      }
      const uint64_t attribute = name();
      tag = mixed(tag + attribute);
      if (at_ < html_.size() && html_[at_] == '=') {
        ++at_;
        const std::string_view said = value();
        if (is_look(attribute)) tag = looks(tag, said);
      }
    }
  }
  std::string_view value() {
    if (at_ >= html_.size()) return {};
    size_t end = 0;
    if (html_[at_] == '"' || html_[at_] == '\'') {
      const char quote = html_[at_++];
      end = html_.find(quote, at_);
    } else {
      end = html_.find_first_of(" \t\r\n>", at_);
    }
    const std::string_view said = html_.substr(at_, end == std::string_view::npos ? end : end - at_);
    at_ += said.size();
    if (at_ < html_.size() && html_[at_] != '>') ++at_;
    return said;
  }
  // Case, spaces and signs do not matter.
  static uint64_t looks(uint64_t tag, std::string_view said) {
    for (const char c : said.substr(0, 200)) {
      if (const uint8_t octet = kNameOctets[static_cast<uint8_t>(c)]) tag = (tag ^ octet) * kPrime;
    }
    return tag;
  }

  std::string_view html_;
  size_t at_ = 0;
};

}  // namespace

void add_structure(std::string_view html, StructureSketch& sketch) {
  TagReader reader(html);
  std::array<uint64_t, 3> before{};
  for (uint64_t tag = 0; reader.next(tag);) {
    if (before[2] != 0) {
      sketch.add(mixed(before[2] * 0xBF58476D1CE4E5B9ull + before[1] * 0x94D049BB133111EBull +
                       before[0] * 0x9E3779B97F4A7C15ull + tag));
    }
    before = {tag, before[0], before[1]};
  }
}

}  // namespace doorward::trust
