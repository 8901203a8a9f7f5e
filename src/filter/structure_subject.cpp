#include <algorithm>
#include <array>
#include <string>

#include "filter/structure_signs.h"
#include "mail/ascii.h"

namespace doorward::filter {
namespace {

constexpr size_t kCapitals = 12;  // letters; shorter subjects may be a name or an abbreviation

// RFC 5322 §3.6: these stand at most once.
void check_duplicates(Signs& signs) {
  constexpr std::array kOnce = std::to_array<std::string_view>(
      {"From", "Sender", "Reply-To", "To", "Cc", "Message-ID", "In-Reply-To", "References", "Subject", "Date"});
  std::array<unsigned, kOnce.size()> seen{};
  for (const auto& field : signs.message().headers().fields()) {
    for (size_t i = 0; i < kOnce.size(); ++i) {
      if (field.name.size() == kOnce[i].size() && mail::equal_ignoring_case(field.name, kOnce[i]) && ++seen[i] == 2) {
        signs.found(Sign::header_duplicate, kOnce[i]);
      }
    }
  }
}

void check_capitals(Signs& signs, const std::string& subject) {
  size_t capitals = 0;
  bool spaced = false;
  for (const char c : subject) {
    if (c >= 'a' && c <= 'z') return;
    capitals += c >= 'A' && c <= 'Z' ? 1 : 0;
    spaced |= c == ' ';
  }
  if (capitals >= kCapitals && spaced) signs.found(Sign::subject_capitals, subject);
}

}  // namespace

void check_subject(Signs& signs) {
  check_duplicates(signs);
  const auto* field = signs.message().headers().find("Subject");
  if (field == nullptr) return signs.found(Sign::subject_missing);
  const std::string& subject = signs.message().subject();
  if (subject.find_first_not_of(" \t") == std::string::npos) return signs.found(Sign::subject_empty);
  check_capitals(signs, subject);
  const bool ascii = std::ranges::all_of(subject, [](char c) { return static_cast<unsigned char>(c) < 128; });
  if (ascii && field->value.contains("=?") && field->value.contains("?=") && !subject.contains("=?")) {
    signs.found(Sign::subject_needlessly_encoded, subject);
  }
  if (!ascii) {
    const std::string mixed = mixed_script_word(subject);
    if (!mixed.empty()) signs.found(Sign::subject_mixed_scripts, mixed);
  }
}

}  // namespace doorward::filter
