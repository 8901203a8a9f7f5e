// A resolver made of the zone data of the SPF suites: their YAML, with its TIMEOUT entries, CNAMEs, and records of type
// SPF, which stand for TXT where a name has no TXT records of its own.
#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "mailauth/spf_queries.h"
#include "net/fake_resolver.h"

namespace doorward::mailauth::test {

class ZoneResolver final : public net::Resolver {
 public:
  explicit ZoneResolver(const YAML::Node& zone) {
    for (const auto& name : zone) add_name(spf_query_name(name.first.as<std::string>()), name.second);
  }

  Task<net::DnsAnswer> lookup(net::Core& /*core*/, std::string name, net::DnsType type,
                              SteadyTime /*deadline*/) override {
    ++asked_;
    for (int hops = 0; hops < 8; ++hops) {
      const auto known = names_.find(net::dns_name(name));
      if (known == names_.end()) co_return net::dns_failure(net::DnsStatus::nxdomain);
      const Name& here = known->second;
      if (const auto records = here.records.find(type); records != here.records.end()) {
        net::DnsAnswer answer = net::dns_failure(net::DnsStatus::found);
        answer.records = std::make_shared<net::DnsRecords>(net::DnsRecords{type, "", records->second});
        co_return answer;
      }
      if (here.timeout) co_return net::dns_failure(net::DnsStatus::timeout);
      if (here.loop) co_return net::dns_failure(net::DnsStatus::servfail);
      if (here.alias.empty()) co_return net::dns_failure(net::DnsStatus::no_data);
      name = here.alias;
    }
    co_return net::dns_failure(net::DnsStatus::servfail);
  }
  size_t asked() const { return asked_; }

 private:
  struct Name {
    std::map<net::DnsType, std::vector<std::string>> records;
    bool timeout = false, loop = false;
    std::string alias;
  };

  static std::string text_rdata(const YAML::Node& value) {
    std::string rdata;
    const auto append = [&](std::string piece) {
      for (; piece.size() > 255; piece.erase(0, 255)) rdata += '\xFF' + piece.substr(0, 255);
      rdata += static_cast<char>(piece.size());
      rdata += piece;
    };
    if (value.IsSequence()) {
      for (const auto& piece : value) append(piece.as<std::string>());
    } else {
      append(value.as<std::string>());
    }
    return rdata;
  }
  static std::string address_rdata(const std::string& text, size_t skip) {
    const auto ip = mail::IpAddress::parse(text);
    if (!ip) std::abort();
    return {ip->bytes().begin() + static_cast<ptrdiff_t>(skip), ip->bytes().end()};
  }

  void add_name(const std::string& name, const YAML::Node& entries) {
    Name& here = names_[name];
    std::vector<std::string> spf;
    bool has_txt = false;
    for (const auto& entry : entries) {
      if (entry.IsScalar()) {
        if (entry.as<std::string>() == "TIMEOUT") here.timeout = true;
        continue;
      }
      for (const auto& record : entry) {
        const auto type = record.first.as<std::string>();
        const YAML::Node& value = record.second;
        has_txt = has_txt || type == "TXT";
        if (type == "TIMEOUT") here.timeout = true;
        if (type == "CNAMELOOP") here.loop = true;
        if (value.IsScalar() && value.as<std::string>() == "NONE") continue;
        if (type == "SPF") spf.push_back(text_rdata(value));
        if (type == "TXT") here.records[net::DnsType::txt].push_back(text_rdata(value));
        if (type == "A") here.records[net::DnsType::a].push_back(address_rdata(value.as<std::string>(), 12));
        if (type == "AAAA") here.records[net::DnsType::aaaa].push_back(address_rdata(value.as<std::string>(), 0));
        if (type == "PTR") here.records[net::DnsType::ptr].push_back(net::test::wire_name(value.as<std::string>()));
        if (type == "CNAME") here.alias = value.as<std::string>();
        if (type == "MX") {
          const auto preference = value[0].as<unsigned>();
          std::string rdata{static_cast<char>(preference >> 8), static_cast<char>(preference)};
          rdata += net::test::wire_name(value[1].as<std::string>());
          here.records[net::DnsType::mx].push_back(std::move(rdata));
        }
      }
    }
    if (!has_txt && !spf.empty()) here.records[net::DnsType::txt] = std::move(spf);
  }

  std::map<std::string, Name> names_;
  size_t asked_ = 0;
};

}  // namespace doorward::mailauth::test
