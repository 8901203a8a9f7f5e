// A real name server (Knot DNS) on loopback with zones of its own, and sockets that misbehave as name servers do.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace doorward::net::test {

inline sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A socket on a free loopback port; closed at the end.
class LoopbackSocket {
 public:
  explicit LoopbackSocket(int type) : descriptor_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
  }
  ~LoopbackSocket() { ::close(descriptor_); }
  LoopbackSocket(const LoopbackSocket&) = delete;
  LoopbackSocket& operator=(const LoopbackSocket&) = delete;
  int descriptor() const { return descriptor_; }
  uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1@" + std::to_string(port_); }

 private:
  int descriptor_;
  uint16_t port_ = 0;
};

inline std::string output_of(const std::string& command) {
  std::string output;
  FILE* const pipe = ::popen(command.c_str(), "r");
  char buffer[4096];
  while (const size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, got);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return output;
}

class NameServer {
 public:
  // Zone and its records, without SOA and NS; "broken": a zone that the server knows and has not (SERVFAIL).
  // Zones whose name begins with "signed." are signed.
  explicit NameServer(const std::map<std::string, std::string>& zones) {
    char name[] = "/tmp/doorward-knot-XXXXXX";
    directory_ = ::mkdtemp(name);
    {
      const LoopbackSocket free(SOCK_STREAM);
      port_ = free.port();
    }
    std::filesystem::create_directory(directory_ / "db");
    std::ofstream configuration(directory_ / "knot.conf");
    configuration << "server:\n  listen: 127.0.0.1@" << port_ << "\n  rundir: " << directory_.native()
                  << "\ndatabase:\n  storage: " << directory_.native()
                  << "/db\nlog:\n - target: " << (directory_ / "log").native() << "\n   any: info\nzone:\n";
    for (const auto& [zone, records] : zones) {
      configuration << " - domain: " << zone << ".\n   file: " << (directory_ / zone).native() << "\n";
      if (zone.starts_with("signed."))
        configuration
            << "   dnssec-signing: on\n   zonefile-sync: -1\n   zonefile-load: difference\n   journal-content: all\n";
      if (records == "broken") continue;
      zones_.push_back(zone);
      std::ofstream(directory_ / zone) << "$ORIGIN " << zone << ".\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n"
                                       << "@ NS ns\nns A 127.0.0.1\n"
                                       << records;
    }
    configuration.close();
    start();
  }
  ~NameServer() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
    std::filesystem::remove_all(directory_);
  }
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1@" + std::to_string(port_); }
  // DS records of a signed zone's keys, as a trust anchor file has them.
  std::string trust_anchor(const std::string& zone) const {
    return output_of("/usr/sbin/keymgr -c " + (directory_ / "knot.conf").native() + " " + zone + ". ds");
  }

 private:
  void start() {
    const std::string configuration = directory_ / "knot.conf";
    // Ends with this thread, also where a test crashes.
    std::vector<std::string> words{"/usr/bin/setpriv", "--pdeathsig", "TERM", "/usr/sbin/knotd", "-c", configuration};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    ::posix_spawn_file_actions_init(&quiet);
    ::posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    const int error = ::posix_spawn(&process_, words[0].c_str(), &quiet, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&quiet);
    if (error != 0 || ::access("/usr/sbin/knotd", X_OK) != 0) {
      std::fprintf(stderr, "no knotd: tools/install-packages test installs it\n");
      std::abort();
    }
    for (int tries = 0; tries < 400 && !(loaded() && answers()); ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
    EXPECT_TRUE(answers()) << "knotd does not listen: " << log();
  }
  bool loaded() const {
    const std::string text = log();
    return std::ranges::all_of(zones_, [&](const std::string& zone) {
      return text.find("[" + zone + ".] loaded, serial") != std::string::npos;
    });
  }
  bool answers() const {
    const LoopbackSocket probe(SOCK_STREAM);
    const sockaddr_in to = loopback(port_);
    return ::connect(probe.descriptor(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  std::string log() const {
    std::ifstream file(directory_ / "log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path directory_;
  std::vector<std::string> zones_;  // that it has
  uint16_t port_ = 0;
  pid_t process_ = -1;
};

// Stands before a name server: counts questions whose first label is the one asked about, and holds each for a while.
class CountingRelay {
 public:
  CountingRelay(uint16_t server, std::chrono::milliseconds hold)
      : server_(server), hold_(hold), thread_([this] { run(); }) {}
  ~CountingRelay() {
    stop_ = true;
    thread_.join();
  }
  std::string address() const { return front_.address(); }
  size_t asked(const std::string& label) {
    const std::lock_guard guard(lock_);
    return counts_[label];
  }

 private:
  void run() {
    const LoopbackSocket back(SOCK_DGRAM);
    while (!stop_) {
      pollfd ready{front_.descriptor(), POLLIN, 0};
      if (::poll(&ready, 1, 20) <= 0) continue;
      char packet[4096];
      sockaddr_in client{};
      socklen_t length = sizeof client;
      const ssize_t got =
          ::recvfrom(front_.descriptor(), packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&client), &length);
      if (got < 14) continue;
      {
        const std::lock_guard guard(lock_);
        ++counts_[std::string(packet + 13, static_cast<size_t>(packet[12]))];
      }
      std::this_thread::sleep_for(hold_);
      const sockaddr_in to = loopback(server_);
      ::sendto(back.descriptor(), packet, static_cast<size_t>(got), 0, reinterpret_cast<const sockaddr*>(&to),
               sizeof to);
      pollfd answered{back.descriptor(), POLLIN, 0};
      if (::poll(&answered, 1, 2000) <= 0) continue;
      const ssize_t answer = ::recv(back.descriptor(), packet, sizeof packet, 0);
      if (answer > 0)
        ::sendto(front_.descriptor(), packet, static_cast<size_t>(answer), 0, reinterpret_cast<sockaddr*>(&client),
                 length);
    }
  }

  LoopbackSocket front_{SOCK_DGRAM};
  uint16_t server_;
  std::chrono::milliseconds hold_;
  std::atomic<bool> stop_ = false;
  std::mutex lock_;
  std::map<std::string, size_t> counts_;
  std::thread thread_;
};

}  // namespace doorward::net::test
