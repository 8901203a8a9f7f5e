#include "filter/proven_sender.h"

#include <algorithm>
#include <string>

#include "filter/entries_state.h"
#include "mail/wildcard.h"

namespace doorward::filter {
namespace {

bool is_proven(const Entries::State& entries, const Entries::State::Index& exact, const std::vector<uint32_t>& patterns,
               const std::string& text, const mail::IpAddress& ip) {
  const auto proves = [&](uint32_t i) {
    const Entry& entry = entries.entries[i];
    return entry.pass && entry.recorded_network && entry.recorded_network->contains(ip);
  };
  const auto [begin, end] = exact.equal_range(text);
  if (std::any_of(begin, end, [&](const auto& found) { return proves(found.second); })) return true;
  return std::ranges::any_of(
      patterns, [&](uint32_t i) { return proves(i) && mail::wildcard_match_ignoring_case(entries.folded[i], text); });
}

}  // namespace

bool is_sender_proven(const Facts& facts, std::span<const Entries* const> entries, const mail::Client& client,
                      const mail::ReversePath& sender) {
  if (sender.null) return false;
  const std::string address = sender.mailbox.key();
  const std::string domain = sender.mailbox.domain.key();
  if (facts.proves(domain)) return true;
  return std::ranges::any_of(entries, [&](const Entries* each) {
    const Entries::State& of = each->state();
    return is_proven(of, of.senders, of.sender_patterns, address, client.ip) ||
           is_proven(of, of.domains, of.domain_patterns, domain, client.ip);
  });
}

}  // namespace doorward::filter
