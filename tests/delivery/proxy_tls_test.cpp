// TLS to backends.
#include "delivery/proxy_fixture.h"

#include <filesystem>

namespace doorward::delivery {
namespace {

class ProxyTls : public Proxy {
 protected:
  ProxyTls() {
    const auto base = std::filesystem::temp_directory_path() / ("doorward-proxy-" + std::to_string(::getpid()));
    files_ = {base.string() + ".pem", base.string() + ".key"};
    EXPECT_TRUE(net::make_self_signed(files_, {"mail.example"}, 2).has_value());
    options_.tls = net::TlsClientContext::load(files_.certificate_file).value();
  }
  ~ProxyTls() override {
    std::filesystem::remove(files_.certificate_file);
    std::filesystem::remove(files_.key_file);
  }
  FakeBackend::Options with_tls() const {
    return {.extensions = {"PIPELINING", "REQUIRETLS"}, .certificate = files_.certificate_file, .key = files_.key_file};
  }
  net::Certificate files_;
};

TEST_F(ProxyTls, OpportunisticUsesItWhereOffered) {
  FakeBackend server(with_tls());
  model_.tls = BackendTls::opportunistic;
  envelope_.require_tls = true;
  EXPECT_EQ(run_mail(backend(server)).last(), 250);
  EXPECT_EQ(server.count("STARTTLS"), 1U);
  EXPECT_EQ(server.count("MAIL FROM:<sender@out.example> REQUIRETLS"), 1U);
  FakeBackend plain;
  envelope_.require_tls = false;
  EXPECT_EQ(run_mail(backend(plain)).last(), 250);
}

TEST_F(ProxyTls, OpportunisticGoesOnInClearWhereItIsBroken) {
  FakeBackend server(with_tls());
  server.on("handshake", FakeBackend::kClose);
  model_.tls = BackendTls::opportunistic;
  EXPECT_EQ(run_mail(backend(server)).last(), 250);
  FakeBackend refusing(with_tls());
  refusing.on("STARTTLS", "454 4.7.0 not now");
  EXPECT_EQ(run_mail(backend(refusing)).last(), 250);
  EXPECT_EQ(refusing.connections(), 1U);
}

TEST_F(ProxyTls, RequiredNeverGoesInClear) {
  model_.tls = BackendTls::required;
  FakeBackend plain;
  EXPECT_EQ(run_mail(backend(plain)).asked.at(0).enhanced, (EnhancedStatus{4, 3, 5}));
  EXPECT_EQ(plain.count("MAIL"), 0U);
  FakeBackend broken(with_tls());
  broken.on("handshake", FakeBackend::kClose);
  EXPECT_EQ(run_mail(backend(broken)).asked.at(0).code, 451);
  EXPECT_EQ(broken.count("MAIL"), 0U);
  FakeBackend refusing(with_tls());
  refusing.on("STARTTLS", "502 5.5.1 no");
  EXPECT_EQ(run_mail(backend(refusing)).asked.at(0).enhanced, (EnhancedStatus{4, 3, 5}));
  FakeBackend server(with_tls());
  EXPECT_EQ(run_mail(backend(server)).last(), 250);
}

TEST_F(ProxyTls, VerifiedWantsTheRightName) {
  model_.tls = BackendTls::required_verified;
  FakeBackend server(with_tls());
  model_.tls_name = "mail.example";
  EXPECT_EQ(run_mail(backend(server)).last(), 250);
  model_.tls_name = "other.example";
  EXPECT_EQ(run_mail(backend(server)).asked.at(0).enhanced, (EnhancedStatus{4, 3, 5}));
  model_.tls_name = "";
  EXPECT_EQ(run_mail(backend(server)).asked.at(0).enhanced, (EnhancedStatus{4, 3, 5}));
  EXPECT_EQ(server.mails().size(), 1U);
}

TEST_F(ProxyTls, OffDoesNotAsk) {
  FakeBackend server(with_tls());
  EXPECT_EQ(run_mail(backend(server)).last(), 250);
  EXPECT_EQ(server.count("STARTTLS"), 0U);
}

}  // namespace
}  // namespace doorward::delivery
