#include "app/control.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/json.hpp>
#include <exception>
#include <thread>

#include "app/control_socket.h"
#include "base/log.h"

namespace doorward::app {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr milliseconds kRequestTime{5'000};    // for the whole line
constexpr milliseconds kWriteTime{10'000};     // for a piece of the answer
constexpr milliseconds kAnswerTime{600'000};   // what a client waits for the next line: a repair may be long
constexpr milliseconds kLook{100};             // how often a thread sees whether it is to stop
constexpr size_t kPiece = size_t{32} << 10;    // octets of answer that are sent together
constexpr size_t kMostLine = size_t{1} << 20;  // octets of an answer's line

}  // namespace

struct Control::State {
  std::string path;
  ControlHandler handler;
  LocalSocket socket{};
  std::atomic<bool> stopping = false;
  std::array<std::thread, 2> threads{};

  State(std::string at, ControlHandler given) : path(std::move(at)), handler(std::move(given)) {}

  void serve(LocalSocket client) const {
    if (!client.is_from_root_or_us()) return;
    std::string waiting;
    const auto flush = [&] {
      const bool sent = client.write(waiting, kWriteTime);
      waiting.clear();
      return sent;
    };
    auto request = client.read_line(kMostRequest, kRequestTime);
    if (request && !*request) return;
    Result<void> done;
    if (request) {
      done = handler(**request, [&](std::string_view line) {
        waiting += line;
        waiting += '\n';
        return !stopping && (waiting.size() < kPiece || flush());  // a slow reader holds up no stop
      });
    } else {
      done = std::unexpected(request.error());
    }
    const json::object last = done ? json::object{{"end", true}} : json::object{{"error", done.error().text()}};
    waiting += json::serialize(last) + "\n";
    flush();
  }

  void run() {
    while (!stopping) {
      auto client = socket.accept(kLook);
      if (!client) continue;
      try {
        serve(std::move(*client));
      } catch (const std::exception& failure) {
        log::error("control.failed", {{"error", failure.what()}});
      }
    }
  }
};

Control::Control(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Control>> Control::open(const std::string& path, ControlHandler handler) {
  auto state = std::make_unique<State>(path, std::move(handler));
  auto socket = LocalSocket::listen(path);
  if (!socket) return std::unexpected(socket.error());
  state->socket = std::move(*socket);
  return std::unique_ptr<Control>(new Control(std::move(state)));
}

Control::~Control() {
  stop();
  ::unlink(state_->path.c_str());
}

void Control::start() {
  for (auto& thread : state_->threads) thread = std::thread([state = state_.get()] { state->run(); });
}

void Control::stop() {
  state_->stopping = true;
  for (auto& thread : state_->threads) {
    if (thread.joinable()) thread.join();
  }
}

Result<Asked> ask(const std::string& path, std::string_view request, const Answer& answer) {
  auto socket = LocalSocket::connect(path);
  if (!socket) return std::unexpected(socket.error());
  if (!*socket) return Asked::nobody;
  const std::string line = std::string(request) + "\n";
  if (!(*socket)->write(line, kWriteTime)) return fail("the gateway takes no request", path);
  for (;;) {
    auto got = (*socket)->read_line(kMostLine, kAnswerTime);
    if (!got) return std::unexpected(got.error());
    if (!*got) return fail("the gateway closed the connection: only root and its own account may steer it", path);
    // The last line is short, and the only one that begins like this.
    if (**got == R"({"end":true})") return Asked::done;
    if ((*got)->starts_with(R"({"error":)")) {
      boost::system::error_code wrong;
      const auto value = json::parse(**got, wrong);
      const auto* text = !wrong && value.is_object() ? value.get_object().if_contains("error") : nullptr;
      return fail(text != nullptr && text->is_string() ? std::string(text->get_string()) : **got);
    }
    if (!answer(**got)) return Asked::done;
  }
}

}  // namespace doorward::app
