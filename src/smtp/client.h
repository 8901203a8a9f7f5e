// An SMTP or LMTP client connection (RFC 5321, 2033): greeting, EHLO, extensions, pipelined commands, data. It maps
// nothing: replies are the server's own.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "net/connection.h"
#include "net/tls.h"
#include "smtp/reply.h"

namespace doorward::smtp {

struct Extensions {
  bool pipelining = false, size = false, eight_bit_mime = false, smtputf8 = false, chunking = false, dsn = false;
  bool enhanced_status_codes = false, starttls = false, requiretls = false, prdr = false, xclient = false;
  uint64_t size_limit = 0;  // octets; 0: none announced
};

struct ClientTimeouts {  // RFC 5321 §4.5.3.2
  std::chrono::seconds greeting{300}, command{300}, data_start{120}, data_block{180}, data_end{600};
};

class ClientConnection {
 public:
  ClientConnection(net::Connection connection, bool lmtp, ClientTimeouts timeouts);
  ClientConnection(ClientConnection&&) noexcept;
  ~ClientConnection();

  // Whatever is asked from now on fails with timed_out at this time at the latest, and content that was not begun by
  // then is not sent. Never, until it is set.
  void set_deadline(SteadyTime at);

  Task<net::Io<Reply>> greeting();
  Task<net::Io<Reply>> hello(std::string name);  // EHLO (LHLO), HELO where EHLO is unknown; fills extensions()
  Task<net::Io<Reply>> start_tls(const net::TlsClientContext& context, std::string verify_name);  // then hello() again
  Task<net::Io<Reply>> command(std::string line);  // one command without CRLF, one reply
  // Several commands in one write where the server offers PIPELINING, else one by one; one reply each. After a 421 the
  // server reads no more: the commands left get that 421 too.
  Task<net::Io<std::vector<Reply>>> pipeline(std::vector<std::string> lines);
  // DATA (or BDAT LAST where chosen and offered), the content dot-stuffed, and the last reply: one, or one a recipient
  // with LMTP. A 354 that does not come is returned as the only reply, and nothing was sent.
  Task<net::Io<std::vector<Reply>>> data(std::vector<std::string_view> pieces, size_t accepted_recipients,
                                         bool use_bdat);
  // Whether the last data() got as far as the content's last byte: after a failure, the server may then have the mail.
  bool content_sent() const;
  Task<void> quit();  // QUIT without waiting long, and close
  const Extensions& extensions() const;
  const net::TlsInfo& tls() const;  // of the last start_tls()
  bool is_open() const;
  bool unexpected_input();  // a 421 or the end came while idle: of no more use
  net::Connection& connection();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace doorward::smtp
