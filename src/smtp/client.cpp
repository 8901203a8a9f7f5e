#include "smtp/client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "smtp/dot_stuffing.h"
#include "smtp/reply_parser.h"

namespace doorward::smtp {
namespace {

// Commands of one pipelined write: less than any socket's send buffer, so that both sides can never be stuck writing
// (RFC 2920 §3.1).
constexpr size_t kPipelineBytes = 16 * 1024;
constexpr size_t kPieces = 512;            // a gathered write's pieces (IOV_MAX is 1024)
constexpr size_t kBlockBytes = 1 << 20;    // written under one data_block deadline
constexpr size_t kReplyBytes = 64 * 1024;  // one reply with all its lines
constexpr size_t kKeptBytes = 2000;        // of the text of each reply where there are many: a thousand stay 2 MB

using net::Io;
using net::IoError;
using net::IoFailure;

std::unexpected<IoFailure> nonsense(std::string what) {
  return std::unexpected<IoFailure>(std::in_place, IoError::other, std::move(what));
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

bool same_word(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, upper, upper); }

// One EHLO line: keyword SP parameters (RFC 5321 §4.1.1.1). Unknown ones are no business of ours.
void take_extension(std::string_view line, Extensions& into) {
  const size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  static constexpr std::array<std::pair<std::string_view, bool Extensions::*>, 10> kWords{{
      {"PIPELINING", &Extensions::pipelining},
      {"8BITMIME", &Extensions::eight_bit_mime},
      {"SMTPUTF8", &Extensions::smtputf8},
      {"CHUNKING", &Extensions::chunking},
      {"DSN", &Extensions::dsn},
      {"ENHANCEDSTATUSCODES", &Extensions::enhanced_status_codes},
      {"STARTTLS", &Extensions::starttls},
      {"REQUIRETLS", &Extensions::requiretls},
      {"PRDR", &Extensions::prdr},
      {"XCLIENT", &Extensions::xclient},
  }};
  for (const auto& [name, flag] : kWords) {
    if (same_word(word, name)) {
      into.*flag = true;
      return;
    }
  }
  if (!same_word(word, "SIZE")) return;
  into.size = true;
  if (space == std::string_view::npos) return;
  const std::string_view number = line.substr(space + 1);
  uint64_t limit = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), limit);
  if (error == std::errc{} && end != number.data()) into.size_limit = limit;
}

// Whatever else a server has to say, the first lines say it.
void shorten(Reply& reply) {
  size_t kept = 0;
  for (size_t i = 0; i < reply.lines.size(); ++i) {
    std::string& line = reply.lines[i];
    if (line.size() > kKeptBytes - kept) {
      line.resize(kKeptBytes - kept);
      line.shrink_to_fit();
      reply.lines.resize(i + 1);
    }
    kept += line.size();
  }
}

}  // namespace

struct ClientConnection::State {
  net::Connection connection;
  bool lmtp;
  ClientTimeouts timeouts;
  Extensions extensions{};
  net::TlsInfo tls{};
  SteadyTime deadline = SteadyTime::max();
  ReplyParser parser{};
  bool content_sent = false;
  std::array<char, 2048> buffer{};
  size_t begin = 0, end = 0;  // what of the buffer is not parsed yet

  State(net::Connection c, bool l, ClientTimeouts t) : connection(std::move(c)), lmtp(l), timeouts(t) {}

  // The time for one step: the step's own, and no more than is left of all.
  void allow(std::chrono::milliseconds step) {
    if (deadline != SteadyTime::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      step = std::clamp(left, std::chrono::milliseconds(0), step);
    }
    connection.set_timeout(step);
  }

  // The next reply; its whole length stands under one deadline, so that a server that trickles gains nothing.
  Task<Io<Reply>> read_reply(std::chrono::milliseconds within) {
    allow(within);
    size_t taken = 0;
    for (;;) {
      if (begin < end) {
        size_t consumed = 0;
        const auto status = parser.feed({buffer.data() + begin, end - begin}, consumed);
        begin += consumed;
        taken += consumed;
        if (status == ReplyParser::Status::done) {
          Reply reply = parser.take();
          if (reply.code >= 200 && reply.code <= 599) co_return reply;
          co_return give_up("a reply code outside 200 to 599");
        }
        if (status == ReplyParser::Status::broken) co_return give_up(std::string(parser.why()));
        if (taken > kReplyBytes) co_return give_up("a reply without end");
      }
      if (begin < end) continue;
      begin = end = 0;
      auto got = co_await connection.read_some(buffer);
      if (!got) {
        connection.close();
        co_return std::unexpected(std::move(got.error()));
      }
      end = *got;
    }
  }

  std::unexpected<IoFailure> give_up(std::string what) {
    connection.close();
    return nonsense(std::move(what));
  }

  Task<Io<void>> write(std::string_view bytes) {
    allow(timeouts.command);
    auto written = co_await connection.write(bytes);
    if (!written) connection.close();
    co_return written;
  }

  // Writes `text` (one command or several, with their CRLFs) and reads a reply for each.
  Task<Io<void>> exchange(std::string_view text, size_t count, std::vector<Reply>& replies) {
    if (auto written = co_await write(text); !written) co_return std::unexpected(std::move(written.error()));
    for (size_t i = 0; i < count; ++i) {
      auto reply = co_await read_reply(timeouts.command);
      if (!reply) co_return std::unexpected(std::move(reply.error()));
      replies.push_back(std::move(*reply));
      if (replies.back().code == 421) {  // RFC 5321 §3.8: the server is closing, whatever the command was
        connection.close();
        break;
      }
    }
    co_return Io<void>{};
  }

  // The content as BDAT (RFC 3030) or with its dots stuffed, in gathered writes of bounded length.
  Task<Io<void>> send_content(std::vector<std::string_view> pieces, bool bdat) {
    std::string head;
    ContentFeed feed(std::move(pieces), bdat ? ContentFeed::Form::chunk : ContentFeed::Form::dot_stuffed);
    std::vector<std::string_view> batch;
    if (bdat) {
      head = "BDAT " + std::to_string(feed.size()) + " LAST\r\n";
      batch.push_back(head);
    }
    bool more = true;
    while (more) {
      if (std::chrono::steady_clock::now() >= deadline) {  // a write that need not wait would not notice
        connection.close();
        co_return std::unexpected<IoFailure>(std::in_place, IoError::timed_out, "no time left for the content");
      }
      more = feed.next(batch, kPieces, kBlockBytes);
      allow(timeouts.data_block);
      auto written = co_await connection.write(std::move(batch));
      if (!written) {
        connection.close();
        co_return written;
      }
      batch = {};
    }
    content_sent = true;
    co_return Io<void>{};
  }
};

ClientConnection::ClientConnection(net::Connection connection, bool lmtp, ClientTimeouts timeouts)
    : state_(std::make_unique<State>(std::move(connection), lmtp, timeouts)) {}
ClientConnection::ClientConnection(ClientConnection&&) noexcept = default;
ClientConnection::~ClientConnection() = default;

void ClientConnection::set_deadline(SteadyTime at) { state_->deadline = at; }

Task<Io<Reply>> ClientConnection::greeting() { co_return co_await state_->read_reply(state_->timeouts.greeting); }

Task<Io<Reply>> ClientConnection::hello(std::string name) {
  state_->extensions = {};
  auto reply = co_await command((state_->lmtp ? "LHLO " : "EHLO ") + name);
  if (!reply) co_return reply;
  if (reply->code == 250) {
    for (size_t i = 1; i < reply->lines.size(); ++i) take_extension(reply->lines[i], state_->extensions);
    co_return reply;
  }
  // RFC 5321 §3.2: a server that does not know EHLO says 500 or 502; LMTP has no such past.
  if (state_->lmtp || (reply->code != 500 && reply->code != 502)) co_return reply;
  co_return co_await command("HELO " + name);
}

Task<Io<Reply>> ClientConnection::start_tls(const net::TlsClientContext& context, std::string verify_name) {
  auto reply = co_await command("STARTTLS");
  if (!reply || reply->code != 220) co_return reply;
  // What came with the 220 came in clear and could be anybody's: it must not be read as the server's later words.
  if (state_->begin < state_->end) co_return state_->give_up("bytes after the reply to STARTTLS");
  state_->extensions = {};  // RFC 3207 §4.2
  state_->allow(state_->timeouts.command);
  auto info = co_await state_->connection.start_tls(context, std::move(verify_name));
  if (!info) {
    state_->connection.close();
    co_return std::unexpected(std::move(info.error()));
  }
  state_->tls = std::move(*info);
  co_return reply;
}

Task<Io<Reply>> ClientConnection::command(std::string line) {
  std::vector<std::string> lines;
  lines.push_back(std::move(line));
  auto replies = co_await pipeline(std::move(lines));
  if (!replies) co_return std::unexpected(std::move(replies.error()));
  co_return std::move(replies->front());
}

Task<Io<std::vector<Reply>>> ClientConnection::pipeline(std::vector<std::string> lines) {
  std::vector<Reply> replies;
  replies.reserve(lines.size());
  std::string text;
  for (size_t next = 0; next < lines.size();) {
    text.clear();
    size_t count = 0;
    do {
      const std::string& line = lines[next + count];
      // Whatever the addresses came from: a line end or NUL inside a command would be a second command.
      if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
        co_return nonsense("a command with a line end inside");
      text.append(line).append("\r\n");
      ++count;
    } while (state_->extensions.pipelining && next + count < lines.size() && text.size() < kPipelineBytes);
    auto done = co_await state_->exchange(text, count, replies);
    if (!done) co_return std::unexpected(std::move(done.error()));
    if (lines.size() > 1) std::for_each(replies.begin() + static_cast<ptrdiff_t>(next), replies.end(), shorten);
    if (!replies.empty() && replies.back().code == 421) break;
    next += count;
  }
  while (replies.size() < lines.size()) replies.push_back(Reply(replies.back()));
  co_return replies;
}

Task<Io<std::vector<Reply>>> ClientConnection::data(std::vector<std::string_view> pieces, size_t accepted_recipients,
                                                    bool use_bdat) {
  state_->content_sent = false;
  const bool bdat = use_bdat && state_->extensions.chunking;
  std::vector<Reply> replies;
  if (!bdat) {
    if (auto sent = co_await state_->write("DATA\r\n"); !sent) co_return std::unexpected(std::move(sent.error()));
    auto go = co_await state_->read_reply(state_->timeouts.data_start);
    if (!go) co_return std::unexpected(std::move(go.error()));
    if (go->code < 400 && go->code != 354) co_return state_->give_up("a positive reply to DATA that is no 354");
    if (go->code != 354) {
      if (go->code == 421) state_->connection.close();
      replies.push_back(std::move(*go));
      co_return replies;
    }
  }
  if (auto sent = co_await state_->send_content(std::move(pieces), bdat); !sent)
    co_return std::unexpected(std::move(sent.error()));
  const size_t wanted = state_->lmtp ? accepted_recipients : 1;  // RFC 2033 §4.2
  while (replies.size() < wanted) {
    auto reply = co_await state_->read_reply(state_->timeouts.data_end);
    if (!reply) {
      if (replies.empty()) co_return std::unexpected(std::move(reply.error()));
      // Some recipients have their answer; the others' is unknown, and that is a temporary failure.
      replies.resize(wanted, Reply(421, EnhancedStatus{4, 4, 2}, "connection lost"));
      break;
    }
    replies.push_back(std::move(*reply));
    if (replies.back().code == 421) {
      state_->connection.close();
      replies.resize(wanted, Reply(replies.back()));
    }
  }
  co_return replies;
}

bool ClientConnection::content_sent() const { return state_->content_sent; }

Task<void> ClientConnection::quit() {
  if (state_->connection.is_open()) {
    state_->deadline = SteadyTime::max();
    state_->connection.set_timeout(std::chrono::seconds(1));
    if (auto sent = co_await state_->connection.write("QUIT\r\n"))
      (void)co_await state_->read_reply(std::chrono::seconds(1));
  }
  state_->connection.close();
}

const Extensions& ClientConnection::extensions() const { return state_->extensions; }
const net::TlsInfo& ClientConnection::tls() const { return state_->tls; }
bool ClientConnection::is_open() const { return state_->connection.is_open(); }
bool ClientConnection::unexpected_input() {
  return state_->begin < state_->end || !state_->connection.is_open() || state_->connection.input_pending();
}
net::Connection& ClientConnection::connection() { return state_->connection; }

}  // namespace doorward::smtp
