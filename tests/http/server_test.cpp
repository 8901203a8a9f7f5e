#include "http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <thread>

namespace doorward::http {
namespace {

// A blocking client over a plain socket.
class Client {
 public:
  explicit Client(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{10, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  // Up to the end of one response of which the body's size is known from Content-Length.
  std::string response(bool head = false) {
    while (true) {
      const size_t end = buffer_.find("\r\n\r\n");
      if (end != std::string::npos) {
        const size_t length = buffer_.find("Content-Length: ");
        const size_t body = head || length > end ? 0 : std::stoul(buffer_.substr(length + 16));
        if (buffer_.size() >= end + 4 + body) {
          std::string result = buffer_.substr(0, end + 4 + body);
          buffer_.erase(0, result.size());
          return result;
        }
      }
      if (!more()) return "closed: " + buffer_;
    }
  }
  bool at_end() { return buffer_.empty() && !more(); }

 private:
  bool more() {
    char bytes[4096];
    const ssize_t size = ::recv(socket_, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    buffer_.append(bytes, static_cast<size_t>(size));
    return true;
  }
  int socket_;
  std::string buffer_;
};

Task<Response> hello(Request request) {
  Response response(200, "hello " + request.path + "?" + request.query + " " + request.body + "\n");
  response.headers.push_back({"X-Peer", request.peer.ip.text()});
  co_return response;
}
Task<Response> broken(Request) {
  throw std::runtime_error("no luck");
  co_return Response();
}

class HttpServer : public testing::Test {
 protected:
  void start(Limits limits = {}) {
    server_ = std::make_unique<Server>(cores_, limits);
    server_->route("GET", "/hello", hello);
    server_->route("GET", "/tree/", hello);
    server_->route("POST", "/hello", hello);
    server_->route("GET", "/broken", broken);
    const auto at = net::Endpoint::parse("127.0.0.1:0");
    ASSERT_TRUE(at);
    const auto bound = server_->bind(*at);
    ASSERT_TRUE(bound) << bound.error().text();
    server_->start();
    cores_.start();
    port_ = server_->addresses().at(0).port;
  }
  void TearDown() override {
    server_->stop();
    for (int i = 0; i < 500 && server_->connections() > 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(server_->connections(), 0U);
    cores_.stop();
    cores_.join();
  }
  std::string ask(std::string_view request) {
    Client client(port_);
    client.send(request);
    return client.response();
  }
  int status(std::string_view request) {
    const std::string answer = ask(request);
    return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : -1;
  }

  net::Cores cores_{2};
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
};

TEST_F(HttpServer, AnswersAndKeepsAlive) {
  start();
  Client client(port_);
  for (int i = 0; i < 3; ++i) {
    client.send("GET /hello?a=b HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = client.response();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\nhello /hello?a=b \n")) << answer;
    EXPECT_NE(answer.find("X-Peer: 127.0.0.1\r\n"), std::string::npos);
  }
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(client.response().find("Connection: close"), std::string::npos);
  EXPECT_TRUE(client.at_end());
}

TEST_F(HttpServer, PipelinedRequestsAreAnsweredInOrder) {
  start();
  Client client(port_);
  client.send(
      "GET /tree/1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
      "GET /tree/3 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.response().ends_with("hello /tree/1? \n"));
  EXPECT_TRUE(client.response().ends_with("hello /hello? abc\n"));
  EXPECT_TRUE(client.response().ends_with("hello /tree/3? \n"));
}

TEST_F(HttpServer, HeadHasNoBody) {
  start();
  Client client(port_);
  client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string head = client.response(true);
  EXPECT_NE(head.find("Content-Length: 15\r\n"), std::string::npos) << head;
  EXPECT_TRUE(client.response().starts_with("HTTP/1.1 200 OK"));
}

TEST_F(HttpServer, UnknownPathsAndMethods) {
  start();
  EXPECT_EQ(status("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
  EXPECT_EQ(status("GET /hello/below HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
  EXPECT_EQ(status("GET /tree/below/it HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
  EXPECT_EQ(status("GET /broken HTTP/1.1\r\nHost: x\r\n\r\n"), 500);
  const std::string answer = ask("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 ")) << answer;
  EXPECT_TRUE(answer.contains("Allow: GET, HEAD, POST\r\n") || answer.contains("Allow: POST, GET, HEAD\r\n")) << answer;
}

TEST_F(HttpServer, MalformedAndOversized) {
  start();
  EXPECT_EQ(status("nonsense\r\n\r\n"), 400);
  EXPECT_EQ(status("GET /hello HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n"), 431);
  EXPECT_EQ(status("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" + std::string(100'000, 'b')),
            413);
}

// One such request would end the whole process if what Beast throws got out.
TEST_F(HttpServer, TrailersLongerThanAFieldCanBe) {
  start();
  const std::string head = "POST /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ";
  EXPECT_EQ(status(head + std::string(70'000, 'a') + "\r\n\r\n"), 431);
  EXPECT_EQ(status("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
}

TEST_F(HttpServer, ContinuesAPipelinedRequestToo) {
  start();
  Client client(port_);
  client.send(
      "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /hello HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(client.response().starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(client.response().starts_with("HTTP/1.1 100"));
  client.send("ab");
  EXPECT_TRUE(client.response().contains("ab"));
}

TEST_F(HttpServer, TooManyConnectionsOfOneAddress) {
  Limits limits;
  limits.connections_per_address = 1;
  start(limits);
  Client first(port_);
  first.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(first.response().starts_with("HTTP/1.1 200"));
  EXPECT_EQ(status(""), 503);
}

TEST_F(HttpServer, SlowRequestsEnd) {
  Limits limits;
  limits.request = std::chrono::milliseconds(200);
  limits.idle = std::chrono::milliseconds(200);
  start(limits);
  EXPECT_EQ(status("GET /hello HTTP/1.1\r\nHo"), 408);
  EXPECT_EQ(status("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"), 408);
  Client idle(port_);
  EXPECT_TRUE(idle.at_end());
}

TEST_F(HttpServer, TooManyConnections) {
  Limits limits;
  limits.connections = 2;
  start(limits);
  Client first(port_);
  Client second(port_);
  for (Client* client : {&first, &second}) {
    client->send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client->response().starts_with("HTTP/1.1 200"));
  }
  EXPECT_EQ(status(""), 503);
  first.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(first.response().starts_with("HTTP/1.1 200"));
}

TEST_F(HttpServer, StopClosesWhatIsOpen) {
  start();
  Client client(port_);
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  client.response();
  server_->stop();
  EXPECT_TRUE(client.at_end());
}

}  // namespace
}  // namespace doorward::http
