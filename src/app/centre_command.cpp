#include "app/centre_command.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <future>
#include <thread>

#include "app/config.h"
#include "app/mail_files.h"
#include "base/clock.h"
#include "centre/reporters.h"
#include "centre/secret.h"
#include "gateway/centre_client.h"
#include "gateway/centre_reports.h"
#include "net/core.h"
#include "net/resolver.h"

namespace doorward::app {
namespace {

namespace json = boost::json;
using What = CentreOptions::What;

int complain(const Error& error) {
  fmt::print(stderr, "doorward centre: {}\n", error.text());
  return 1;
}

std::string day_of(SystemTime time) {
  return time == SystemTime{} ? "never" : fmt::format("{:%Y-%m-%d}", std::chrono::floor<std::chrono::seconds>(time));
}

double weight_of(const centre::Reporters::Entry& entry) {
  return centre::TrackRecord(entry.trusted, entry.confirmed, entry.contested).weight();
}

void print(const centre::Reporters::Entry& entry, bool as_json) {
  if (as_json) {
    fmt::print("{}\n", json::serialize(json::object{{"name", entry.name},
                                                    {"trusted", entry.trusted},
                                                    {"weight", weight_of(entry)},
                                                    {"confirmed", entry.confirmed},
                                                    {"contested", entry.contested},
                                                    {"enrolled", day_of(entry.enrolled)},
                                                    {"heard", day_of(entry.heard)}}));
    return;
  }
  fmt::print("{:<30} weight {:.2f}{:<10} {:.0f} confirmed, {:.0f} contested; enrolled {}, last heard {}\n", entry.name,
             weight_of(entry), entry.trusted ? " (trusted)" : "", entry.confirmed, entry.contested,
             day_of(entry.enrolled), day_of(entry.heard));
}

Result<void> enrol(centre::Reporters& reporters, const CentreOptions& options) {
  const auto token = reporters.enrol(options.name, options.trusted, RealClock().now());
  if (!token) return std::unexpected(token.error());
  fmt::print("{}\n", *token);
  fmt::print(stderr,
             "The line above is the token of {}; it is not told again. On that gateway:\n"
             "  put it into a file that only doorward can read, such as /etc/doorward/centre.token\n"
             "  put the key that all gateways share (doorward centre key) into /etc/doorward/centre.key\n"
             "  doorward.toml: [centre] url = \"https://…\", token_file = …, key_file = …\n",
             options.name);
  return {};
}

Result<void> list(centre::Reporters& reporters, bool as_json) {
  const auto entries = reporters.list();
  if (!entries) return std::unexpected(entries.error());
  for (const auto& entry : *entries) print(entry, as_json);
  if (entries->empty() && !as_json) fmt::print(stderr, "nobody is enrolled: doorward centre enrol NAME\n");
  return {};
}

Result<void> run(const CentreOptions& options) {
  auto reporters = centre::Reporters::open(options.state_directory + "/reporters.db");
  if (!reporters) return std::unexpected(reporters.error());
  switch (options.what) {
    case What::enrol:
      return enrol(**reporters, options);
    case What::trust:
    case What::distrust:
      return (*reporters)->trust(options.name, options.what == What::trust);
    case What::revoke:
      return (*reporters)->revoke(options.name);
    case What::list:
      return list(**reporters, options.json);
    case What::key:
      break;
  }
  return {};
}

struct Told {
  size_t mails = 0, unknowable = 0;
};

Result<void> tell(gateway::CentreClient& centre, trust::Report what, const std::vector<std::string>& paths,
                  Told& told) {
  for (const auto& path : paths) {
    const auto read = for_each_mail(path, [&](const MailOnDisk& mail) {
      ++(gateway::tell_centre(centre, what, mail.raw) ? told.mails : told.unknowable);
      return true;
    });
    if (!read) return std::unexpected(read.error());
  }
  return {};
}

Task<void> send(std::shared_ptr<gateway::CentreClient> centre, net::Core& core, std::promise<Result<void>>& done) {
  auto sent = co_await centre->send_now(core);
  done.set_value(std::move(sent));
}

Result<Told> run(const CentreTellOptions& options) {
  const auto config = load_config(options.config_file);
  if (!config) return std::unexpected(config.error());
  auto settings = config->centre;
  settings.report = true;
  if (settings.url.empty()) return fail("centre.url names no centre", options.config_file);
  auto resolver = net::make_resolver(config->dns_options());
  if (!resolver) return std::unexpected(resolver.error());
  auto centre = gateway::CentreClient::make(settings, **resolver, 1);
  if (!centre) return std::unexpected(centre.error());
  Told told;
  for (const auto& [what, paths] :
       {std::pair{trust::Report::user_spam, &options.spam}, std::pair{trust::Report::not_spam, &options.not_spam},
        std::pair{trust::Report::malicious, &options.malicious}}) {
    if (auto done = tell(**centre, what, *paths, told); !done) return std::unexpected(done.error());
  }
  net::Core core(0);
  std::thread thread([&core] { core.run(); });
  std::promise<Result<void>> done;
  core.post([&] { spawn(send(*centre, core, done)); });
  auto sent = done.get_future().get();
  core.stop();
  thread.join();
  if (!sent) return std::unexpected(sent.error());
  return told;
}

}  // namespace

int centre_command(const CentreOptions& options) {
  if (options.what == What::key) {
    fmt::print("{}\n", centre::new_secret());
    return 0;
  }
  const auto done = run(options);
  return done ? 0 : complain(done.error());
}

int centre_tell(const CentreTellOptions& options) {
  const auto told = run(options);
  if (!told) return complain(told.error());
  fmt::print("{} mails told of", told->mails);
  if (told->unknowable > 0) fmt::print("; {} are too short to be known again", told->unknowable);
  fmt::print("\n");
  return 0;
}

}  // namespace doorward::app
