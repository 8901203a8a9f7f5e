#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "app/config_fields.h"
#include "config/option_value.h"

namespace doorward::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

NodeConfig parsed(std::string_view text) {
  auto config = parse_config(text, "/etc/doorward/doorward.toml");
  EXPECT_TRUE(config) << config.error().text();
  return config ? *config : NodeConfig{};
}

std::string wrong(std::string_view text) {
  const auto config = parse_config(text, "d.toml");
  return config ? "nothing wrong" : config.error().text();
}

TEST(NodeConfig, EmptyFileGivesTheDefaults) {
  const NodeConfig config = parsed("");
  EXPECT_FALSE(config.host_name.empty());
  EXPECT_EQ(config.policy_path(), "/var/lib/doorward/policy.db");
  ASSERT_EQ(config.listeners.size(), 1U);
  EXPECT_EQ(config.listeners[0].address.text(), "0.0.0.0:25");
  ASSERT_TRUE(config.http_listen);
  EXPECT_EQ(config.http_listen->text(), "127.0.0.1:8025");
  EXPECT_EQ(config.server_options().host_name, config.host_name);
}

// The described default is what the program does.
TEST(NodeConfig, EveryDescribedDefaultIsTheRealOne) {
  const auto hold = [](const auto& fields, const auto& fresh) {
    for (const auto& field : fields) {
      const auto described = config::check(field.option, field.option.default_value);
      ASSERT_TRUE(described) << field.option.name << ": " << described.error().what;
      EXPECT_EQ(field.get(fresh), *described) << field.option.name;
      EXPECT_EQ(field.option.sentence.back(), '.') << field.option.name;
    }
  };
  hold(node_fields(), NodeConfig{});
  smtp::ListenerOptions listener;
  listener.address = *net::Endpoint::parse("0.0.0.0:25");
  hold(listener_fields(), listener);
  hold(certificate_fields(), net::Certificate{});
}

TEST(NodeConfig, ReadsEverySectionWithUnits) {
  const NodeConfig config = parsed(R"(
host_name = "mx.example.org"
state_directory = "state"
policy = "policy.toml"
cores = 2
http = ""
[log]
level = "warning"
[limits]
message_size = "50MB"
connections = 7
[timeouts]
banner_delay = "500ms"
command = "2m"
[extensions]
prdr = false
[statistics]
entries = 65536
[[certificate]]
certificate = "tls/full.pem"
key = "/secret/key.pem"
[[listener]]
name = "mx"
address = "[::1]:2500"
proxy_protocol_from = ["192.0.2.0/24"]
[[listener]]
name = "tls"
address = "127.0.0.1:465"
tls = "implicit"
)");
  EXPECT_EQ(config.host_name, "mx.example.org");
  EXPECT_EQ(config.state_directory, "/etc/doorward/state");
  EXPECT_EQ(config.policy_file, "/etc/doorward/policy.toml");
  EXPECT_EQ(config.cores, 2U);
  EXPECT_FALSE(config.http_listen);
  EXPECT_EQ(config.log_level, log::Level::warning);
  EXPECT_EQ(config.server.limits.message_size, 50'000'000U);
  EXPECT_EQ(config.server.limits.connections, 7U);
  EXPECT_EQ(config.server.timeouts.banner_delay, 500ms);
  EXPECT_EQ(config.server.timeouts.command, 2min);
  EXPECT_FALSE(config.server.offer_prdr);
  EXPECT_EQ(config.statistics_entries, 65536U);
  ASSERT_EQ(config.certificates.size(), 1U);
  EXPECT_EQ(config.certificates[0].certificate_file, "/etc/doorward/tls/full.pem");
  EXPECT_EQ(config.certificates[0].key_file, "/secret/key.pem");
  ASSERT_EQ(config.listeners.size(), 2U);
  EXPECT_TRUE(config.listeners[0].proxy_protocol_from.at(0).contains(*mail::IpAddress::parse("192.0.2.9")));
  EXPECT_EQ(config.listeners[1].tls, smtp::TlsMode::implicit);
}

TEST(NodeConfig, UnknownKeysAreErrorsWithTheNearest) {
  EXPECT_THAT(wrong("\nhostname = \"x\""), HasSubstr("d.toml:2: unknown key 'hostname'; did you mean 'host_name'?"));
  EXPECT_THAT(wrong("[limits]\nconections = 1"),
              HasSubstr("d.toml:2: unknown key 'conections'; did you mean 'connections'?"));
  EXPECT_THAT(wrong("[[listner]]\naddress=\"a\""), HasSubstr("did you mean 'listener'?"));
  EXPECT_THAT(wrong("[[listener]]\naddress=\"127.0.0.1:1\"\ntsl=\"none\""),
              HasSubstr("d.toml:3: unknown key 'tsl'; did you mean 'tls'?"));
}

TEST(NodeConfig, WrongValuesAreToldAllAtOnce) {
  const std::string all =
      wrong("cores = -1\n[limits]\nmessage_size = 25\n[timeouts]\ncommand = \"soon\"\n[statistics]\nentries = 5000\n");
  EXPECT_THAT(all, HasSubstr("d.toml:1: cores: -1 is outside of 0 to 1024"));
  EXPECT_THAT(all, HasSubstr("d.toml:3: limits.message_size: a size with its unit"));
  EXPECT_THAT(all, HasSubstr("d.toml:5: timeouts.command: 'soon' is not a whole number with its unit"));
  EXPECT_THAT(all, HasSubstr("d.toml:7: statistics.entries: 5000 is not a power of two; the next one is 8192"));
}

TEST(NodeConfig, WhatCannotWorkIsRefused) {
  EXPECT_THAT(wrong("[[listener]]\naddress = \"127.0.0.1:465\"\ntls = \"implicit\""),
              HasSubstr("there is no [[certificate]]"));
  EXPECT_THAT(wrong("[[certificate]]\ncertificate = \"a\""), HasSubstr("a certificate needs both"));
  EXPECT_THAT(wrong("[[listener]]\nname = \"a\""), HasSubstr("has no address"));
  EXPECT_THAT(wrong("[listener]\naddress = \"127.0.0.1:1\""), HasSubstr("[[listener]]"));
  EXPECT_THAT(wrong("[[listener]]\naddress = \"127.0.0.1:1\"\nxclient_from = [\"everywhere\"]"),
              HasSubstr("\"everywhere\" is not an address"));
  EXPECT_THAT(wrong("limits = 5"), HasSubstr("limits is a section"));
}

TEST(NodeConfig, PrintedConfigurationReadsBackTheSame) {
  const NodeConfig config =
      parsed("host_name = \"mx.example.org\"\n[[listener]]\naddress = \"127.0.0.1:2500\"\ntls = \"none\"\n");
  const std::string printed = print_effective(config);
  const NodeConfig again = parsed(printed);
  EXPECT_EQ(print_effective(again), printed);
  EXPECT_THAT(printed, HasSubstr("message_size = \"25MB\""));
  EXPECT_TRUE(changes_that_need_a_restart(config, again).empty());
}

TEST(NodeConfig, KnowsWhatAReloadCannotChange) {
  const NodeConfig before = parsed("host_name = \"a.example\"\n");
  const NodeConfig after = parsed(
      "host_name = \"a.example\"\ncores = 3\n[log]\nlevel = \"debug\"\n[[listener]]\naddress = \"127.0.0.1:9\"\n");
  EXPECT_THAT(changes_that_need_a_restart(before, after), ElementsAre("cores", "listener"));
}

// UPDATE_DOCS=1 writes the page anew.
TEST(NodeConfig, ReferencePageIsTheDescriptions) {
  const std::string path = std::string(TEST_DATA) + "/../../docs/configuration.md";
  if (std::getenv("UPDATE_DOCS") != nullptr) std::ofstream(path) << config_reference();
  std::ifstream file(path);
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), config_reference()) << "run the test with UPDATE_DOCS=1";
}

}  // namespace
}  // namespace doorward::app
