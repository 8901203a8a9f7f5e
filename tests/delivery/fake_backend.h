// A mail server that answers as it is told: right by default, wrong where a rule says so. Plain blocking sockets and a
// thread a connection, so that it shares no line with what it tests.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/handle.h"
#include "net/connection.h"

namespace doorward::test {

struct ReceivedMail {
  std::string from;
  std::vector<std::string> recipients;
  std::string content;  // dots taken out
  bool bdat = false;
};

class FakeBackend {
 public:
  static constexpr const char* kClose = "<close>";    // hangs up without an answer
  static constexpr const char* kHang = "<hang>";      // says nothing until the client goes
  static constexpr const char* kSilent = "<silent>";  // no answer, and goes on reading

  struct Options {
    bool lmtp = false;
    std::vector<std::string> extensions{"PIPELINING", "8BITMIME", "SIZE 10000000", "ENHANCEDSTATUSCODES",
                                        "SMTPUTF8",   "DSN",      "CHUNKING"};
    std::string certificate{}, key{};                    // PEM files: STARTTLS is offered
    size_t most = 0;                                     // connections at once; 0: any number
    std::string full{"421 4.7.0 too many connections"};  // what one more is told
    std::chrono::milliseconds work{0};                   // taken for each content
  };

  FakeBackend() : FakeBackend(Options{}) {}
  explicit FakeBackend(Options options, uint16_t port = 0) : options_(std::move(options)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
    ::listen(listener_, 64);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    if (!options_.certificate.empty()) {
      tls_.reset(SSL_CTX_new(TLS_server_method()));
      SSL_CTX_use_certificate_chain_file(tls_.get(), options_.certificate.c_str());
      SSL_CTX_use_PrivateKey_file(tls_.get(), options_.key.c_str(), SSL_FILETYPE_PEM);
    }
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~FakeBackend() { stop(); }

  void stop() {
    if (stopped_.exchange(true)) return;
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    hang_up();
    for (std::thread& each : threads_) each.join();
  }

  // Closes all connections that stand, as a server that is restarted does.
  void hang_up() {
    const std::scoped_lock held(lock_);
    for (const int open : open_) ::shutdown(open, SHUT_RDWR);
  }

  // Sends `text` to all connections that stand, unasked for.
  void blurt(std::string_view text) {
    const std::scoped_lock held(lock_);
    for (const int open : open_) (void)!::send(open, text.data(), text.size(), MSG_NOSIGNAL);
  }

  net::Endpoint endpoint() const { return *net::Endpoint::parse("127.0.0.1:" + std::to_string(port_)); }
  uint16_t port() const { return port_; }

  // The answer to commands that begin with `prefix` ("greeting" and "content" stand for what is no command), `times`
  // times (-1: always). Later rules go before earlier ones.
  FakeBackend& on(std::string prefix, std::string answer, int times = -1) {
    const std::scoped_lock held(lock_);
    rules_.insert(rules_.begin(), Rule{std::move(prefix), std::move(answer), times});
    return *this;
  }

  std::vector<std::string> commands() const { return copy(commands_); }
  std::vector<std::string> reads() const { return copy(reads_); }  // what came in one piece, outside content
  std::vector<ReceivedMail> mails() const { return copy(mails_); }
  unsigned connections() const { return connections_; }
  unsigned turned_away() const { return turned_away_; }
  unsigned standing() const {
    const std::scoped_lock held(lock_);
    return static_cast<unsigned>(open_.size());
  }
  size_t count(std::string_view prefix) const {
    const auto all = commands();
    return static_cast<size_t>(std::ranges::count_if(all, [&](const std::string& c) { return c.starts_with(prefix); }));
  }

 private:
  struct Rule {
    std::string prefix, answer;
    int times;
  };

  struct Session {
    int socket = -1;
    Handle<SSL, SSL_free> tls{};
    std::string input{};
    ReceivedMail mail{};
    bool open = false;
    bool content_at_hand = false;

    ssize_t read(char* into, size_t size) {
      return tls ? SSL_read(tls.get(), into, static_cast<int>(size)) : ::recv(socket, into, size, 0);
    }
    void write(std::string_view text) {
      if (tls)
        SSL_write(tls.get(), text.data(), static_cast<int>(text.size()));
      else
        (void)!::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    }
  };

  template <class T>
  std::vector<T> copy(const std::vector<T>& from) const {
    const std::scoped_lock held(lock_);
    return from;
  }

  void accept_all() {
    for (;;) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      const int on = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ++connections_;
      const std::scoped_lock held(lock_);
      if (options_.most != 0 && open_.size() >= options_.most) {
        ++turned_away_;
        const std::string words = options_.full == kClose ? "" : options_.full + "\r\n";
        (void)!::send(socket, words.data(), words.size(), MSG_NOSIGNAL);
        ::close(socket);
        continue;
      }
      open_.push_back(socket);
      threads_.emplace_back([this, socket] {
        serve(socket);
        const std::scoped_lock again(lock_);
        std::erase(open_, socket);
        ::close(socket);
      });
    }
  }

  // The rule's answer, or `otherwise`.
  std::string answer(std::string_view command, std::string otherwise) {
    const std::scoped_lock held(lock_);
    for (Rule& rule : rules_) {
      if (rule.times == 0 || !command.starts_with(rule.prefix)) continue;
      if (rule.times > 0) --rule.times;
      return rule.answer;
    }
    return otherwise;
  }

  // False: the connection is to be closed.
  bool say(Session& session, const std::string& text) {
    if (text == kClose) return false;
    if (text == kHang) {
      char byte = 0;
      while (session.read(&byte, 1) > 0) continue;
      return false;
    }
    if (text != kSilent) session.write(text.ends_with("\n") ? text : text + "\r\n");
    return !text.starts_with("421") && !text.starts_with("221");
  }

  bool fill(Session& session, bool record) {
    std::array<char, 65536> buffer;
    const ssize_t got = session.read(buffer.data(), buffer.size());
    if (got <= 0) return false;
    session.input.append(buffer.data(), static_cast<size_t>(got));
    if (record) {
      const std::scoped_lock held(lock_);
      reads_.emplace_back(buffer.data(), static_cast<size_t>(got));
    }
    return true;
  }

  void serve(int socket) {
    Session session;
    session.socket = socket;
    if (!say(session, answer("greeting", "220 fake ESMTP"))) return;
    for (;;) {
      size_t end = 0;
      while ((end = session.input.find("\r\n")) == std::string::npos)
        if (!fill(session, true)) return;
      const std::string line = session.input.substr(0, end);
      session.input.erase(0, end + 2);
      {
        const std::scoped_lock held(lock_);
        commands_.push_back(line);
      }
      if (!handle(session, line)) return;
    }
  }

  bool handle(Session& session, const std::string& line) {
    const std::string verb = line.substr(0, 4);
    if (verb == "EHLO" || verb == "LHLO") return say(session, answer(line, hello(session)));
    if (verb == "HELO") return say(session, answer(line, "250 fake"));
    if (verb == "MAIL") {
      const std::string text = answer(line, session.open ? "503 5.5.1 nested MAIL" : "250 2.1.0 ok");
      if (text.starts_with("250")) {
        session.open = true;
        session.mail = ReceivedMail{line, {}, {}, false};
      }
      return say(session, text);
    }
    if (verb == "RCPT") {
      const std::string text = answer(line, session.open ? "250 2.1.5 ok" : "503 5.5.1 no MAIL");
      if (text.starts_with("25")) session.mail.recipients.push_back(line);
      return say(session, text);
    }
    if (verb == "RSET") {
      const std::string text = answer(line, "250 2.0.0 ok");
      if (text.starts_with("250")) session.open = false;
      return say(session, text);
    }
    if (verb == "DATA") {
      const std::string text = answer(line, session.mail.recipients.empty() ? "503 5.5.1 no RCPT" : "354 go");
      if (!say(session, text)) return false;
      return !text.starts_with("354") || data(session);
    }
    if (verb == "BDAT") return bdat(session, line);
    if (verb == "STAR") return start_tls(session, line);
    if (verb == "QUIT") return say(session, answer(line, "221 bye"));
    return say(session, answer(line, "500 5.5.2 what?"));
  }

  std::string hello(const Session& session) const {
    std::string text = "250-fake";
    std::vector<std::string> words = options_.extensions;
    if (tls_ && !session.tls) words.emplace_back("STARTTLS");
    for (const std::string& word : words) text += "\r\n250-" + word;
    text.replace(text.rfind("250-"), 4, "250 ");
    return text + "\r\n";
  }

  bool data(Session& session) {
    size_t end = 0, searched = 0;
    while (!session.input.starts_with(".\r\n") &&
           (end = session.input.find("\r\n.\r\n", searched)) == std::string::npos) {
      searched = session.input.size() < 5 ? 0 : session.input.size() - 4;
      if (!fill(session, false)) return false;
    }
    const bool empty = session.input.starts_with(".\r\n");
    std::string content;
    for (size_t i = 0; !empty && i < end + 2; ++i) {
      const bool line_start = i == 0 || session.input[i - 1] == '\n';
      if (!line_start || session.input[i] != '.') content += session.input[i];
    }
    session.input.erase(0, empty ? 3 : end + 5);
    return finish(session, std::move(content), false);
  }

  bool bdat(Session& session, const std::string& line) {
    const std::string early = answer(line, "");
    if (early == kClose) return false;
    const size_t size = std::stoul(line.substr(5));
    while (session.input.size() < size)
      if (!fill(session, false)) return false;
    std::string content = session.input.substr(0, size);
    session.input.erase(0, size);
    if (!early.empty()) return say(session, early);
    return finish(session, std::move(content), true);
  }

  bool finish(Session& session, std::string content, bool bdat) {
    const size_t replies = options_.lmtp ? session.mail.recipients.size() : 1;
    session.mail.content = std::move(content);
    session.mail.bdat = bdat;
    std::this_thread::sleep_for(options_.work);
    bool taken = false;
    bool stays = true;
    std::string all;
    for (size_t i = 0; i < replies && stays; ++i) {
      const std::string text = answer("content", "250 2.0.0 stored");
      if (text.starts_with("250")) taken = true;
      if (taken && i == 0) {
        const std::scoped_lock held(lock_);
        mails_.push_back(session.mail);
      }
      stays = say(session, text);
    }
    session.open = false;
    session.mail = {};
    return stays;
  }

  bool start_tls(Session& session, const std::string& line) {
    const std::string text = answer(line, tls_ ? "220 go" : "502 5.5.1 no");
    if (!say(session, text)) return false;
    if (!text.starts_with("220")) return true;
    session.tls.reset(SSL_new(tls_.get()));
    SSL_set_fd(session.tls.get(), session.socket);
    if (answer("handshake", "") == kClose) return false;
    session.open = false;
    return SSL_accept(session.tls.get()) == 1;
  }

  Options options_;
  Handle<SSL_CTX, SSL_CTX_free> tls_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stopped_{false};
  std::atomic<unsigned> connections_{0}, turned_away_{0};
  mutable std::mutex lock_;
  std::vector<Rule> rules_;
  std::vector<std::string> commands_, reads_;
  std::vector<ReceivedMail> mails_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace doorward::test
