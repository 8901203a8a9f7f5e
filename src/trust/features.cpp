#include "trust/features.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

namespace doorward::trust {
namespace {

// Seeds keep the families of features apart.
enum Seed : uint64_t {
  kBody = 0,
  kPartHeader = 5,
  kLink = 7,
  kHidden = 9,
  kSubject = 11,
  kFileName = 13,
  kFieldOrder = 99,
  kShape = 101,
};

// Where a mail is long, its beginning says enough; the bounds keep a mail's cost bounded too.
constexpr size_t kHeaderWords = 300;
constexpr size_t kFieldWords = 60;
constexpr size_t kBodyWords = 1000;
constexpr size_t kLinks = 30;
constexpr size_t kWordLength = 40;
constexpr size_t kGram = 5;
constexpr size_t kGramHeader = 2500;
constexpr size_t kGramText = 2500;
constexpr size_t kGramPartHeader = 400;
constexpr size_t kGramLinks = 600;

constexpr uint64_t mix(uint64_t value) {
  value *= 0xBF58476D1CE4E5B9ull;
  return value ^ (value >> 31);
}

uint64_t hash_of(std::string_view text, uint64_t seed) { return XXH3_64bits_withSeed(text.data(), text.size(), seed); }

// Which octets make words: bit 0 in texts, bit 1 in header fields. All of UTF-8 beyond ASCII counts as letters.
constexpr std::array<uint8_t, 256> kWordOctets = [] {
  std::array<uint8_t, 256> octets{};
  for (unsigned octet = 0; octet < 256; ++octet) {
    const bool letter = (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'z') ||
                        (octet >= 'A' && octet <= 'Z') || octet >= 128;
    octets[octet] = letter ? 3 : 0;
  }
  for (const char octet : {'$', '-', '!', '_'}) octets[static_cast<uint8_t>(octet)] = 3;
  octets[static_cast<uint8_t>('\'')] = 1;
  for (const char octet : {'.', '@', '/', '+'}) octets[static_cast<uint8_t>(octet)] = 2;
  return octets;
}();

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// Hashes in order of first appearance, each once. Compares 32 bits only: of 4,000 features one in a thousand mails
// loses one by chance, and the table that does it stays in the first-level cache.
class Distinct {
 public:
  explicit Distinct(std::vector<uint64_t>& into) : into_(into) {
    into_.clear();
    seen_.fill(0);
  }
  bool full() const { return into_.size() >= kMostFeatures; }
  void add(uint64_t hash) {
    const uint32_t mark = static_cast<uint32_t>(hash >> 32) | 1;
    size_t at = hash % seen_.size();
    while (seen_[at] != 0) {
      if (seen_[at] == mark) return;
      at = (at + 1) % seen_.size();
    }
    if (full()) return;
    seen_[at] = mark;
    into_.push_back(hash);
  }

 private:
  std::vector<uint64_t>& into_;
  static thread_local std::array<uint32_t, 8192> seen_;
};
thread_local std::array<uint32_t, 8192> Distinct::seen_;

// Gives every feature to `Sink::add(hash)`, or `Sink::add(hash, first, second)` for words and pairs of words.
template <class Sink>
class Gatherer {
 public:
  Gatherer(const mime::Message& message, Sink& sink) : message_(message), sink_(sink) {}

  void subject() {
    start("subject:");
    words(message_.subject(), kSubject, 2, kFieldWords);
  }
  void texts() {
    size_t left = kBodyWords;
    for (const mime::Text& text : message_.texts()) {
      start({});
      left -= words(text.visible, kBody, 1, left);
      if (!text.hidden.empty()) {
        start("hidden:");
        words(text.hidden, kHidden, 1, 100);
      }
    }
  }
  void links() {
    size_t left = kLinks;
    for (const mime::Link& link : message_.links()) {
      if (left-- == 0) break;
      start("link:");
      words(link.url, kLink, 1, 12);
    }
  }
  void headers() {
    size_t left = kHeaderWords;
    uint64_t before = 0, before_that = 0;
    for (const mime::Header& field : message_.headers().fields()) {
      const uint64_t name = field_name(field.name);
      if (name == 0) continue;
      pair(before_that, name ^ kFieldOrder, 2);
      pair(before, name ^ kFieldOrder, 1);
      before_that = before;
      before = name ^ kFieldOrder;
      if (left == 0) continue;
      start({});
      word(name);
      left -= std::min(left, 1 + words(field.value, name, 2, kFieldWords));
    }
  }
  void parts() {
    start({});
    size_t left = kFieldWords;
    for (const mime::Part& part : message_.parts()) {
      if (part.index != 0) {
        for (const mime::Header& field : part.headers.fields()) {
          if (left == 0) break;
          left -= words(field.name, kPartHeader, 2, left);
          left -= words(field.value, kPartHeader, 2, left);
        }
      }
      if (!part.file_name.empty()) {
        const size_t dot = part.file_name.rfind('.');
        const std::string_view ending =
            dot == std::string::npos ? std::string_view("none") : std::string_view(part.file_name).substr(dot + 1);
        sink_.add(hash_of(ending, kFileName));
      }
      sink_.add(hash_of(part.type, hash_of(part.subtype, static_cast<uint64_t>(part.encoding) + kShape)));
      if (part.is_text()) sink_.add(hash_of(part.charset, kShape));
      if (sink_.full()) return;
    }
  }
  void shape() {
    size_t characters = 0, hidden = 0;
    for (const mime::Text& text : message_.texts()) {
      characters += text.visible.size();
      hidden += text.hidden.size();
    }
    const mime::HtmlFacts& html = message_.html();
    const size_t measures[] = {message_.raw().size(),
                               characters,
                               hidden,
                               message_.links().size(),
                               html.images,
                               html.forms,
                               html.scripts,
                               html.remote_images,
                               message_.parts().size()};
    for (size_t which = 0; which < std::size(measures); ++which) {
      sink_.add(mix(kShape + which * 64 + static_cast<size_t>(std::bit_width(measures[which])) + 0x5000));
    }
    for (const mime::Oddity& oddity : message_.oddities()) sink_.add(hash_of(oddity.name, kShape));
  }
  void header_grams() {
    size_t left = kGramHeader;
    for (const mime::Header& field : message_.headers().fields()) {
      if (left == 0) break;
      if (field_name(field.name) == 0) continue;
      const size_t length = std::min(left, field.length);
      grams(message_.raw().substr(field.offset, length));
      left -= length;
    }
    left = kGramPartHeader;
    for (const mime::Part& part : message_.parts()) {
      if (part.index == 0 || part.headers.fields().empty()) continue;
      left -= grams(std::string_view(part.raw).substr(0, std::min<size_t>(left, size_of_header(part))));
    }
  }
  void text_grams() {
    size_t left = kGramText;
    for (const mime::Text& text : message_.texts()) left -= grams(std::string_view(text.visible).substr(0, left));
    left = kGramLinks;
    for (const mime::Link& link : message_.links()) left -= grams(std::string_view(link.url).substr(0, left));
  }

 private:
  static size_t size_of_header(const mime::Part& part) {
    return part.raw.size() - std::min(part.raw.size(), part.body.size());
  }

  // 0 for fields that say what another filter thought, which anyone may forge.
  static uint64_t field_name(std::string_view name) {
    char small[kWordLength];
    const size_t length = std::min(name.size(), kWordLength);
    std::transform(name.begin(), name.begin() + static_cast<ptrdiff_t>(length), small, lower);
    const std::string_view lowered(small, length);
    if (lowered.starts_with("x-spam") || lowered.starts_with("x-doorward") || lowered.starts_with("x-bogosity")) {
      return 0;
    }
    return hash_of(lowered, 0) | 1;
  }

  void start(std::string_view prefix) {
    last_ = last_but_one_ = 0;
    prefix_ = prefix;
    last_text_ = last_but_one_text_ = {};
  }

  void pair(uint64_t first, uint64_t second, unsigned distance) {
    if (first != 0) sink_.add(pair_hash(first, second, distance));
  }

  // One word, and its pairs with the two before it (sparse bigrams: what stands between does not matter).
  void word(uint64_t hash, std::string_view text = {}) {
    if constexpr (Sink::kNamed) {
      sink_.name(hash, prefix_, {}, text);
      if (last_ != 0) sink_.name(pair_hash(last_, hash, 1), prefix_, last_text_, text);
      if (last_but_one_ != 0) sink_.name(pair_hash(last_but_one_, hash, 2), prefix_, last_but_one_text_, text);
      last_but_one_text_ = last_text_;
      last_text_ = text;
    } else {
      sink_.add(hash);
      if (last_ != 0) sink_.add(pair_hash(last_, hash, 1));
      if (last_but_one_ != 0) sink_.add(pair_hash(last_but_one_, hash, 2));
    }
    last_but_one_ = last_;
    last_ = hash;
  }
  static uint64_t pair_hash(uint64_t first, uint64_t second, unsigned distance) {
    return mix((first + 0x1234567) * (distance == 1 ? 0x9E3779B97F4A7C15ull : 0xC2B2AE3D27D4EB4Full) ^ second);
  }

  // The words of `text`, at most `most`; `kind` is the bit of kWordOctets; header words keep their case, which tells
  // programs apart. Returns how many there were.
  size_t words(std::string_view text, uint64_t seed, uint8_t kind, size_t most) {
    size_t count = 0, at = 0;
    while (count < most && !sink_.full()) {
      while (at < text.size() && (kWordOctets[static_cast<uint8_t>(text[at])] & kind) == 0) ++at;
      if (at == text.size()) break;
      const size_t begin = at;
      while (at < text.size() && (kWordOctets[static_cast<uint8_t>(text[at])] & kind) != 0) ++at;
      const std::string_view found = text.substr(begin, std::min(at - begin, kWordLength));
      if (kind == 2) {
        word(hash_of(found, seed) | 1, found);
      } else {
        char small[kWordLength];
        std::transform(found.begin(), found.end(), small, lower);
        word(hash_of({small, found.size()}, seed) | 1, found);
      }
      ++count;
    }
    return count;
  }

  size_t grams(std::string_view text) {
    for (size_t at = 0; at + kGram <= text.size() && !sink_.full(); ++at) {
      uint64_t octets = 0;
      std::memcpy(&octets, text.data() + at, kGram);
      uint64_t hash = octets * 0x9E3779B97F4A7C15ull;
      hash ^= hash >> 29;
      hash *= 0xBF58476D1CE4E5B9ull;
      sink_.add(hash ^ (hash >> 32));
    }
    return text.size();
  }

  const mime::Message& message_;
  Sink& sink_;
  uint64_t last_ = 0, last_but_one_ = 0;
  std::string_view prefix_, last_text_, last_but_one_text_;
};

struct Hashes : Distinct {
  static constexpr bool kNamed = false;
  using Distinct::Distinct;
};

struct Names {
  static constexpr bool kNamed = true;
  const std::function<void(const NamedFeature&)>& visit;
  size_t visited = 0;
  bool full() const { return visited >= kMostFeatures; }
  void add(uint64_t) {}
  void name(uint64_t hash, std::string_view where, std::string_view first, std::string_view second) {
    if (full()) return;
    ++visited;
    visit({hash, where, first, second});
  }
};

}  // namespace

void features_of(const mime::Message& message, Features& into) {
  into.hashes.reserve(kMostFeatures);
  Hashes sink(into.hashes);
  Gatherer<Hashes> gather(message, sink);
  gather.shape();
  gather.subject();
  gather.headers();
  gather.parts();
  into.next[0] = into.hashes.size();
  gather.links();
  gather.texts();
  into.next[1] = into.hashes.size();
  gather.header_grams();
  into.next[2] = into.hashes.size();
  gather.text_grams();
}

Features features_of(const mime::Message& message) {
  Features features;
  features_of(message, features);
  return features;
}

std::string NamedFeature::text() const {
  std::string text(where);
  text.append(first);
  if (!first.empty()) text.push_back(' ');
  text.append(second);
  return text;
}

void for_each_named_feature(const mime::Message& message, const std::function<void(const NamedFeature&)>& visit) {
  Names sink{.visit = visit};
  Gatherer<Names> gather(message, sink);
  gather.subject();
  gather.links();
  gather.texts();
}

}  // namespace doorward::trust
