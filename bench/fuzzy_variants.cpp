#include "fuzzy_variants.h"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace doorward::bench {
namespace {

using Random = std::mt19937_64;

constexpr std::array kCommon = {"account", "today",  "people", "offer",  "service", "really", "family", "number",
                                "receive", "person", "always", "online", "company", "moment", "simple", "market",
                                "quality", "report", "future", "change", "product", "friend", "letter", "season"};
constexpr std::array kNames = {"Anna", "Bernd", "Carol", "Dirk", "Elena", "Farid", "Greta", "Hiro"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) > 127;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string letters(Random& random, size_t count) {
  std::string made;
  while (made.size() < count) made += static_cast<char>('a' + random() % 26);
  return made;
}

// Words, numbers and addresses changed within one run of text.
std::string change_words(std::string_view text, unsigned one_in, Random& random) {
  std::string made;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    if (text.substr(at, 4) == "http") {
      while (end < text.size() && !is_space(text[end]) && text[end] != '<' && text[end] != '"') ++end;
      made += "http://" + letters(random, 9) + ".example/" + letters(random, 5);
    } else if (is_digit(text[at])) {
      for (; end < text.size() && is_digit(text[end]); ++end) made += static_cast<char>('0' + random() % 10);
    } else if (is_letter(text[at])) {
      while (end < text.size() && is_letter(text[end])) ++end;
      if (one_in != 0 && end - at > 3 && random() % one_in == 0) {
        made += kCommon[random() % kCommon.size()];
      } else {
        made += text.substr(at, end - at);
      }
    } else {
      made += text[end++];
    }
    at = end;
  }
  return made;
}

std::string sentence(Random& random, size_t words, bool nonsense) {
  std::string made;
  for (size_t word = 0; word < words; ++word) {
    made += nonsense ? letters(random, 3 + random() % 7) : std::string(kCommon[random() % kCommon.size()]);
    made += word + 1 == words ? ".\n" : " ";
  }
  return made;
}

// Splits at empty lines, or at <p, <br, <div, <tr and the like.
std::vector<std::string> paragraphs(std::string_view body, bool html) {
  std::vector<std::string> found;
  size_t begin = 0;
  for (size_t at = 1; at < body.size(); ++at) {
    const bool cut = html ? body[at] == '<' && (body.substr(at, 3) == "<p>" || body.substr(at, 3) == "<P>" ||
                                                body.substr(at, 3) == "<p " || body.substr(at, 3) == "<P ")
                          : body[at] == '\n' && body[at - 1] == '\n';
    if (!cut) continue;
    found.emplace_back(body.substr(begin, at - begin));
    begin = at;
  }
  found.emplace_back(body.substr(begin));
  return found;
}

std::string change_body(std::string_view body, bool html, unsigned one_in, Random& random) {
  if (!html) return change_words(body, one_in, random);
  std::string made;
  for (size_t at = 0; at < body.size();) {
    const size_t open = std::min(body.find('<', at), body.size());
    made += change_words(body.substr(at, open - at), one_in, random);
    const size_t close = std::min(body.find('>', open), body.size());
    std::string tag(body.substr(open, close - open));
    if (const size_t address = tag.find("http"); address != std::string::npos) {
      const size_t end = tag.find_first_of("\"' >", address);
      tag.replace(address, end == std::string::npos ? end : end - address,
                  "http://" + letters(random, 9) + ".example/" + letters(random, 5));
    }
    made += tag;
    at = close;
    if (at == open && at < body.size()) made += body[at++];
  }
  return made;
}

}  // namespace

std::string changed(std::string_view body, bool html, Change change, uint64_t seed) {
  Random random(seed * 3 + static_cast<uint64_t>(change));
  const unsigned one_in = change == Change::light ? 0 : change == Change::medium ? 20 : 8;
  std::vector<std::string> parts = paragraphs(body, html);
  if (change == Change::heavy && parts.size() > 3) {
    // The first stays, so that an HTML document's head does.
    std::shuffle(parts.begin() + 1, parts.end(), random);
    parts.pop_back();
  }
  std::string made = html ? std::string() : "Dear " + std::string(kNames[random() % kNames.size()]) + ",\n\n";
  for (size_t part = 0; part < parts.size(); ++part) {
    made += change_body(parts[part], html, one_in, random);
    if (change != Change::light && part == parts.size() / 2) made += " " + sentence(random, 12, false);
  }
  if (change != Change::light) made += (html ? "<p>" : "\n\n") + sentence(random, 20, true);
  made += (html ? "<br>" : "\n") + letters(random, 12) + "\n";
  return made;
}

}  // namespace doorward::bench
