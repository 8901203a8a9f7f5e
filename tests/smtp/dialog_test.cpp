// Runs the dialogs of tests/smtp/dialogs against a real server on loopback. A dialog is a text file:
//   # what it shows
//   option NAME VALUE      of the server; see apply()
//   c -> LINE              the client sends LINE and CRLF; \r \n \t \0 \xHH \\ stand for bytes, \{N*C} for N times C
//   c ~> BYTES             the same without CRLF
//   c <- TEXT              one line comes that begins with TEXT
//   c <= CODE              a whole reply of that code comes, however many lines
//   c has TEXT             the last reply of <= has a line that begins so;   c lacks TEXT   … has none
//   c gone                 the server closes the connection, and nothing comes before that
//   c tls                  a TLS handshake;   c quiet   nothing comes for 60 ms;   c wait N   sleeps N ms
//   c close                the client drops the connection;   c again   a new connection
//   h events A; B; …       what the handler saw since the last look, exactly and in order (waits for it)
//   h messages N           messages delivered in all
//   h message BYTES        the last message
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "conformance.h"
#include "net/loop.h"
#include "smtp/recording_handler.h"
#include "smtp/server.h"

namespace doorward::smtp {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const fs::path kDialogs = fs::path(TEST_DATA) / ".." / "smtp" / "dialogs";

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (const char c = text[++i]) {
      case 'r':
        out += '\r';
        break;
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case '0':
        out += '\0';
        break;
      case 'x':
        out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
        break;
      case '{': {
        const size_t star = text.find('*', i), end = text.find('}', star);
        out.append(std::stoul(std::string(text.substr(i + 1, star - i - 1))),
                   unescaped(text.substr(star + 1, end - star - 1)).at(0));
        i = end;
        break;
      }
      default:
        out += c;
    }
  }
  return out;
}

struct Given {
  ServerOptions server;
  ListenerOptions listener;
  std::string refuse_ip;
};

void apply(Given& setup, const std::string& name, const std::string& value) {
  Limits& limits = setup.server.limits;
  Timeouts& times = setup.server.timeouts;
  const auto number = [&] { return static_cast<unsigned>(std::stoul(value)); };
  const auto network = [&] { return *mail::Network::parse(value); };
  if (name == "tls") {
    setup.listener.tls = value == "required"   ? TlsMode::required
                         : value == "implicit" ? TlsMode::implicit
                         : value == "none"     ? TlsMode::none
                                               : TlsMode::starttls;
  } else if (name == "lmtp") {
    setup.listener.lmtp = true;
  } else if (name == "proxy_from") {
    setup.listener.proxy_protocol_from.push_back(network());
  } else if (name == "xclient_from") {
    setup.listener.xclient_from.push_back(network());
  } else if (name == "refuse_ip") {
    setup.refuse_ip = value;
  } else if (name == "banner_delay_ms") {
    times.banner_delay = std::chrono::milliseconds(number());
  } else if (name == "command_seconds") {
    times.command = std::chrono::seconds(number());
  } else if (name == "data_block_seconds") {
    times.data_block = std::chrono::seconds(number());
  } else if (name == "whole_data_seconds") {
    times.whole_data = std::chrono::seconds(number());
  } else if (name == "proxy_header_seconds") {
    times.proxy_header = std::chrono::seconds(number());
  } else if (name == "command_errors") {
    limits.command_errors = number();
  } else if (name == "connections_per_ip") {
    limits.connections_per_ip = number();
  } else if (name == "connections") {
    limits.connections = number();
  } else if (name == "transactions") {
    limits.transactions = number();
  } else if (name == "recipients") {
    limits.recipients = number();
  } else if (name == "message_size") {
    limits.message_size = number();
  } else if (name == "memory_total") {
    limits.memory_total = number();
  } else if (name == "long_line") {
    limits.long_line = number();
  } else if (name == "no_chunking") {
    setup.server.offer_chunking = false;
  } else {
    FAIL() << "unknown option " << name;
  }
}

std::string certificate_path(const char* suffix) {
  return (fs::temp_directory_path() / ("doorward-dialog-" + std::to_string(getpid()) + suffix)).string();
}

struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The client's side of a dialog.
class Client {
 public:
  Client(net::Core& core, net::Endpoint to) : core_(core), to_(std::move(to)) {}

  Task<void> connect() {
    auto made = co_await net::Connection::connect(core_, to_, 5s);
    if (!made) throw Failed("cannot connect: " + made.error().detail);
    connection_.emplace(std::move(*made));
    got_.clear();
  }
  Task<void> send(std::string bytes) {
    connection_->set_timeout(10s);
    if (!co_await connection_->write(bytes)) throw Failed("cannot write");
  }
  Task<bool> more(std::chrono::milliseconds time) {
    std::array<char, 4096> room{};
    connection_->set_timeout(time);
    const auto some = co_await connection_->read_some(room);
    if (some) got_.append(room.data(), *some);
    why_ = some ? "" : some.error().detail;
    timed_out_ = !some && some.error().kind == net::IoError::timed_out;
    co_return some.has_value();
  }
  Task<std::string> line() {
    size_t end = 0;
    while ((end = got_.find("\r\n")) == std::string::npos) {
      if (!co_await more(10s)) throw Failed("no line came: " + why_ + ", only \"" + got_ + "\"");
    }
    std::string one = got_.substr(0, end);
    got_.erase(0, end + 2);
    if (one.size() + 2 > 512) throw Failed("a reply line is longer than 512 octets");
    co_return one;
  }
  Task<std::vector<std::string>> reply() {
    std::vector<std::string> lines;
    do lines.push_back(co_await line());
    while (lines.back().size() > 3 && lines.back()[3] == '-');
    co_return lines;
  }
  Task<void> expect_gone() {
    while (co_await more(5s)) {
    }
    if (timed_out_) throw Failed("the connection is still open");
    if (!got_.empty()) throw Failed("before the end came: " + got_);
  }
  Task<void> expect_quiet() {
    const bool some = co_await more(60ms);
    if (some || !got_.empty()) throw Failed("not quiet: " + got_);
    if (!timed_out_) throw Failed("the connection is gone");
  }
  Task<void> start_tls() {
    const auto context = net::TlsClientContext::load(certificate_path(".crt"));
    if (!context) throw Failed(context.error().text());
    connection_->set_timeout(10s);
    const auto info = co_await connection_->start_tls(**context, "mx.example");
    if (!info) throw Failed("no TLS: " + info.error().detail);
  }
  void close() { connection_->close(); }

 private:
  net::Core& core_;
  net::Endpoint to_;
  std::optional<net::Connection> connection_;
  std::string got_, why_;
  bool timed_out_ = false;
};

class Dialog : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    ASSERT_TRUE(
        net::make_self_signed({certificate_path(".crt"), certificate_path(".key")}, {"mx.example"}, 2).has_value());
  }
  static void TearDownTestSuite() {
    fs::remove(certificate_path(".crt"));
    fs::remove(certificate_path(".key"));
  }

  Task<void> client_step(Client& client, std::string verb, std::string rest) {
    if (verb == "->") {
      co_await client.send(unescaped(rest) + "\r\n");
    } else if (verb == "~>") {
      co_await client.send(unescaped(rest));
    } else if (verb == "<-") {
      const std::string line = co_await client.line();
      if (!line.starts_with(rest)) throw Failed("came: " + line);
    } else if (verb == "<=") {
      reply_ = co_await client.reply();
      for (const std::string& line : reply_) {
        if (!line.starts_with(rest)) throw Failed("came: " + line);
      }
    } else if (verb == "has" || verb == "lacks") {
      bool has = false;
      for (const std::string& line : reply_) has = has || (line.size() > 4 && line.substr(4).starts_with(rest));
      if (has != (verb == "has")) throw Failed("it does not");
    } else if (verb == "gone") {
      co_await client.expect_gone();
    } else if (verb == "quiet") {
      co_await client.expect_quiet();
    } else if (verb == "wait") {
      co_await loop_.core().sleep(std::chrono::milliseconds(std::stoi(rest)));
    } else if (verb == "tls") {
      co_await client.start_tls();
    } else if (verb == "close") {
      client.close();
    } else if (verb == "again") {
      co_await client.connect();
    } else {
      throw Failed("unknown step");
    }
  }

  std::string seen_events() {
    const std::lock_guard guard(record_.lock);
    std::string all;
    for (size_t i = events_looked_at_; i < record_.events.size(); ++i)
      all += (all.empty() ? "" : "; ") + record_.events[i];
    return all;
  }

  Task<void> handler_step(std::string verb, std::string rest) {
    if (verb == "events") {
      std::string seen;
      for (int i = 0; i < 500 && (seen = seen_events()) != rest; ++i) co_await loop_.core().sleep(2ms);
      if (seen != rest) throw Failed("the handler saw: " + seen);
      events_looked_at_ = record_.events.size();
      co_return;
    }
    const std::lock_guard guard(record_.lock);
    if (verb == "messages") {
      if (std::to_string(record_.messages.size()) != rest)
        throw Failed("there are " + std::to_string(record_.messages.size()));
    } else if (verb == "message") {
      if (record_.messages.empty() || record_.messages.back() != unescaped(rest)) {
        throw Failed(record_.messages.empty() ? "there is none" : "it is: " + record_.messages.back());
      }
    } else {
      throw Failed("unknown step");
    }
  }

  Task<void> play(std::vector<std::pair<int, std::string>> steps, net::Endpoint to) {
    Client client(loop_.core(), to);
    // Each connection of the smuggling dialog tries another wrong end of data.
    std::optional<doorward::test::Conformance> suite;
    if (GetParam().starts_with("smuggling")) suite.emplace("smtp-" + GetParam());
    co_await client.connect();
    if (suite) suite->begin();
    for (auto& [number, step] : steps) {
      std::istringstream words(step);
      std::string who, verb;
      words >> who >> verb;
      std::string rest;
      std::getline(words, rest);
      if (!rest.empty()) rest.erase(0, 1);
      if (suite && step == "c again") suite->begin();
      std::string failure;
      try {
        if (who == "c") co_await client_step(client, verb, rest);
        if (who == "h") co_await handler_step(verb, rest);
        if (who != "c" && who != "h") throw Failed("a step begins with c or h");
      } catch (const Failed& failed) {
        failure = failed.what();
      }
      if (failure.empty()) continue;
      ADD_FAILURE() << GetParam() << ".txt:" << number << ": " << step << "\n  " << failure;
      co_return;
    }
  }

  test::Record record_;
  size_t events_looked_at_ = 0;
  std::vector<std::string> reply_;
  net::test::Loop loop_;
};

TEST_P(Dialog, GoesAsWritten) {
  Given setup;
  setup.server.host_name = "mx.example";
  setup.server.timeouts.error_delay = 0ms;
  setup.listener.address = *net::Endpoint::parse("127.0.0.1:0");
  std::vector<std::pair<int, std::string>> steps;
  std::ifstream file(kDialogs / (GetParam() + ".txt"));
  ASSERT_TRUE(file.is_open());
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    if (!line.starts_with("option ")) {
      steps.emplace_back(number, line);
      continue;
    }
    std::istringstream words(line);
    std::string option, name, value;
    words >> option >> name >> value;
    apply(setup, name, value);
  }
  ASSERT_FALSE(steps.empty());
  record_.banner_ip_refused = setup.refuse_ip;

  RealClock clock;
  test::RecordingFactory factory(record_);
  net::Cores cores(1);
  cores.start();
  Server server(cores, clock, setup.server, factory);
  const auto context = net::TlsServerContext::load({{certificate_path(".crt"), certificate_path(".key")}});
  ASSERT_TRUE(context.has_value());
  server.set_tls(*context);
  const auto listening = server.listen(setup.listener);
  ASSERT_TRUE(listening.has_value());
  server.start();
  loop_.run([&]() -> Task<void> { return play(steps, server.addresses().front()); });
  cores.stop();
  cores.join();
  EXPECT_EQ(server.sessions(), 0U);
}

std::vector<std::string> dialogs() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kDialogs)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, Dialog, ::testing::ValuesIn(dialogs()), [](const auto& one) { return one.param; });

}  // namespace
}  // namespace doorward::smtp
