// TLS to mail exchangers: as offered (RFC 3207), and never less than REQUIRETLS asks for (RFC 8689).
#include <filesystem>

#include "delivery/relay_fixture.h"

namespace doorward::delivery {
namespace {

class RelayTls : public RelayTest {
 protected:
  RelayTls() {
    options_.mx.families = Families::v4_only;
    files_ = {folder_ + "/mx.pem", folder_ + "/mx.key"};
    EXPECT_TRUE(net::make_self_signed(files_, {"mx.far.example"}, 2).has_value());
    proxy_.tls = net::TlsClientContext::load(files_.certificate_file).value();
    names_.mx("far.example", 10, "mx.far.example");
    names_.a("mx.far.example", "127.0.0.1");
  }
  ~RelayTls() override { std::filesystem::remove_all(folder_); }

  // DNSSEC vouches for the way to the host, without which its name would prove nothing (RFC 8689 §4.2.1).
  void sign_zone() {
    names_.authenticated("far.example", net::DnsType::mx);
    names_.authenticated("mx.far.example", net::DnsType::a);
  }
  FakeBackend::Options with_tls(const std::vector<std::string>& extensions = {"PIPELINING", "REQUIRETLS"}) const {
    return {.extensions = extensions, .certificate = files_.certificate_file, .key = files_.key_file};
  }
  spool::Job outbound(bool require_tls = false) {
    spool::Job made = job_for({"one@far.example"}, to_mx("far.example"));
    auto copy = std::make_shared<spool::Mail>(*made.mail);
    copy->direction = sheet::Direction::outbound;
    copy->may_bounce = true;
    copy->require_tls = require_tls;
    made.mail = copy;
    return made;
  }
  void start_with(const FakeBackend& server) {
    options_.mx.port = server.port();
    start();
  }
  static std::string make_folder() {
    std::string path = testing::TempDir() + "relaytlsXXXXXX";
    return ::mkdtemp(path.data()) == nullptr ? std::string() : path;
  }

  const std::string folder_ = make_folder();
  net::Certificate files_;
};

TEST_F(RelayTls, IsUsedWhereItIsOffered) {
  FakeBackend server(with_tls());
  start_with(server);
  EXPECT_THAT(send(outbound()), ElementsAre(Kind::delivered));
  EXPECT_EQ(server.count("STARTTLS"), 1U);
  EXPECT_EQ(server.count("EHLO"), 2U) << "anew after it (RFC 3207 §4.2)";
}

TEST_F(RelayTls, ABrokenHandshakeIsFollowedByAConnectionInClear) {
  FakeBackend server(with_tls());
  server.on("handshake", FakeBackend::kClose);
  start_with(server);
  EXPECT_THAT(send(outbound()), ElementsAre(Kind::delivered));
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(RelayTls, ARefusedStarttlsIsGoneOnWithInClear) {
  FakeBackend server(with_tls());
  server.on("STARTTLS", "454 4.7.0 not now");
  start_with(server);
  EXPECT_THAT(send(outbound()), ElementsAre(Kind::delivered));
}

TEST_F(RelayTls, RequireTlsGoesThroughAHostThatHasIt) {
  sign_zone();
  FakeBackend server(with_tls());
  start_with(server);
  EXPECT_THAT(send(outbound(true)), ElementsAre(Kind::delivered));
  EXPECT_EQ(server.count("MAIL FROM:<sender@out.example> REQUIRETLS"), 1U);
}

TEST_F(RelayTls, RequireTlsComesBackWhereTheHostDoesNotKnowIt) {
  sign_zone();
  FakeBackend server(with_tls({"PIPELINING"}));
  start_with(server);
  EXPECT_THAT(send(outbound(true)), ElementsAre(Kind::failed));
  EXPECT_EQ(last_.outcomes.front().reply.enhanced, (smtp::EnhancedStatus{5, 7, 30}));
  EXPECT_EQ(server.count("MAIL"), 0U);
}

TEST_F(RelayTls, RequireTlsNeverGoesInClear) {
  sign_zone();
  FakeBackend server(with_tls());
  server.on("handshake", FakeBackend::kClose);
  start_with(server);
  EXPECT_THAT(send(outbound(true)), ElementsAre(testing::AnyOf(Kind::failed, Kind::retry)));
  EXPECT_EQ(server.count("MAIL"), 0U);
  FakeBackend plain;
  end();
  options_.mx.port = plain.port();
  start();
  EXPECT_THAT(send(outbound(true)), ElementsAre(Kind::failed));
  EXPECT_EQ(plain.count("MAIL"), 0U);
}

}  // namespace
}  // namespace doorward::delivery
