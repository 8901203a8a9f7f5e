#include "mailauth/dmarc_record.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <charconv>
#include <utility>

#include "mail/ascii.h"

namespace doorward::mailauth {
namespace {

using mail::equal_ignoring_case;

bool is_wsp(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_wsp(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_wsp(text.back())) text.remove_suffix(1);
  return text;
}

// Takes what is in front of the next `separator`, or all.
std::string_view take_until(std::string_view& text, char separator) {
  const std::string_view front = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(text.size(), front.size() + 1));
  return front;
}

std::optional<DmarcPolicy> policy_of(std::string_view value) {
  for (const DmarcPolicy policy : {DmarcPolicy::none, DmarcPolicy::quarantine, DmarcPolicy::reject}) {
    if (equal_ignoring_case(value, text(policy))) return policy;
  }
  return std::nullopt;
}

void set_policy(DmarcRecord& record, std::optional<DmarcPolicy>& policy, std::string_view value) {
  policy = policy_of(value);
  if (!policy) record.malformed_policy = true;
}

// "10m", "500k", "4096": octets; 0 for what is no size.
uint64_t size_of(std::string_view text) {
  constexpr uint64_t kMost = uint64_t{1} << 50U;
  constexpr std::string_view kUnits = "kmgt";
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc{}) return 0;
  const std::string_view unit(end, text.data() + text.size());
  if (unit.empty()) return std::min(size, kMost);
  const size_t power = kUnits.find(mail::to_lower(unit.front()));
  if (unit.size() != 1 || power == std::string_view::npos) return 0;
  const size_t shift = 10 * (power + 1);
  return size > (kMost >> shift) ? kMost : size << shift;
}

// A URI: a scheme, a colon, and something printable behind it (RFC 3986 §3). "!10m", a size of RFC 7489, is cut off.
std::optional<std::string> uri_of(std::string_view value) {
  value = trimmed(value.substr(0, value.find('!')));
  const size_t colon = value.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == value.size()) return std::nullopt;
  if (!mail::is_alpha(value.front())) return std::nullopt;
  const auto in_scheme = [](char c) { return mail::is_let_dig(c) || c == '+' || c == '-' || c == '.'; };
  if (!std::ranges::all_of(value.substr(0, colon), in_scheme)) return std::nullopt;
  if (!std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7F; })) return std::nullopt;
  return std::string(value);
}

// `limits`: of each, in octets; 0: none.
std::vector<std::string> uris_of(std::string_view value, std::vector<uint64_t>* limits = nullptr) {
  std::vector<std::string> uris;
  while (!value.empty() && uris.size() < kMostDmarcUris) {
    const std::string_view one = take_until(value, ',');
    auto uri = uri_of(one);
    if (!uri) continue;
    uris.push_back(std::move(*uri));
    const size_t limit = one.find('!');
    if (limits != nullptr) {
      limits->push_back(limit == std::string_view::npos ? 0 : size_of(trimmed(one.substr(limit + 1))));
    }
  }
  return uris;
}

std::optional<DmarcFailureOptions> failure_options_of(std::string_view value) {
  DmarcFailureOptions options;
  options.all_fail = false;
  bool known = false;
  while (!value.empty()) {
    const std::string_view option = trimmed(take_until(value, ':'));
    if (option.size() != 1) continue;
    bool* flag = nullptr;
    switch (mail::to_lower(option.front())) {
      case '0':
        flag = &options.all_fail;
        break;
      case '1':
        flag = &options.any_fail;
        break;
      case 'd':
        flag = &options.dkim;
        break;
      case 's':
        flag = &options.spf;
        break;
      default:
        continue;
    }
    *flag = known = true;
  }
  return known ? std::optional(options) : std::nullopt;
}

// "y" or "n"; else as if the tag were not there.
void set_flag(bool& flag, std::string_view value, std::string_view yes) { flag = equal_ignoring_case(value, yes); }

constexpr std::array<std::string_view, 10> kTags{"p", "sp", "np", "adkim", "aspf", "t", "psd", "rua", "ruf", "fo"};

void set_tag(DmarcRecord& record, size_t tag, std::string_view value) {
  switch (tag) {
    case 0:
      return set_policy(record, record.policy, value);
    case 1:
      return set_policy(record, record.subdomains, value);
    case 2:
      return set_policy(record, record.nonexistent, value);
    case 3:
      return set_flag(record.strict_dkim, value, "s");
    case 4:
      return set_flag(record.strict_spf, value, "s");
    case 5:
      return set_flag(record.testing, value, "y");
    case 6:
      record.suffix = equal_ignoring_case(value, "y")   ? DmarcSuffix::yes
                      : equal_ignoring_case(value, "n") ? DmarcSuffix::no
                                                        : DmarcSuffix::unsaid;
      return;
    case 7:
      record.aggregate = uris_of(value, &record.aggregate_limits);
      return;
    case 8:
      record.failure = uris_of(value);
      return;
    default:
      if (const auto options = failure_options_of(value)) record.failure_options = *options;
  }
}

// "v" equals "DMARC1": the tag in any case, its value to the letter (RFC 9989 §4.8).
bool is_version(std::string_view tag) {
  const size_t equals = tag.find('=');
  if (equals == std::string_view::npos || tag.empty() || is_wsp(tag.front())) return false;
  return equal_ignoring_case(trimmed(tag.substr(0, equals)), "v") && trimmed(tag.substr(equals + 1)) == "DMARC1";
}

}  // namespace

std::string_view text(DmarcPolicy policy) {
  switch (policy) {
    case DmarcPolicy::none:
      return "none";
    case DmarcPolicy::quarantine:
      return "quarantine";
    case DmarcPolicy::reject:
      return "reject";
  }
  return "none";
}

std::optional<DmarcRecord> parse_dmarc_record(std::string_view text) {
  text = text.substr(0, kMostDmarcRecord);
  if (!is_version(take_until(text, ';'))) return std::nullopt;
  DmarcRecord record;
  std::bitset<kTags.size()> seen;
  while (!text.empty()) {
    std::string_view value = take_until(text, ';');
    if (value.find('=') == std::string_view::npos) continue;
    const std::string_view name = trimmed(take_until(value, '='));
    const auto* known =
        std::ranges::find_if(kTags, [name](std::string_view tag) { return equal_ignoring_case(name, tag); });
    if (known == kTags.end()) continue;  // "Unknown tags MUST be ignored" (RFC 9989 §4.7); pct is one of them now
    const auto tag = static_cast<size_t>(known - kTags.begin());
    // A tag stands once (RFC 6376 §3.2): a second one is an error, and ignored as errors are.
    if (seen.test(tag)) continue;
    seen.set(tag);
    set_tag(record, tag, trimmed(value));
  }
  if (record.failure.empty()) record.failure_options = {};
  return record;
}

}  // namespace doorward::mailauth
