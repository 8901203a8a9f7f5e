#include "http/client.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <future>
#include <string>
#include <thread>

#include "http/response_reader.h"
#include "http/server.h"

namespace doorward::http {
namespace {

TEST(HttpOrigin, is_read_from_urls) {
  const auto centre = Origin::parse("https://Centre.Example.org/fingerprints/");
  ASSERT_TRUE(centre);
  EXPECT_TRUE(centre->tls);
  EXPECT_EQ(centre->host, "centre.example.org");
  EXPECT_EQ(centre->port, 443);
  EXPECT_EQ(centre->path, "/fingerprints");
  EXPECT_EQ(centre->host_header(), "centre.example.org");
  const auto literal = Origin::parse("http://[::1]:8026");
  ASSERT_TRUE(literal);
  EXPECT_EQ(literal->host, "::1");
  EXPECT_EQ(literal->port, 8026);
  EXPECT_EQ(literal->path, "");
  EXPECT_EQ(literal->host_header(), "[::1]:8026");
  for (const auto* wrong : {"", "ftp://x", "http://", "http://x:0", "http://x:99999", "http://x:y", "http://a b",
                            "http://x?q", "http://user@x", "http://[::1", "http://x\r\nHost: y"}) {
    EXPECT_FALSE(Origin::parse(wrong)) << wrong;
  }
}

using Status = ResponseReader::Status;

TEST(HttpResponseReader, reads_what_comes_in_pieces) {
  ResponseReader reader(1000, 1000);
  const std::string text = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\nRetry-After: 7\r\n\r\nbody";
  for (size_t at = 0; at + 1 < text.size(); ++at) ASSERT_EQ(reader.feed(text.substr(at, 1)), Status::need_more);
  ASSERT_EQ(reader.feed("y"), Status::done);
  EXPECT_TRUE(reader.keep_alive());
  const auto response = reader.take();
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.header("retry-after"), "7");
  EXPECT_EQ(response.body, "body");
}

TEST(HttpResponseReader, reads_chunks_that_come_in_pieces) {
  for (const std::string body : {"0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n"}) {
    ResponseReader reader(1000, 1000);
    const std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
    auto status = Status::need_more;
    for (const char& octet : text) status = reader.feed({&octet, 1});
    ASSERT_EQ(status, Status::done);
    EXPECT_EQ(reader.take().body, body.size() > 5 ? "abc" : "");
  }
}

TEST(HttpResponseReader, takes_the_end_of_the_connection_for_the_end) {
  ResponseReader reader(1000, 1000);
  EXPECT_EQ(reader.feed("HTTP/1.1 200 OK\r\n\r\nuntil the end"), Status::need_more);
  EXPECT_EQ(reader.end(), Status::done);
  EXPECT_FALSE(reader.keep_alive());
  EXPECT_EQ(reader.take().body, "until the end");
  ResponseReader cut(1000, 1000);
  EXPECT_EQ(cut.feed("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), Status::need_more);
  EXPECT_EQ(cut.end(), Status::failed);
}

TEST(HttpResponseReader, refuses_what_is_malformed_too_long_or_too_much) {
  for (const std::string text :
       {"SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", "HTTP/1.1 101 Switching Protocols\r\n\r\n"}) {
    EXPECT_EQ(ResponseReader(1000, 1000).feed(text), Status::failed) << text;
  }
  EXPECT_EQ(ResponseReader(1000, 1000).feed("HTTP/1.1 200 OK\r\nA: " + std::string(2000, 'a')), Status::failed);
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(ResponseReader(1000, 1000).feed(chunked + "5;" + std::string(2000, 'a')), Status::failed);
  EXPECT_EQ(ResponseReader(1000, 1000).feed(chunked + "0\r\nX: " + std::string(70'000, 'a') + "\r\n\r\n"),
            Status::failed);
}

TEST(HttpResponseReader, passes_over_interim_responses) {
  const std::string interim = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  ResponseReader reader(1000, 1000);
  ASSERT_EQ(reader.feed(interim + "HTTP/1.1 100 Continue\r\n\r\n"), Status::need_more);
  ASSERT_EQ(reader.feed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Status::done);
  EXPECT_EQ(reader.take().body, "ok");
  std::string many;
  for (int i = 0; i < 20; ++i) many += interim;
  EXPECT_EQ(ResponseReader(1000, 1000).feed(many), Status::failed);
}

Task<Response> echo(Request request) {
  Response response(
      200, request.method + " " + request.path + " " + std::string(request.header("X-Word")) + " " + request.body);
  co_return response;
}

class HttpClient : public testing::Test {
 protected:
  void SetUp() override {
    Limits limits;
    limits.idle = std::chrono::milliseconds(100);
    server_ = std::make_unique<Server>(cores_, limits);
    server_->route("POST", "/base/echo", echo);
    ASSERT_TRUE(server_->bind(*net::Endpoint::parse("127.0.0.1:0")));
    server_->start();
    cores_.start();
  }
  void TearDown() override {
    cores_.at(1).post([this] { client_.reset(); });
    server_->stop();
    for (int i = 0; i < 500 && server_->connections() > 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    cores_.stop();
    cores_.join();
  }
  uint16_t port() const { return server_->addresses().at(0).port; }

  Task<void> run(std::promise<Result<Response>>& done, std::string url, Request request,
                 std::chrono::milliseconds patience) {
    if (!client_) {
      ClientOptions options;
      options.origin = *Origin::parse(url);
      options.tls = *net::TlsClientContext::load(authority_);
      client_.emplace(cores_.at(1), std::move(options));
    }
    auto result = co_await client_->send(std::move(request), std::chrono::steady_clock::now() + patience);
    done.set_value(std::move(result));
  }
  Result<Response> send(const std::string& url, Request request,
                        std::chrono::milliseconds patience = std::chrono::seconds(10)) {
    std::promise<Result<Response>> done;
    cores_.at(1).post([&] { spawn(run(done, url, std::move(request), patience)); });
    return done.get_future().get();
  }
  static Request post(std::string body) {
    Request request;
    request.method = "POST";
    request.path = "/echo";
    request.headers.push_back({"X-Word", "word"});
    request.body = std::move(body);
    return request;
  }

  net::Cores cores_{2};
  std::unique_ptr<Server> server_;
  std::optional<Client> client_;
  std::string authority_;  // a file; empty: the system's
};

TEST_F(HttpClient, sends_and_keeps_its_connection) {
  const auto url = "http://127.0.0.1:" + std::to_string(port()) + "/base";
  for (const std::string body : {"one", "", "three"}) {
    const auto response = send(url, post(body));
    ASSERT_TRUE(response) << response.error().text();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "POST /base/echo word " + body);
    EXPECT_EQ(server_->connections(), 1u);
  }
}

TEST_F(HttpClient, makes_a_new_connection_when_the_server_closed_the_old_one) {
  const auto url = "http://127.0.0.1:" + std::to_string(port()) + "/base";
  ASSERT_TRUE(send(url, post("one")));
  for (int i = 0; i < 500 && server_->connections() > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_EQ(server_->connections(), 0u);
  EXPECT_TRUE(send(url, post("two")));
}

TEST_F(HttpClient, speaks_tls_and_insists_on_a_certificate_for_the_name) {
  const auto place = std::filesystem::path(testing::TempDir()) / ("http_tls." + std::to_string(::getpid()));
  std::filesystem::create_directories(place);
  const net::Certificate files{place / "cert.pem", place / "key.pem"};
  ASSERT_TRUE(net::make_self_signed(files, {"127.0.0.1", "centre.example"}, 2));
  server_->set_tls(*net::TlsServerContext::load({files}));
  const auto url = "https://127.0.0.1:" + std::to_string(port()) + "/base";
  const auto stranger = send(url, post("x"));
  ASSERT_FALSE(stranger) << "nobody vouches for it";
  EXPECT_NE(stranger.error().text().find("certificate"), std::string::npos) << stranger.error().text();
  client_.reset();
  authority_ = files.certificate_file;
  const auto known = send(url, post("x"));
  ASSERT_TRUE(known) << known.error().text();
  EXPECT_EQ(known->body, "POST /base/echo word x");
  std::filesystem::remove_all(place);
}

TEST_F(HttpClient, says_what_failed) {
  const auto refused = send("http://127.0.0.1:1", post("x"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("cannot connect"), std::string::npos) << refused.error().text();
  client_.reset();
  const auto name = send("http://localhost:1", post("x"));
  ASSERT_FALSE(name) << "without a resolver";
}

TEST_F(HttpClient, ends_at_its_deadline_when_the_server_is_silent) {
  const auto silent = net::Endpoint::parse("127.0.0.1:0");
  net::Cores other(1);
  Limits limits;
  Server slow(other, limits);
  slow.route("POST", "/echo", echo);
  ASSERT_TRUE(slow.bind(*silent));  // its cores never start: connections wait in the listener's queue
  const auto began = std::chrono::steady_clock::now();
  const auto response = send("http://127.0.0.1:" + std::to_string(slow.addresses().at(0).port), post("x"),
                             std::chrono::milliseconds(200));
  EXPECT_FALSE(response);
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(190));
}

}  // namespace
}  // namespace doorward::http
