#include "mailauth/spf_queries.h"

#include <algorithm>
#include <utility>

#include "mail/domain.h"
#include "mail/utf8.h"
#include "net/dns_answer.h"

namespace doorward::mailauth {
namespace {

constexpr size_t kMostPointers = 10;  // further ones are ignored (RFC 7208 §4.6.4)

bool is_below(std::string_view name, std::string_view domain) {
  return name.size() > domain.size() && name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.';
}

bool holds(const net::DnsAnswer& answer, const mail::IpAddress& ip) {
  const std::vector<mail::IpAddress> addresses = answer.addresses();
  return std::ranges::find(addresses, ip) != addresses.end();
}

// A label in the form that dns_name() reads; false where it cannot be encoded.
bool append_label(std::string& name, std::string_view label) {
  if (!mail::is_ascii(label)) {
    const auto encoded = mail::to_ascii(label);
    if (encoded) name += *encoded;
    return encoded.has_value();
  }
  for (const char c : label) {
    if (c == '\\') {
      name += "\\092";  // a backslash stands for itself here, and begins an escape there
    } else {
      name += c;
    }
  }
  return true;
}

}  // namespace

std::string spf_query_name(std::string_view expanded) {
  const bool ascii = mail::is_ascii(expanded);
  if (ascii && expanded.find('\\') == std::string_view::npos) return net::dns_name(expanded);
  std::string escaped;
  while (true) {
    const std::string_view label = expanded.substr(0, expanded.find('.'));
    // Label by label: others may hold what no U-label may, an underscore for one.
    if (!append_label(escaped, label)) return {};
    if (label.size() == expanded.size()) return net::dns_name(escaped);
    escaped += '.';
    expanded.remove_prefix(label.size() + 1);
  }
}

Task<net::DnsAnswer> SpfQueries::ask(std::string name, net::DnsType type) {
  if (name.empty()) co_return net::dns_failure(net::DnsStatus::nxdomain);
  if (asked_ >= most_) {
    exhausted_ = true;
    co_return net::dns_failure(net::DnsStatus::no_room);
  }
  ++asked_;
  co_return co_await resolver_.lookup(core_, std::move(name), type, deadline_);
}

Task<net::DnsAnswer> SpfQueries::ask_addresses(std::string name) {
  return ask(std::move(name), ip_.is_v4() ? net::DnsType::a : net::DnsType::aaaa);
}

Task<std::vector<net::DnsAnswer>> SpfQueries::ask_addresses(std::vector<std::string> names) {
  std::vector<Task<net::DnsAnswer>> questions;
  questions.reserve(names.size());
  for (std::string& name : names) questions.push_back(ask_addresses(std::move(name)));
  return when_all(std::move(questions));
}

Task<void> SpfQueries::find_pointers() {
  if (std::exchange(pointers_known_, true)) co_return;
  const net::DnsAnswer answer = co_await ask(net::reverse_name(ip_), net::DnsType::ptr);
  pointers_void_ = !answer.found() && !answer.temporary();
  if (!answer.found()) co_return;
  for (std::string& name : answer.names()) {
    if (pointers_.size() == kMostPointers) break;
    pointers_.push_back({std::move(name)});
  }
}

Task<std::string> SpfQueries::first_validated(std::vector<size_t> wanted) {
  std::vector<std::string> unknown;
  for (const size_t i : wanted) {
    if (!pointers_[i].valid) unknown.push_back(pointers_[i].name);
  }
  if (!unknown.empty()) {
    const std::vector<net::DnsAnswer> answers = co_await ask_addresses(std::move(unknown));
    size_t next = 0;
    for (const size_t i : wanted) {
      if (!pointers_[i].valid) pointers_[i].valid = holds(answers[next++], ip_);
    }
  }
  for (const size_t i : wanted) {
    if (*pointers_[i].valid) co_return pointers_[i].name;
  }
  co_return std::string();
}

Task<bool> SpfQueries::validated_below(std::string domain) {
  co_await find_pointers();
  // Those that could not match need not be validated.
  std::vector<size_t> wanted;
  for (size_t i = 0; i < pointers_.size(); ++i) {
    if (pointers_[i].name == domain || is_below(pointers_[i].name, domain)) wanted.push_back(i);
  }
  const std::string found = co_await first_validated(std::move(wanted));
  co_return !found.empty();
}

Task<std::string> SpfQueries::validated_name(std::string domain) {
  co_await find_pointers();
  std::vector<size_t> same, below, others;
  for (size_t i = 0; i < pointers_.size(); ++i) {
    const std::string& name = pointers_[i].name;
    (name == domain ? same : is_below(name, domain) ? below : others).push_back(i);
  }
  for (std::vector<size_t>* wanted : {&same, &below, &others}) {
    std::string found = co_await first_validated(std::move(*wanted));
    if (!found.empty()) co_return found;
  }
  co_return std::string("unknown");
}

}  // namespace doorward::mailauth
