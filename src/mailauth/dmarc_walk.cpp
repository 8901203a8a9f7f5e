#include "mailauth/dmarc_walk.h"

#include <algorithm>
#include <utility>

#include "net/dns_answer.h"

namespace doorward::mailauth {
namespace {

constexpr size_t kLongWalk = 8;   // labels from which on the walk leaves some out (RFC 9989 §4.10 step 4)
constexpr size_t kShortened = 7;  // and goes on at so many

Task<net::DnsAnswer> ask(net::Core& core, net::Resolver& resolver, std::string_view domain, SteadyTime deadline) {
  return resolver.lookup(core, "_dmarc." + std::string(domain), net::DnsType::txt, deadline);
}

// Records of other kinds do not count; several of DMARC count as none (RFC 9989 §4.10 steps 2 and 6).
std::optional<DmarcRecord> only_record(const net::DnsAnswer& answer) {
  std::optional<DmarcRecord> result;
  for (const std::string& text : answer.texts()) {
    auto record = parse_dmarc_record(text);
    if (!record) continue;
    if (result) return std::nullopt;
    result = std::move(record);
  }
  return result;
}

// False where the walk ends here.
bool take(DmarcWalk& walk, std::string_view domain, const net::DnsAnswer& answer) {
  if (answer.temporary()) {
    walk.failure = answer.status;
    walk.failed_domain = domain;
    return false;
  }
  auto record = only_record(answer);
  if (!record) return true;
  const bool last = record->suffix != DmarcSuffix::unsaid;
  walk.found.push_back({std::string(domain), std::move(*record)});
  return !last;
}

bool ended(const DmarcWalk& walk) {
  return walk.whole || walk.failure || (!walk.found.empty() && walk.found.back().record.suffix != DmarcSuffix::unsaid);
}

}  // namespace

std::vector<std::string_view> dmarc_walk_targets(std::string_view domain) {
  std::vector<std::string_view> targets{domain};
  auto labels = static_cast<size_t>(std::ranges::count(domain, '.')) + 1;
  const size_t skipped = labels >= kLongWalk ? labels - kShortened : 1;
  for (size_t i = 0; i < skipped && labels > 1; ++i, --labels) domain.remove_prefix(domain.find('.') + 1);
  if (domain.size() == targets.front().size()) return targets;
  for (;; domain.remove_prefix(domain.find('.') + 1)) {
    targets.push_back(domain);
    if (domain.find('.') == std::string_view::npos) return targets;
  }
}

const DmarcFound* DmarcWalk::at(std::string_view domain) const {
  const auto place = std::ranges::find(found, domain, &DmarcFound::domain);
  return place == found.end() ? nullptr : &*place;
}

const DmarcFound* DmarcWalk::public_suffix() const {
  if (found.empty() || found.back().domain == start) return nullptr;
  return found.back().record.suffix == DmarcSuffix::yes ? &found.back() : nullptr;
}

std::string DmarcWalk::organizational_domain() const {
  if (found.empty()) return start;
  if (const DmarcFound* suffix = public_suffix()) {
    // One label below it, on the way from the start.
    const size_t dot = start.rfind('.', start.size() - suffix->domain.size() - 2);
    return dot == std::string::npos ? start : start.substr(dot + 1);
  }
  return found.back().domain;  // that with psd=n, or that with the fewest labels
}

Task<DmarcWalk> start_dmarc_walk(net::Core& core, net::Resolver& resolver, std::string domain, SteadyTime deadline) {
  DmarcWalk walk;
  walk.start = std::move(domain);
  ++walk.queries;
  const net::DnsAnswer answer = co_await ask(core, resolver, walk.start, deadline);
  take(walk, walk.start, answer);
  co_return walk;
}

Task<DmarcWalk> finish_dmarc_walk(net::Core& core, net::Resolver& resolver, DmarcWalk walk, SteadyTime deadline) {
  if (ended(walk)) {
    walk.whole = true;
    co_return walk;
  }
  walk.whole = true;
  std::vector<std::string_view> targets = dmarc_walk_targets(walk.start);
  targets.erase(targets.begin());
  std::vector<Task<net::DnsAnswer>> questions;
  questions.reserve(targets.size());
  for (const std::string_view domain : targets) questions.push_back(ask(core, resolver, domain, deadline));
  walk.queries += static_cast<unsigned>(questions.size());
  const std::vector<net::DnsAnswer> answers = co_await when_all(std::move(questions));
  for (size_t i = 0; i < targets.size(); ++i) {
    if (!take(walk, targets[i], answers[i])) break;
  }
  co_return walk;
}

}  // namespace doorward::mailauth
