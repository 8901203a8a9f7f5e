#include "filter/entries.h"

#include <fmt/format.h>

#include "filter/entries_state.h"
#include "filter/letters.h"
#include "mail/address.h"
#include "mail/ascii.h"
#include "mail/wildcard.h"

namespace doorward::filter {
namespace {

constexpr size_t kMostEntries = 100'000;
constexpr size_t kLongestPattern = 320;  // bytes: the longest address, and more than enough of a phrase

// "example.org" or "@example.org": the form to compare with, or nothing where it is no domain and no pattern.
std::string domain_key(std::string_view pattern) {
  if (pattern.starts_with('@')) pattern.remove_prefix(1);
  if (!mail::has_wildcard(pattern)) {
    if (const auto domain = mail::parse_domain(pattern)) return domain->key();
  }
  return mail::lowered(pattern);
}

std::string sender_key(std::string_view pattern) {
  if (!mail::has_wildcard(pattern)) {
    if (const auto mailbox = mail::parse_mailbox(pattern)) return mailbox->key();
  }
  return mail::lowered(pattern);
}

Result<void> check(const Entry& entry) {
  if (entry.pattern.empty()) return fail("The pattern is empty.");
  if (entry.pattern.size() > kLongestPattern) return fail("The pattern is longer than 320 bytes.");
  if (!is_utf8(entry.pattern)) return fail("The pattern is not UTF-8.");
  if (entry.kind == EntryKind::network && !mail::Network::parse(entry.pattern)) {
    return fail(
        "This is no IP address and no network; write 192.0.2.0/24 or 2001:db8::/32, without bits beyond the prefix.");
  }
  if (entry.kind == EntryKind::sender && entry.pattern != "<>" && !entry.pattern.contains('@') &&
      !entry.pattern.contains('*')) {
    return fail("A sender needs an @; to name all senders of a domain, choose the kind \"sender's domain\".");
  }
  if (entry.pattern.find_first_not_of("*? ") == std::string::npos) return fail("The pattern would match everything.");
  return {};
}

}  // namespace

std::string folded_part(std::string_view utf8) {
  std::string made;
  made.reserve(utf8.size());
  bool space = false;
  for (size_t at = 0; at < utf8.size();) {
    const char32_t c = next_character(utf8, at);
    const Letter letter = letter_of(c);
    if (letter.invisible) continue;
    if (letter.space) {
      space = true;
      continue;
    }
    if (space) made += ' ';
    space = false;
    append_utf8(made, folded(c));
  }
  if (space) made += ' ';
  return made;
}

Entries::Entries(std::unique_ptr<State> state) : state_(std::move(state)) {}
Entries::~Entries() = default;
uint64_t Entries::owner() const { return state_->owner; }

Result<std::unique_ptr<const Entries>> Entries::compile(uint64_t owner, std::vector<Entry> entries) {
  if (entries.size() > kMostEntries)
    return fail(fmt::format("There are {} entries; at most {} are allowed.", entries.size(), kMostEntries));
  auto state = std::make_unique<State>();
  state->owner = owner;
  state->entries = std::move(entries);
  state->folded.resize(state->entries.size());
  for (uint32_t i = 0; i < state->entries.size(); ++i) {
    const Entry& entry = state->entries[i];
    if (auto checked = check(entry); !checked)
      return fail(checked.error().what, fmt::format("entry \"{}\"", entry.pattern));
    const auto put = [&](std::string key, State::Index& exact, std::vector<uint32_t>& patterns) {
      if (mail::has_wildcard(key)) {
        patterns.push_back(i);
      } else {
        exact.emplace(key, i);
      }
      state->folded[i] = std::move(key);
    };
    switch (entry.kind) {
      case EntryKind::sender:
        put(entry.pattern == "<>" ? "" : sender_key(entry.pattern), state->senders, state->sender_patterns);
        break;
      case EntryKind::sender_domain:
        put(domain_key(entry.pattern), state->domains, state->domain_patterns);
        break;
      case EntryKind::file_name:
        put(folded_part(entry.pattern), state->file_names, state->file_patterns);
        break;
      case EntryKind::network: {
        const auto network = *mail::Network::parse(entry.pattern);
        state->networks[network.prefix()].emplace(network.base(), i);
        break;
      }
      case EntryKind::subject_part:
      case EntryKind::body_part:
        state->folded[i] = "*" + folded_part(entry.pattern) + "*";
        (entry.kind == EntryKind::subject_part ? state->subject_parts : state->body_parts).push_back(i);
        break;
    }
  }
  return std::unique_ptr<const Entries>(new Entries(std::move(state)));
}

}  // namespace doorward::filter
