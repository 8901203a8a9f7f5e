// load_generator: sends real mails over SMTP, one mail a connection, N connections at a time, each as fast as its
// server answers (a closed loop), and says how long that took. It speaks as Postfix's client does: MAIL, RCPT and DATA
// together where PIPELINING is offered, the last dot together with QUIT. It shares no code with the gateway.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "mails.h"
#include "options.h"

namespace doorward::bench {
namespace {

using Clock = std::chrono::steady_clock;

enum class Await : uint8_t { banner, ehlo, xclient, mail, rcpt, data, dot, quit, nothing };

struct Session {
  int fd = -1;
  bool in_use = false;
  Await await = Await::banner;
  bool pipelining = false, size = false, eight_bit_mime = false, xclient = false, xclient_done = false;
  bool quit_sent = false;
  bool writing = false;   // waits for EPOLLOUT
  bool counted = false;   // the outcome of this connection's mail is recorded
  int first_refusal = 0;  // the first 4xx or 5xx of the transaction
  uint64_t number = 0;
  const PreparedMail* mail = nullptr;
  Clock::time_point began, content_sent;
  std::string in, out;
  size_t sent = 0;  // octets of `out`
};

class Generator {
 public:
  Generator(Options options, std::vector<PreparedMail> mails)
      : options_(std::move(options)), mails_(std::move(mails)), sessions_(options_.connections + options_.idle) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) throw std::runtime_error("epoll_create1 failed");
    latencies_.reserve(std::min<size_t>(options_.count, 1 << 20));
    if (options_.acknowledged.empty()) return;
    acknowledged_ = open_log(options_.acknowledged);
  }

  int run();

 private:
  bool idle_place(const Session& session) const { return place(session) >= options_.connections; }
  size_t place(const Session& session) const { return static_cast<size_t>(&session - sessions_.data()); }

  static uint32_t since(Clock::time_point then) {
    return static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - then).count());
  }
  static int open_log(const std::string& path);
  bool may_begin() const;
  void open_all();
  void open(Session& session);
  void close(Session& session);
  void readable(Session& session);
  void reply(Session& session, int code, std::string_view text, bool last);
  void replied(Session& session, int code);
  void greet(Session& session);
  void say(Session& session, Await await, std::string_view text);
  void start_transaction(Session& session);
  void send_content(Session& session);
  void flush(Session& session);
  void outcome(Session& session, int code);
  std::string mail_command(const Session& session) const;
  std::string recipient_command(const Session& session) const;
  void print() const;

  Options options_;
  std::vector<PreparedMail> mails_;
  std::vector<Session> sessions_;
  int epoll_ = -1;
  int acknowledged_ = -1;
  uint64_t started_ = 0, ended_ = 0, idle_open_ = 0, idle_lost_ = 0;
  std::map<int, uint64_t> replies_;  // code of the last reply a mail got; 0: connection lost
  std::map<int, std::string> examples_;
  std::vector<uint32_t> latencies_;  // microseconds, of the whole connection
  std::vector<uint32_t> answers_;    // from the end of the data to its reply
  uint64_t octets_ = 0;
  Clock::time_point began_, finished_;
};

void Generator::open(Session& session) {
  const bool idle = idle_place(session);
  if (!idle && (started_ == options_.count || !may_begin())) return;
  session = Session{};
  session.in_use = true;
  session.began = Clock::now();
  if (!idle) {
    session.number = started_++;
    session.mail = &mails_[session.number % mails_.size()];
  }
  session.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (session.fd < 0) throw std::runtime_error(std::string("socket: ") + std::strerror(errno));
  const int on = 1;
  setsockopt(session.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (options_.sources > 1) {  // 127.1.0.1 …: servers limit what one address may open
    setsockopt(session.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(0x7f010001U + static_cast<uint32_t>(place(session) % options_.sources));
    if (bind(session.fd, reinterpret_cast<sockaddr*>(&from), sizeof from) != 0) throw std::runtime_error("bind failed");
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(options_.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(session.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) {
    outcome(session, 0);
    close(session);
    return;
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = place(session);
  epoll_ctl(epoll_, EPOLL_CTL_ADD, session.fd, &event);
}

void Generator::close(Session& session) {
  if (session.fd >= 0) ::close(session.fd);
  session.fd = -1;
  session.in_use = false;
}

int Generator::open_log(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) throw std::runtime_error("cannot write " + path + ": " + std::strerror(errno));
  return file;
}

// With a rate, mail n begins n / rate seconds after the start, or as soon after as a connection is free.
bool Generator::may_begin() const {
  if (options_.rate == 0) return true;
  const double elapsed = std::chrono::duration<double>(Clock::now() - began_).count();
  return static_cast<double>(started_) <= elapsed * static_cast<double>(options_.rate);
}

void Generator::outcome(Session& session, int code) {
  if (session.counted) return;
  session.counted = true;
  if (idle_place(session)) {
    ++idle_lost_;
    return;
  }
  if (code == 250 && acknowledged_ >= 0) {
    const std::string line = std::to_string(session.number) + "." + options_.token + "\n";
    if (write(acknowledged_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      throw std::runtime_error("cannot write the tokens of what was acknowledged");
    }
  }
  ++replies_[code];
  ++ended_;
  latencies_.push_back(since(session.began));
  if (ended_ == options_.count) finished_ = Clock::now();
}

void Generator::readable(Session& session) {
  std::array<char, 4096> buffer;
  const ssize_t got = recv(session.fd, buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    outcome(session, 0);
    close(session);
    return;
  }
  session.in.append(buffer.data(), static_cast<size_t>(got));
  size_t begin = 0;
  for (size_t end; session.fd >= 0 && (end = session.in.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string_view line(session.in.data() + begin, end - begin);
    if (line.size() < 3) continue;
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    reply(session, code, line.substr(std::min<size_t>(4, line.size())), line.size() == 3 || line[3] != '-');
  }
  session.in.erase(0, std::min(begin, session.in.size()));
}

void Generator::reply(Session& session, int code, std::string_view text, bool last) {
  if (session.await == Await::ehlo) {
    if (text.starts_with("PIPELINING")) session.pipelining = !options_.no_pipelining;
    if (text.starts_with("SIZE")) session.size = true;
    if (text.starts_with("8BITMIME")) session.eight_bit_mime = true;
    if (text.starts_with("XCLIENT")) session.xclient = true;
  }
  if (code >= 400 && examples_.size() < 8 && !examples_.contains(code)) examples_[code] = std::string(text);
  if (last) replied(session, code);
}

void Generator::greet(Session& session) { say(session, Await::ehlo, "EHLO client.bench.example\r\n"); }

void Generator::replied(Session& session, int code) {
  if (code >= 400 && session.first_refusal == 0) session.first_refusal = code;
  switch (session.await) {
    case Await::banner:
      if (code != 220) break;
      if (idle_place(session)) ++idle_open_;
      return greet(session);
    case Await::xclient:
      if (code != 220) break;
      return greet(session);
    case Await::ehlo:
      if (code != 250) break;
      if (idle_place(session)) {
        session.await = Await::nothing;
        return;
      }
      if (options_.xclient && session.xclient && !session.xclient_done) {
        session.xclient_done = true;
        const std::string address = "198.18.0." + std::to_string(1 + session.number % 254);
        return say(session, Await::xclient, "XCLIENT ADDR=" + address + " NAME=[UNAVAILABLE]\r\n");
      }
      return start_transaction(session);
    case Await::mail:
      if (session.pipelining) {
        session.await = Await::rcpt;
        return;
      }
      if (code != 250) break;
      return say(session, Await::rcpt, recipient_command(session));
    case Await::rcpt:
      if (session.pipelining) {
        session.await = Await::data;
        return;
      }
      if (code != 250) break;
      return say(session, Await::data, "DATA\r\n");
    case Await::data:
      if (code != 354) break;
      if (session.first_refusal != 0) return say(session, Await::dot, ".\r\n");  // 354 although no recipient stood
      return send_content(session);
    case Await::dot:
      if (session.first_refusal == 0) answers_.push_back(since(session.content_sent));
      outcome(session, session.first_refusal != 0 ? session.first_refusal : code);
      if (!session.quit_sent) return say(session, Await::quit, "QUIT\r\n");
      session.await = Await::quit;
      return;
    case Await::quit:
    case Await::nothing:
      outcome(session, session.first_refusal);
      return close(session);
  }
  outcome(session, session.first_refusal != 0 ? session.first_refusal : code);
  say(session, Await::quit, "QUIT\r\n");
}

std::string Generator::mail_command(const Session& session) const {
  if (!session.mail->sender.empty()) {
    return "MAIL FROM:<" + session.mail->sender + ">" +
           (session.eight_bit_mime && session.mail->eight_bit ? " BODY=8BITMIME\r\n" : "\r\n");
  }
  std::string text = "MAIL FROM:<s" + std::to_string(session.number) + options_.token + "@sender.example>";
  if (session.size) text += " SIZE=" + std::to_string(session.mail->wire.size() + 200);
  if (session.eight_bit_mime && session.mail->eight_bit) text += " BODY=8BITMIME";
  return text + "\r\n";
}

std::string Generator::recipient_command(const Session& session) const {
  return "RCPT TO:<r" + std::to_string(session.number) + "." + options_.token + "@" + options_.domain + ">\r\n";
}

void Generator::start_transaction(Session& session) {
  if (!session.pipelining) return say(session, Await::mail, mail_command(session));
  say(session, Await::mail, mail_command(session) + recipient_command(session) + "DATA\r\n");
}

void Generator::send_content(Session& session) {
  const PreparedMail& mail = *session.mail;
  const bool as_it_is = !mail.sender.empty();
  session.content_sent = Clock::now();
  const std::string token = std::to_string(session.number) + "." + options_.token;
  const std::string fields =
      as_it_is ? "" : "Message-ID: <" + token + "@sender.example>\r\nX-Load-Token: " + token + "\r\n";
  std::string end = mail.token_in_body && !as_it_is ? token + "\r\n.\r\n" : ".\r\n";
  session.quit_sent = session.pipelining;
  if (session.quit_sent) end += "QUIT\r\n";
  session.await = Await::dot;
  const std::array<std::string_view, 4> parts{std::string_view(mail.wire).substr(0, mail.split), fields,
                                              std::string_view(mail.wire).substr(mail.split), end};
  std::array<iovec, 4> vectors;
  size_t total = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    vectors[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
    total += parts[i].size();
  }
  octets_ += total;
  const ssize_t sent = writev(session.fd, vectors.data(), static_cast<int>(vectors.size()));
  if (sent == static_cast<ssize_t>(total)) return;
  // The rare rest: what the socket did not take is kept in one piece.
  session.out.clear();
  session.sent = 0;
  size_t skip = sent > 0 ? static_cast<size_t>(sent) : 0;
  for (const std::string_view part : parts) {
    const size_t gone = std::min(skip, part.size());
    session.out += part.substr(gone);
    skip -= gone;
  }
  flush(session);
}

void Generator::say(Session& session, Await await, std::string_view text) {
  session.await = await;
  session.out.erase(0, session.sent);
  session.sent = 0;
  session.out += text;
  flush(session);
}

void Generator::flush(Session& session) {
  while (session.sent < session.out.size()) {
    const ssize_t sent =
        send(session.fd, session.out.data() + session.sent, session.out.size() - session.sent, MSG_NOSIGNAL);
    if (sent < 0) break;
    session.sent += static_cast<size_t>(sent);
  }
  const bool more = session.sent < session.out.size();
  if (!more) {
    session.out.clear();
    session.sent = 0;
  }
  if (more == session.writing) return;
  session.writing = more;
  epoll_event event{};
  event.events = more ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = place(session);
  epoll_ctl(epoll_, EPOLL_CTL_MOD, session.fd, &event);
}

void Generator::open_all() {
  // Idle ones first and not all at once: a listen queue is short.
  size_t opened = 0;
  for (Session& session : sessions_) {
    if (session.in_use || (opened += 1) > 200) continue;
    open(session);
  }
}

int Generator::run() {
  std::array<epoll_event, 512> events;
  began_ = finished_ = Clock::now();
  const auto deadline = began_ + std::chrono::seconds(options_.seconds);
  bool told = false;
  while (Clock::now() < deadline) {
    const bool done = ended_ == options_.count;
    if (done && options_.idle == 0) break;
    open_all();
    if (!told && options_.idle != 0 && idle_open_ == options_.idle) {
      std::fprintf(stderr, "%llu idle connections stand\n", static_cast<unsigned long long>(idle_open_));
      told = true;
    }
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), options_.rate != 0 ? 1 : 100);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      Session& session = sessions_[event.data.u64];
      if (session.fd < 0) continue;
      if ((event.events & EPOLLOUT) != 0) flush(session);
      if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) readable(session);
    }
  }
  if (ended_ < options_.count) finished_ = Clock::now();
  print();
  return ended_ == options_.count && idle_lost_ == 0 ? 0 : 1;
}

void Generator::print() const {
  const double seconds = std::chrono::duration<double>(finished_ - began_).count();
  std::vector<uint32_t> sorted = latencies_, answers = answers_;
  std::sort(sorted.begin(), sorted.end());
  std::sort(answers.begin(), answers.end());
  const auto at = [](const std::vector<uint32_t>& times, double part) {
    return times.empty() ? 0.0 : times[static_cast<size_t>(part * static_cast<double>(times.size() - 1))] / 1000.0;
  };
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const double cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  std::printf(
      "{\"mails\":%llu,\"seconds\":%.3f,\"mails_per_second\":%.1f,\"octets\":%llu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
      "\"max_ms\":%.2f,\"answer_p50_ms\":%.2f,\"answer_p99_ms\":%.2f,\"answer_max_ms\":%.2f,\"generator_cpu_seconds\":%"
      ".3f,\"idle\":%llu,\"idle_lost\":%llu,\"replies\":{",
      static_cast<unsigned long long>(ended_), seconds, seconds > 0 ? static_cast<double>(ended_) / seconds : 0,
      static_cast<unsigned long long>(octets_), at(sorted, 0.5), at(sorted, 0.99), at(sorted, 1), at(answers, 0.5),
      at(answers, 0.99), at(answers, 1), cpu, static_cast<unsigned long long>(idle_open_),
      static_cast<unsigned long long>(idle_lost_));
  const char* comma = "";
  for (const auto& [code, count] : replies_) {
    std::printf("%s\"%d\":%llu", comma, code, static_cast<unsigned long long>(count));
    comma = ",";
  }
  std::printf("}}\n");
  for (const auto& [code, text] : examples_) std::fprintf(stderr, "a %d reply: %s\n", code, text.c_str());
}

}  // namespace
}  // namespace doorward::bench

int main(int argc, char** argv) {
  try {
    doorward::bench::Options options = doorward::bench::parse_options(argc, argv);
    std::vector<doorward::bench::PreparedMail> mails;
    if (!options.ready.empty()) {
      mails = doorward::bench::load_ready(options.ready);
      options.count = std::min(options.count, mails.size());
    } else if (options.count > 0) {
      mails = doorward::bench::load_mails(options.mails, options.count);
    }
    return doorward::bench::Generator(std::move(options), std::move(mails)).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "load_generator: %s\n", error.what());
    return 2;
  }
}
