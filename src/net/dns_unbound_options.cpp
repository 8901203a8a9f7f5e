#include "net/dns_unbound_options.h"

#include <unbound.h>
#include <unistd.h>

#include <charconv>
#include <string>
#include <utility>

#include "mail/ip.h"

namespace doorward::net {
namespace {

// "192.0.2.53" or "192.0.2.53@5353".
bool is_server(const std::string& text) {
  const size_t at = text.find('@');
  if (!mail::IpAddress::parse(std::string_view(text).substr(0, at))) return false;
  if (at == std::string::npos) return true;
  uint16_t port = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + at + 1, last, port);
  return error == std::errc{} && end == last && port != 0;
}

class Setter {
 public:
  explicit Setter(ub_ctx* context) : context_(context) {}
  void operator()(const char* option, const std::string& value) {
    note(ub_ctx_set_option(context_, option, value.c_str()), std::string(option) + " " + value);
  }
  void note(int error, std::string what) {
    if (error != 0 && result_) result_ = fail(std::move(what) + ": " + ub_strerror(error), "dns");
  }
  Result<void> result() && { return std::move(result_); }

 private:
  ub_ctx* context_;
  Result<void> result_;
};

Result<void> set_servers(ub_ctx* context, const ResolverOptions& options, Setter& set) {
  for (const std::string& server : options.forwarders) {
    if (!is_server(server)) return fail("'" + server + "' is no name server: ADDRESS or ADDRESS@PORT", "dns");
    set.note(ub_ctx_set_fwd(context, server.c_str()), "forwarder " + server);
  }
  if (!options.resolv_conf.empty() && ub_ctx_resolvconf(context, options.resolv_conf.c_str()) != 0) {
    return fail("cannot read the name servers", options.resolv_conf);
  }
  for (const auto& stub : options.stub_zones) {
    if (dns_name(stub.zone).empty()) return fail("'" + stub.zone + "' is no zone", "dns");
    if (!is_server(stub.address))
      return fail("'" + stub.address + "' is no name server: ADDRESS or ADDRESS@PORT", "dns");
    const std::string zone = dns_name(stub.zone);
    set.note(ub_ctx_set_stub(context, zone.c_str(), stub.address.c_str(), 0), "stub zone " + zone);
    // Otherwise the library answers for private networks by itself (RFC 6303).
    if (zone.ends_with(".arpa")) set("unblock-lan-zones:", "yes");
  }
  return {};
}

Result<void> set_trust(ub_ctx* context, const ResolverOptions& options, Setter& set) {
  if (!options.trust_anchor_file.empty()) {
    if (::access(options.trust_anchor_file.c_str(), R_OK) != 0) {
      return fail("cannot read the trust anchors", options.trust_anchor_file);
    }
    set.note(ub_ctx_add_ta_file(context, options.trust_anchor_file.c_str()), "trust anchors");
  }
  for (const std::string& zone : options.insecure_zones) {
    if (dns_name(zone).empty()) return fail("'" + zone + "' is no zone", "dns");
    set("domain-insecure:", dns_name(zone));
  }
  return {};
}

}  // namespace

Result<void> set_unbound_options(ub_ctx* context, const ResolverOptions& options) {
  ub_ctx_debugout(context, nullptr);  // or it writes to stderr as it likes
  Setter set(context);
  set.note(ub_ctx_async(context, 1), "a thread of its own");
  set("do-not-query-localhost:", "no");  // resolvers and name servers of this machine
  // Its sockets; as a library it has 16 unless told otherwise, and that many silent name servers then hold up
  // everybody.
  set("outgoing-range:", std::to_string(options.in_flight));
  // A server that was dead is tried again within a minute of its return, not within fifteen.
  set("infra-host-ttl:", "60");
  set("infra-keep-probing:", "yes");
  if (auto servers = set_servers(context, options, set); !servers) return servers;
  if (auto trust = set_trust(context, options, set); !trust) return trust;
  // The library answers for these by itself unless it is told that somebody else does.
  for (const auto& stub : options.stub_zones) {
    const std::string zone = dns_name(stub.zone);
    set.note(ub_ctx_zone_remove(context, zone.c_str()), "zone " + zone);
  }
  // Whatever is wrong with the settings shows now: this settles them.
  set.note(ub_ctx_zone_remove(context, "settle.invalid"), "settings of the resolver");
  return std::move(set).result();
}

}  // namespace doorward::net
