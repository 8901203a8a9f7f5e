#include "app/serve.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <optional>

#include "app/config.h"
#include "app/node.h"
#include "app/privileges.h"
#include "app/start_memory.h"
#include "app/version.h"
#include "base/log.h"

namespace doorward::app {
namespace {

constexpr std::chrono::seconds kLongestDrain{60};

int complain(const Error& error) {
  log::error("serve.failed", {{"error", error.text()}});
  log::flush();
  fmt::print(stderr, "doorward serve: {}\n", error.text());
  return 1;
}

// All threads inherit the mask: signals are taken by wait_for_signal() alone.
sigset_t block_signals() {
  sigset_t taken;
  sigemptyset(&taken);
  for (const int number : {SIGHUP, SIGTERM, SIGINT, SIGUSR1}) sigaddset(&taken, number);
  pthread_sigmask(SIG_BLOCK, &taken, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return taken;
}

// Each connection and its backend take a descriptor; the default of 1,024 would be the first limit met.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void reload(Node& node, const std::string& file) {
  sd_notify(0, "RELOADING=1");
  auto config = load_config(file);
  auto done = config ? node.reload(std::move(*config)) : std::unexpected(config.error());
  if (done) {
    log::info("serve.reloaded", {{"config", file}});
  } else {
    log::error("serve.reload_failed", {{"error", done.error().text()}, {"kept", "the configuration as it was"}});
  }
  sd_notify(0, "READY=1");
}

// As the user to become, who has to be able to open it again when it is rotated.
Result<void> open_log(const NodeConfig& config, const std::optional<Account>& account) {
  const ActingAs user(account);
  return log::set_target(config.log_target, config.log_level);
}

void reopen_log() {
  if (const auto opened = log::reopen(); !opened) {
    log::error("serve.log_not_reopened", {{"error", opened.error().text()}, {"kept", "the log as it was"}});
  }
}

// The number of the next signal, or 0 after `longest`.
int wait_for_signal(const sigset_t& taken, std::chrono::milliseconds longest) {
  timespec time{};
  time.tv_sec = longest.count() / 1000;
  time.tv_nsec = longest.count() % 1000 * 1'000'000;
  const int number = sigtimedwait(&taken, nullptr, &time);
  return number > 0 ? number : 0;
}

void drain(Node& node, const sigset_t& taken) {
  sd_notify(0, "STOPPING=1");
  log::info("serve.draining");
  node.drain();
  const auto until = std::chrono::steady_clock::now() + kLongestDrain;
  while (!node.is_drained() && std::chrono::steady_clock::now() < until) {
    const int number = wait_for_signal(taken, std::chrono::milliseconds(50));
    if (number == SIGTERM || number == SIGINT) break;  // asked twice: at once
  }
}

}  // namespace

int serve(const ServeOptions& options) {
  auto config = load_config(options.config_file);
  if (!config) return complain(config.error());
  if (options.print_config) {
    fmt::print("{}", print_effective(*config));
    return 0;
  }
  const auto file = options.config_file;
  const auto account = account_to_become(config->user, config->group, config->may_run_as_root);
  if (!account) return complain(account.error());
  if (const auto opened = open_log(*config, *account); !opened) return complain(opened.error());
  const auto signals = block_signals();
  raise_descriptor_limit();

  auto node = Node::open(std::move(*config), *account);
  if (!node) return complain(node.error());
  if (const auto dropped = drop_root(*account); !dropped) return complain(dropped.error());
  if (const auto started = (*node)->start(); !started) return complain(started.error());
  sd_notify(0, "READY=1");
  log::info("serve.ready", {{"version", kVersion}});
  log::flush();
  give_back_start_memory();

  for (;;) {
    const int number = wait_for_signal(signals, std::chrono::seconds(1));
    log::flush();  // a log file lags by a second at most
    if (number == SIGHUP) reload(**node, file);
    if (number == SIGUSR1) reopen_log();
    if (number == SIGTERM || number == SIGINT) break;
  }
  drain(**node, signals);
  node->reset();
  log::info("serve.stopped");
  log::flush();
  return 0;
}

}  // namespace doorward::app
