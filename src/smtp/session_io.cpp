// Reading commands, and the one place where replies are written, counted and logged.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "smtp/line_reader.h"
#include "smtp/session.h"

namespace doorward::smtp {

namespace {

constexpr size_t kIdleBuffer = 2048;     // octets of a session that waits for a command
constexpr size_t kContentBuffer = 8192;  // of one that receives: most mails in one read …
constexpr size_t kLargeBuffer = 65536;   // … and the large ones in few
constexpr size_t kLingerOctets = 65536;
constexpr std::chrono::milliseconds kLingerTime{1000};

}  // namespace

void Session::answer(const Reply& reply) {
  output_ += reply.wire();
  const auto klass = static_cast<size_t>(std::clamp(reply.code / 100, 2, 5));
  server_.metrics.replies.at(klass)->add();
  const log::Level level = klass >= 4 ? log::Level::info : log::Level::debug;
  if (log::enabled(level)) {
    log::write(level, "smtp.reply",
               {{"session", client_.session_id},
                {"id", transaction_ ? std::string_view(envelope_.id) : std::string_view()},
                {"code", reply.code},
                {"text", reply.lines.empty() ? std::string_view() : std::string_view(reply.lines.front())}});
  }
  if (reply.close) closing_ = true;
}

Task<bool> Session::flush() {
  if (output_.empty()) co_return true;
  if (delay_.count() > 0) co_await connection_.core().sleep(std::exchange(delay_, {}));
  connection_.set_timeout(server_.options.timeouts.command);
  const auto written = co_await connection_.write(output_);
  if (output_.capacity() > kIdleBuffer) output_ = {};
  output_.clear();
  if (!written) {
    end_reason_ = "write failed";
    connection_.close();
  }
  co_return written.has_value();
}

Task<bool> Session::end_with(Reply reply) {
  reply.close = true;
  answer(reply);
  co_await flush();
  co_return false;
}

Task<bool> Session::fill(std::chrono::milliseconds timeout) {
  if (!co_await flush()) co_return false;
  size_t capacity = std::max(kIdleBuffer, server_.options.limits.command_line);
  if (mode_ == Mode::command) {
    input_.shrink(capacity);
  } else {
    capacity = std::max(capacity, connection_reads_full_ ? kLargeBuffer : kContentBuffer);
  }
  connection_.set_timeout(std::max(timeout, std::chrono::milliseconds(0)));
  const std::span<char> room = input_.room(capacity);
  waiting_idle_ = mode_ == Mode::command;
  const auto got = co_await connection_.read_some(room);
  waiting_idle_ = false;
  if (got) {
    input_.filled(*got);
    connection_reads_full_ = *got == room.size();
    co_return true;
  }
  end_reason_ = transaction_ ? "lost in a transaction" : "closed by the client";
  if (got.error().kind != net::IoError::timed_out) co_return false;
  if (wants_to_drain()) {
    end_reason_ = "drained";
    co_return co_await end_with(
        Reply(421, {4, 3, 2}, server_.options.host_name + " going down, please try again later"));
  }
  co_return co_await time_out();
}

Task<bool> Session::time_out() {
  end_reason_ = "timed out";
  return end_with(Reply(421, {4, 4, 2}, server_.options.host_name + " timeout, closing the connection"));
}

Task<std::optional<std::string_view>> Session::read_command() {
  using Result = std::optional<std::string_view>;
  SteadyTime deadline{};  // for the whole line, however it trickles
  for (;;) {
    const Line line = next_line(input_.bytes(), server_.options.limits.command_line);
    switch (line.state) {
      case LineState::complete:
        input_.consume(line.used);
        if (!std::exchange(skipping_line_, false)) co_return Result(line.text);
        break;
      case LineState::too_long: {
        const bool ended = input_.bytes().substr(0, line.used).ends_with('\n');
        input_.consume(line.used);
        if (!skipping_line_) answer(protocol_error(Reply(500, {5, 5, 2}, "the line is too long")));
        skipping_line_ = !ended;
        if (errors_ < server_.options.limits.command_errors) break;
        end_reason_ = "too many errors";
        co_await end_with(Reply(421, {4, 7, 0}, server_.options.host_name + " too many errors"));
        co_return Result();
      }
      case LineState::incomplete: {
        const SteadyTime now = std::chrono::steady_clock::now();
        if (deadline == SteadyTime{}) deadline = now + server_.options.timeouts.command;
        if (!co_await fill(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now))) co_return Result();
        break;
      }
      default:
        end_reason_ = "bad line end";
        server_.metrics.protocol_errors.add();
        co_await end_with(Reply(500, {5, 5, 2}, "a line ends with CR and LF together and has no NUL"));
        co_return Result();
    }
  }
}

Task<bool> Session::read_exactly(size_t size, SteadyTime until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  if (left.count() <= 0) co_return false;
  connection_.set_timeout(left);
  std::span<char> room = input_.room(input_.bytes().size() + size).first(size);
  while (!room.empty()) {
    const auto got = co_await connection_.read_some(room);
    if (!got) co_return false;
    input_.filled(*got);
    room = room.subspan(*got);
  }
  co_return true;
}

// A client that still sends would get a reset instead of our last words.
Task<void> Session::linger() {
  if (!closing_ || said_quit_ || !connection_.is_open()) co_return;
  connection_.shut_write();
  connection_.set_timeout(kLingerTime);
  input_.consume(input_.bytes().size());
  const std::span<char> room = input_.room(kIdleBuffer);
  for (size_t dropped = 0; dropped < kLingerOctets;) {
    const auto got = co_await connection_.read_some(room);
    if (!got) break;
    dropped += *got;
  }
}

}  // namespace doorward::smtp
