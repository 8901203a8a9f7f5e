// Names that a test owns. Anything not set does not exist (nxdomain), or has no data where another type is set.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "net/resolver.h"

namespace doorward::net::test {

inline std::string wire_name(std::string_view name) {
  std::string wire;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    wire += static_cast<char>(label.size());
    wire += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  return wire + '\0';
}

class FakeResolver final : public Resolver {
 public:
  void a(const std::string& name, std::string_view ip) { address(name, DnsType::a, ip, 12); }
  void aaaa(const std::string& name, std::string_view ip) { address(name, DnsType::aaaa, ip, 0); }
  // exchange "." is the null MX.
  void mx(const std::string& name, unsigned preference, std::string_view exchange) {
    std::string rdata{static_cast<char>(preference >> 8), static_cast<char>(preference)};
    record(name, DnsType::mx, rdata + wire_name(exchange == "." ? "" : exchange));
  }
  void txt(const std::string& name, std::string_view content) {
    std::string rdata;
    do {
      const std::string_view piece = content.substr(0, 255);
      rdata += static_cast<char>(piece.size());
      rdata += piece;
      content.remove_prefix(piece.size());
    } while (!content.empty());
    record(name, DnsType::txt, rdata);
  }
  void ptr(const std::string& name, std::string_view target) { record(name, DnsType::ptr, wire_name(target)); }
  void record(const std::string& name, DnsType type, std::string rdata) {
    const std::lock_guard hold(lock_);
    Answer& answer = answers_[{dns_name(name), type}];
    answer.status = DnsStatus::found;
    answer.rdata.push_back(std::move(rdata));
  }
  // For this name and type; canonical: as if a CNAME had led there.
  void status(const std::string& name, DnsType type, DnsStatus status) { edit(name, type).status = status; }
  void authenticated(const std::string& name, DnsType type) { edit(name, type).authenticated = true; }
  void canonical(const std::string& name, DnsType type, std::string target) {
    edit(name, type).canonical = std::move(target);
  }
  // The answer takes so long; the deadline may come first.
  void delay(const std::string& name, DnsType type, std::chrono::milliseconds time) { edit(name, type).delay = time; }
  // As if all name servers were unreachable: every lookup ends at its deadline.
  void die(bool dead = true) {
    const std::lock_guard hold(lock_);
    dead_ = dead;
  }
  size_t asked(const std::string& name, DnsType type) {
    const std::lock_guard hold(lock_);
    return asked_[{dns_name(name), type}];
  }
  size_t asked() {
    const std::lock_guard hold(lock_);
    return lookups_;
  }

  Task<DnsAnswer> lookup(Core& core, std::string name, DnsType type, SteadyTime deadline) override {
    const SteadyTime start = std::chrono::steady_clock::now();
    name = dns_name(name);
    const Answer answer = find(name, type);
    const SteadyTime ready = start + answer.delay;
    const SteadyTime until = std::min(deadline, ready);
    if (until > start) co_await core.sleep(std::chrono::ceil<std::chrono::milliseconds>(until - start));
    if (ready > deadline) co_return dns_failure(DnsStatus::timeout);
    DnsAnswer result = dns_failure(answer.status);
    result.authenticated = answer.authenticated;
    result.ttl = std::chrono::seconds(300);
    result.took = std::chrono::duration_cast<std::chrono::microseconds>(answer.delay);
    if (answer.status == DnsStatus::found) {
      result.records = std::make_shared<DnsRecords>(DnsRecords{type, answer.canonical, answer.rdata});
    }
    co_return result;
  }

 private:
  struct Answer {
    DnsStatus status = DnsStatus::no_data;
    bool authenticated = false;
    std::chrono::milliseconds delay{0};
    std::string canonical;
    std::vector<std::string> rdata;
  };
  using Key = std::pair<std::string, DnsType>;

  void address(const std::string& name, DnsType type, std::string_view ip, size_t skip) {
    const auto parsed = mail::IpAddress::parse(ip);
    if (!parsed) std::abort();
    const auto& bytes = parsed->bytes();
    record(name, type, std::string(bytes.begin() + static_cast<ptrdiff_t>(skip), bytes.end()));
  }
  Answer& edit(const std::string& name, DnsType type) {
    const std::lock_guard hold(lock_);
    return answers_[{dns_name(name), type}];
  }
  Answer find(const std::string& name, DnsType type) {
    const std::lock_guard hold(lock_);
    ++lookups_;
    ++asked_[{name, type}];
    Answer answer;
    if (const auto known = answers_.find({name, type}); known != answers_.end()) {
      answer = known->second;
    } else {
      const auto other = answers_.lower_bound({name, DnsType{0}});
      if (other == answers_.end() || other->first.first != name) answer.status = DnsStatus::nxdomain;
    }
    if (dead_) answer.delay = std::chrono::hours(1);
    return answer;
  }

  std::mutex lock_;
  std::map<Key, Answer> answers_;
  std::map<Key, size_t> asked_;
  size_t lookups_ = 0;
  bool dead_ = false;
};

}  // namespace doorward::net::test
