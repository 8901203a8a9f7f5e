// One SMTP session, from the banner to the end. Verbs return replies; answer() alone writes, counts and logs them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mail/content.h"
#include "mail/envelope.h"
#include "net/connection.h"
#include "smtp/command.h"
#include "smtp/handler.h"
#include "smtp/input.h"
#include "smtp/server_state.h"
#include "smtp/text_scanner.h"

namespace doorward::smtp {

class Session {
 public:
  using Port = std::shared_ptr<const ListenerOptions>;

  // Never throws; the connection is closed at its end.
  static Task<void> serve(std::shared_ptr<ServerState> server, Port port, net::Connection connection);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void wake_for_drain();  // an idle session says 421; a busy one goes on to the end of its transaction
  void abandon() { connection_.close(); }

  // A row of the verb table: what must have come before, and what the verb does. verbs.cpp has the table.
  struct Row;

 private:
  // What is read next.
  enum class Mode : uint8_t { command, data, chunk, tls_handshake };

  Session(std::shared_ptr<ServerState> server, Port port, net::Connection connection);

  // session.cpp: the way of a session
  Task<void> run();
  Task<bool> open();  // PROXY header, limits, TLS, banner; false: over
  bool admitted();
  Task<bool> greet();
  Task<bool> step();  // one command, message or chunk; false: over
  Task<void> end();
  void start_transaction(MailCommand command);
  Task<void> end_transaction();
  void forget_transaction();
  bool wants_to_drain() const { return server_.draining && !transaction_ && mode_ == Mode::command; }

  // session_io.cpp: reading, and the one place that writes
  void answer(const Reply& reply);
  Task<bool> flush();
  Task<bool> fill(std::chrono::milliseconds timeout);  // flushes first; false: the connection is over
  Task<std::optional<std::string_view>> read_command();
  Task<bool> read_exactly(size_t size, SteadyTime until);
  Task<bool> time_out();
  Task<void> linger();
  Task<bool> end_with(Reply reply);

  // session_peer.cpp: who the client is
  Task<bool> read_proxy_header();
  Task<bool> handshake(bool implicit);
  void become(const mail::IpAddress& ip, uint16_t port);
  bool count_peer();
  bool comes_seldom_enough();  // false: its network has its most connections

  // verbs.cpp
  static const Row& row_of(Verb verb);
  Task<Reply> command(std::string_view line);
  std::optional<Reply> out_of_sequence(const Row& row) const;
  Reply protocol_error(Reply reply);  // counts against the budget
  Offered offered() const;
  Task<Reply> hello(std::string_view argument, Verb verb);
  Reply hello_reply(const Reply& taken) const;
  Task<Reply> verb_ehlo(std::string_view argument);
  Task<Reply> verb_helo(std::string_view argument);
  Task<Reply> verb_lhlo(std::string_view argument);
  Task<Reply> verb_mail(std::string_view argument);
  Task<Reply> verb_rcpt(std::string_view argument);
  Task<Reply> verb_data(std::string_view argument);
  Task<Reply> verb_bdat(std::string_view argument);
  Task<Reply> verb_rset(std::string_view argument);
  Task<Reply> verb_noop(std::string_view argument);
  Task<Reply> verb_quit(std::string_view argument);
  Task<Reply> verb_vrfy(std::string_view argument);
  Task<Reply> verb_expn(std::string_view argument);
  Task<Reply> verb_help(std::string_view argument);
  Task<Reply> verb_starttls(std::string_view argument);
  Task<Reply> verb_auth(std::string_view argument);
  Task<Reply> verb_xclient(std::string_view argument);
  Task<Reply> verb_unknown(std::string_view argument);

  // session_content.cpp: messages
  struct Incoming;
  void begin_content(TextScanner::Form form);
  void take_text(std::string_view text);
  void count_memory();
  SteadyTime content_deadline() const { return content_began_ + server_.options.timeouts.whole_data; }
  Task<bool> fill_content();
  Task<bool> receive_data();
  Task<bool> receive_chunk();
  Task<void> deliver();
  std::optional<Reply> fault_reply();
  void answer_message(const std::vector<Reply>& replies);
  std::optional<Reply> content_refusal() const;
  uint64_t size_limit() const;

  std::shared_ptr<ServerState> server_held_;
  ServerState& server_;
  Port port_;
  net::Connection connection_;
  std::unique_ptr<Handler> handler_;
  Input input_;
  std::string output_;

  mail::Client client_;
  mail::Envelope envelope_;
  std::unique_ptr<Incoming> incoming_;
  Mode mode_ = Mode::command;
  bool admitted_ = false;
  bool counted_peer_ = false;
  bool greeted_ = false;  // the handler let the client in
  bool said_hello_ = false;
  bool transaction_ = false;  // MAIL was taken
  bool closing_ = false;      // the last reply is written or will be
  bool waiting_idle_ = false;
  bool skipping_line_ = false;
  bool connection_reads_full_ = false;  // the last read filled its room
  bool said_quit_ = false;
  bool trusted_for_xclient_ = false;
  std::chrono::milliseconds delay_{0};  // before the next replies go out

  unsigned errors_ = 0;
  unsigned idle_commands_ = 0;  // since the last transaction
  size_t refused_recipients_ = 0, delivered_recipients_ = 0;
  unsigned fruitless_commands_ = 0;  // since the last message that was taken
  unsigned transactions_ = 0;
  unsigned messages_ = 0;
  uint64_t chunk_left_ = 0;
  bool chunk_last_ = false;
  std::optional<Reply> chunk_refusal_;  // its octets are read and dropped
  SteadyTime content_began_{};          // of the message or the chunk; of real time: sockets know no other
  mail::IpAddress counted_ip_;
  SteadyTime began_{};
  const char* end_reason_ = "closed by us";
};

}  // namespace doorward::smtp
