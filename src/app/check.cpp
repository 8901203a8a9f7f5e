#include "app/check.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/config.h"
#include "app/policy_file.h"
#include "base/handle.h"
#include "base/log.h"
#include "gateway/centre_client.h"
#include "net/core.h"
#include "net/resolver.h"
#include "policy/snapshot.h"
#include "smtp/client.h"
#include "store/database.h"

namespace doorward::app {
namespace {

using std::chrono::seconds;

struct Finding {
  bool good;
  std::string what;  // what was looked at
  std::string says;  // what is there
  std::string mend;  // where it is not good: what to do
};

using Findings = std::vector<Finding>;

// Runs one coroutine on a core of its own until it is done.
void run(const std::function<Task<void>(net::Core&)>& work) {
  net::Core core(0);
  const auto wrapped = [](net::Core& on, const std::function<Task<void>(net::Core&)>& todo) -> Task<void> {
    co_await todo(on);
    on.stop();
  };
  core.post([&] { spawn(wrapped(core, work)); });
  core.run();
}

void check_certificate(const net::Certificate& files, Findings& findings) {
  const Handle<FILE, fclose> file(std::fopen(files.certificate_file.c_str(), "re"));
  const auto what = "certificate " + files.certificate_file;
  if (!file) {
    findings.push_back({false, what, "cannot be read", "make it readable for the user that Doorward runs as"});
    return;
  }
  const Handle<X509, X509_free> certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
  if (!certificate) {
    findings.push_back({false, what, "is no PEM certificate", "give the file with the chain, as the CA delivers it"});
    return;
  }
  if (const auto loaded = net::TlsServerContext::load({files}); !loaded) {
    findings.push_back({false, what, loaded.error().text(),
                        "give the key that belongs to it, readable for the user that Doorward runs as"});
    return;
  }
  int days = 0, rest = 0;
  ASN1_TIME_diff(&days, &rest, nullptr, X509_get0_notAfter(certificate.get()));
  if (days < 0 || rest < 0) {
    findings.push_back({false, what, fmt::format("expired {} days ago", -days), "renew it and reload (SIGHUP)"});
  } else if (days < 14) {
    findings.push_back({false, what, fmt::format("expires in {} days", days), "renew it and reload (SIGHUP)"});
  } else {
    findings.push_back({true, what, fmt::format("is valid for {} more days", days), ""});
  }
}

struct Greeting {
  bool reached = false;
  std::string says;
  smtp::Extensions extensions;
};

Task<Greeting> greet(net::Core& core, net::Endpoint address, bool lmtp, std::string host_name) {
  Greeting result;
  auto connection = co_await net::Connection::connect(core, address, seconds(5));
  if (!connection) {
    result.says = connection.error().detail;
    co_return result;
  }
  smtp::ClientTimeouts timeouts;
  timeouts.greeting = timeouts.command = seconds(10);
  smtp::ClientConnection client(std::move(*connection), lmtp, timeouts);
  auto reply = co_await client.greeting();
  if (reply && reply->positive()) reply = co_await client.hello(host_name);
  if (!reply) {
    result.says = reply.error().detail;
  } else if (!reply->positive()) {
    result.says = fmt::format("answers {} {}", reply->code, reply->lines.empty() ? "" : reply->lines.front());
  } else {
    result.reached = true;
    result.extensions = client.extensions();
  }
  co_await client.quit();
  co_return result;
}

Task<void> check_backend(net::Core& core, std::shared_ptr<const policy::Backend> backend, std::string host_name,
                         Findings& findings) {
  for (const auto& address : backend->addresses) {
    const auto greeting = co_await greet(core, address, backend->protocol == policy::BackendProtocol::lmtp, host_name);
    const auto what = fmt::format("backend {} at {}", backend->name, address.text());
    if (!greeting.reached) {
      findings.push_back({false, what, greeting.says,
                          "start it, open its firewall to this machine, or correct its address in the policy"});
      continue;
    }
    findings.push_back({true, what, "answers", ""});
    const auto& can = greeting.extensions;
    std::string lacks;
    if (!can.pipelining) lacks += " PIPELINING";
    if (!can.eight_bit_mime) lacks += " 8BITMIME";
    if (!can.smtputf8) lacks += " SMTPUTF8";
    if (!lacks.empty())
      findings.push_back({true, what, "lacks" + lacks + "; mail that needs it is refused or sent as is", ""});
    const bool wants_tls =
        backend->tls == policy::BackendTls::required || backend->tls == policy::BackendTls::required_verified;
    if (wants_tls && !can.starttls) {
      findings.push_back({false, what, "offers no STARTTLS, which the policy requires",
                          "give it a certificate, or set tls = \"opportunistic\""});
    }
  }
}

// Asks our own listener to relay: what it must never do.
Task<void> check_relaying(net::Core& core, net::Endpoint address, Findings& findings) {
  const std::string what = "relaying by " + address.text();
  auto connection = co_await net::Connection::connect(core, address, seconds(5));
  if (!connection) {
    findings.push_back({false, what, "nothing listens there: " + connection.error().detail, "start doorward serve"});
    co_return;
  }
  smtp::ClientTimeouts timeouts;
  timeouts.greeting = timeouts.command = seconds(30);
  smtp::ClientConnection client(std::move(*connection), false, timeouts);
  auto reply = co_await client.greeting();
  if (reply && reply->positive()) reply = co_await client.hello("relay-check.invalid");
  if (reply && reply->positive()) reply = co_await client.command("MAIL FROM:<probe@relay-check.invalid>");
  static constexpr const char* kTricks[] = {
      "<probe@relay-check.invalid>", "<\"probe@relay-check.invalid\">", "<@[127.0.0.1]:probe@relay-check.invalid>",
      "<probe%relay-check.invalid@[127.0.0.1]>", "<relay-check.invalid!probe@localhost>"};
  if (!reply || !reply->positive()) {
    findings.push_back({false, what, "the probe's MAIL was not answered well", "look at the log for this connection"});
    co_return;
  }
  bool open = false;
  for (const auto* trick : kTricks) {
    const auto asked = co_await client.command(fmt::format("RCPT TO:{}", trick));
    if (asked && asked->positive()) {
      open = true;
      findings.push_back(
          {false, what, fmt::format("took RCPT TO:{}", trick), "this must never happen: please report it"});
    }
  }
  if (!open) findings.push_back({true, what, "refused every attempt", ""});
  co_await client.quit();
}

Task<void> greet_centre(net::Core& core, std::shared_ptr<gateway::CentreClient> centre, Result<void>& greeted) {
  greeted = co_await centre->greet(core);
}

void check_centre(const NodeConfig& config, Findings& findings) {
  const std::string what = "detection centre " + config.centre.url;
  const auto resolver = net::make_resolver(config.dns_options());
  const auto centre = resolver ? gateway::CentreClient::make(config.centre, **resolver, 1)
                               : Result<std::shared_ptr<gateway::CentreClient>>(std::unexpected(resolver.error()));
  if (!centre) {
    findings.push_back({false, what, centre.error().text(), "docs/centre.md says how a gateway is set up"});
    return;
  }
  Result<void> greeted;
  run([&](net::Core& core) { return greet_centre(core, *centre, greeted); });
  if (greeted) {
    findings.push_back({true, what, "answers this gateway", ""});
  } else {
    findings.push_back({false, what, greeted.error().text(),
                        "mails are judged without it meanwhile; docs/centre.md says how a gateway is set up"});
  }
}

// The tenants as the next start would have them; nothing is written.
Result<std::shared_ptr<const policy::Snapshot>> load_tenants(const NodeConfig& config) {
  if (!config.policy_file.empty()) {
    auto policy = read_policy_file(config.policy_file);
    if (!policy) return std::unexpected(policy.error());
    return policy::Snapshot::make(std::move(*policy), "");
  }
  if (!std::filesystem::exists(config.policy_path())) {
    return fail("there are no tenants yet: name a policy file in doorward.toml, or import one", config.policy_path());
  }
  auto database = store::Database::open(config.policy_path());
  if (!database) return std::unexpected(database.error());
  return policy::Snapshot::load(**database, "");
}

int print(const Findings& findings, bool json) {
  bool good = true;
  for (const auto& finding : findings) {
    good = good && finding.good;
    if (json) {
      std::string line = fmt::format("{{\"ok\":{},\"what\":", finding.good);
      append_json_string(line, finding.what);
      line += ",\"says\":";
      append_json_string(line, finding.says);
      line += ",\"mend\":";
      append_json_string(line, finding.mend);
      fmt::print("{}}}\n", line);
    } else {
      fmt::print("{}  {}: {}\n", finding.good ? "ok  " : "MEND", finding.what, finding.says);
      if (!finding.mend.empty()) fmt::print("      → {}\n", finding.mend);
    }
  }
  if (!json) fmt::print("{}\n", good ? "Nothing to mend." : "Some things are to be mended.");
  return good ? 0 : 1;
}

}  // namespace

int check(const CheckOptions& options) {
  static_cast<void>(log::set_target("off"));
  Findings findings;
  const auto config = load_config(options.config_file);
  if (!config) {
    findings.push_back({false, "configuration", config.error().text(), "correct the line named"});
    return print(findings, options.json);
  }
  findings.push_back({true, "configuration", options.config_file + " is well-formed", ""});
  if (config->certificates.empty()) {
    findings.push_back({false, "TLS", "no certificate is configured, so STARTTLS is not offered",
                        "add a [[certificate]] with certificate and key"});
  }
  for (const auto& files : config->certificates) check_certificate(files, findings);

  if (const auto snapshot = load_tenants(*config); !snapshot) {
    findings.push_back(
        {false, "policy", snapshot.error().text(), "correct what is named; docs/policy.md has the format"});
  } else {
    const auto backends = (*snapshot)->backends();
    const size_t domains = (*snapshot)->domain_count();
    findings.push_back({domains > 0, "policy",
                        fmt::format("{} protected domains, {} backends", domains, backends.size()),
                        domains > 0 ? "" : "add a domain to the policy: docs/policy.md shows how"});
    for (const auto& backend : backends) {
      run([&](net::Core& core) { return check_backend(core, backend, config->host_name, findings); });
    }
  }
  if (!config->centre.url.empty()) check_centre(*config, findings);
  for (const auto& listener : config->listeners) {
    run([&](net::Core& core) { return check_relaying(core, listener.address, findings); });
  }
  return print(findings, options.json);
}

}  // namespace doorward::app
