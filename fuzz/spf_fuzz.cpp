// SPF: records and macros alone, then a whole check whose DNS is made of the input's lines. Whatever they say, limits
// hold and what comes out is printable.
#include "mailauth/spf.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mailauth/spf_macro.h"
#include "mailauth/spf_queries.h"
#include "mailauth/spf_record.h"
#include "net/core.h"
#include "net/resolver.h"

using namespace doorward;
using namespace doorward::mailauth;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7F; });
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (lines.size() < 16) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

// Answers at once, with a line or a name taken from the input, or with a failure.
class LineResolver final : public net::Resolver {
 public:
  explicit LineResolver(std::vector<std::string_view> lines) : lines_(std::move(lines)) {}
  Task<net::DnsAnswer> lookup(net::Core& /*core*/, std::string name, net::DnsType type,
                              SteadyTime /*deadline*/) override {
    ++asked_;
    require(!name.empty() && name == net::dns_name(name));
    const size_t pick = std::hash<std::string>{}(name) + static_cast<size_t>(type);
    const std::string_view line = lines_[pick % lines_.size()];
    if (line.starts_with('!')) co_return net::dns_failure(net::DnsStatus::servfail);
    if (line.starts_with('?')) co_return net::dns_failure(net::DnsStatus::nxdomain);
    net::DnsAnswer answer = net::dns_failure(net::DnsStatus::found);
    answer.records = std::make_shared<net::DnsRecords>(net::DnsRecords{type, "", rdata(line, type)});
    co_return answer;
  }
  size_t asked() const { return asked_; }

 private:
  static std::vector<std::string> rdata(std::string_view line, net::DnsType type) {
    if (type == net::DnsType::a) return {"\xC0" + std::string("\0\2\1", 3)};
    if (type == net::DnsType::aaaa) return {std::string(16, '\1')};
    std::vector<std::string> records;
    std::string wire;
    if (type == net::DnsType::txt) {
      for (; !line.empty(); line.remove_prefix(std::min<size_t>(line.size(), 255))) {
        const std::string_view piece = line.substr(0, 255);
        wire += static_cast<char>(piece.size());
        wire += piece;
      }
      return {wire};
    }
    for (size_t i = 0; i < line.size() % 13; ++i) {
      wire = type == net::DnsType::mx ? std::string(2, static_cast<char>(i)) : "";
      const std::string_view label = line.substr(0, i);
      wire += static_cast<char>(label.size());
      wire += label;
      records.push_back(wire + (label.empty() ? "" : std::string("\7example\0", 9)));
    }
    return records;
  }

  std::vector<std::string_view> lines_;
  size_t asked_ = 0;
};

void try_macros(std::string_view spec, std::string_view local) {
  SpfMacroValues values;
  values.local = local;
  values.sender_domain = values.domain = "a.example.com";
  values.helo = local;
  values.ip = mail::IpAddress::v4(0xC0000201);
  const auto explanation = expand_explanation(spec, values);
  require(explanation.has_value() <= is_macro_string(spec, SpfMacroUse::explanation));
  if (explanation) require(explanation->size() <= kMostExplanation && is_printable(*explanation));
  if (!is_domain_spec(spec)) return;
  require(is_macro_string(spec, SpfMacroUse::domain));
  require(expand_domain(spec, values).size() <= 253);
}

void try_record(std::string_view text) {
  if (!is_spf_record(text)) return;
  const auto record = parse_spf_record(text);
  if (!record) {
    require(is_printable(record.error()) && !record.error().empty());
    return;
  }
  require(is_printable(text));
  // Written again from what was understood, it must mean the same.
  std::string again = "v=spf1";
  for (const SpfTerm& term : record->terms) {
    require(term.domain_spec.empty() || is_domain_spec(term.domain_spec));
    require(term.ip4_bits <= 32 && term.ip6_bits <= 128);
    again.append(" ").append(term.text);
  }
  if (!record->redirect.empty()) again.append(" redirect=").append(record->redirect);
  if (!record->explanation.empty()) again.append(" exp=").append(record->explanation);
  const auto reread = parse_spf_record(again);
  require(reread && reread->terms.size() == record->terms.size() && reread->redirect == record->redirect);
}

void try_check(std::string_view input) {
  static net::Core core(0);
  const std::vector<std::string_view> lines = lines_of(input);
  LineResolver resolver(lines);
  SpfOptions options;
  SpfRequest request;
  request.ip = input.size() % 2 == 0 ? mail::IpAddress::v4(0xC0000201) : *mail::IpAddress::parse("2001:db8::1");
  request.helo = std::string(lines.back());
  request.sender = std::string(lines.front()) + "@example.com";
  bool done = false;
  spawn([](net::Resolver& dns, SpfRequest asked, SpfOptions how, bool& ended) -> Task<void> {
    const SpfOutcome outcome = co_await check_spf(core, dns, std::move(asked), std::move(how));
    require(outcome.terms <= 10 && outcome.voids <= 3 && outcome.queries <= 124);
    require(is_printable(outcome.evidence) && outcome.evidence.size() <= 300);
    require(is_printable(outcome.explanation) && is_printable(outcome.mechanism));
    require(outcome.dns <= (outcome.result == mailauth::Result::temperror));
    require(outcome.result != mailauth::Result::policy);
    ended = true;
  }(resolver, std::move(request), options, done));
  require(done && resolver.asked() <= 124);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_record(text);
  const size_t middle = text.find('\n');
  try_macros(text.substr(0, middle), middle == std::string_view::npos ? "x.y-z" : text.substr(middle + 1));
  require(spf_query_name(text).size() <= 4 * 253);
  try_check(text);
  return 0;
}
