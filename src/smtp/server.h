// The SMTP server: listeners, sessions, limits. It knows no filter.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "mail/ip.h"
#include "net/core.h"
#include "net/listener.h"
#include "net/tls.h"
#include "smtp/handler.h"

namespace doorward::smtp {

struct Timeouts {                             // RFC 5321 §4.5.3.2; shorter where the server's side may choose
  std::chrono::milliseconds banner_delay{0};  // early-talker wait
  std::chrono::seconds command{300};
  std::chrono::seconds data_block{180};
  std::chrono::seconds whole_data{3600};  // a message may not take longer, however it trickles
  std::chrono::seconds tls_handshake{60};
  std::chrono::seconds proxy_header{5};
  std::chrono::milliseconds error_delay{1000};  // before the reply to the third error; it grows with each one more
};

struct Limits {
  unsigned connections = 20'000;      // in all
  unsigned connections_per_ip = 100;  // /64 for IPv6
  unsigned connections_a_minute = 0;  // new ones, from one address (/64 for IPv6); 0: any number, here and below
  unsigned network_connections_a_minute = 0;  // from a /24 (/48 for IPv6)
  unsigned mails_a_minute = 0;                // from one address
  unsigned command_errors = 10;               // 421 after so many; the replies slow down from the third on
  unsigned transactions = 1000;               // a session
  unsigned recipients = 1000;                 // a transaction (RFC 5321 §4.5.3.1.8 asks for at least 100)
  uint64_t message_size = 25'000'000;         // octets; the handler may lower it
  size_t command_line = 2048;                 // octets with CRLF; RFC 5321 asks for 512 plus what extensions add
  size_t text_line = 1000;                    // octets with CRLF (RFC 5321 §4.5.3.1.6); longer ones end in 500 5.6.0 …
  size_t long_line = 1 << 16;                 // … beyond this; between the two a line is let through as practice has it
  size_t memory_per_connection = 4 << 20;     // content beyond it goes to an unlinked file
  size_t memory_total = 512 << 20;            // of contents at hand; 452 4.3.1 beyond it
  std::string spill_directory = "/var/tmp";
};

enum class TlsMode : uint8_t { none, starttls, required, implicit };

struct ListenerOptions {
  std::string name = "mx";
  net::Endpoint address;
  TlsMode tls = TlsMode::starttls;
  std::vector<mail::Network> proxy_protocol_from;  // these peers, and only these, must begin with a PROXY header
  std::vector<mail::Network> xclient_from;         // these may send XCLIENT
  bool lmtp = false;                               // the sink's: LHLO, a reply a recipient
};

struct ServerOptions {
  std::string host_name;
  Timeouts timeouts;
  Limits limits;
  bool offer_prdr = true;
  bool offer_smtputf8 = true;
  bool offer_chunking = true;
  bool offer_dsn = true;
  bool offer_requiretls = true;
};

// Sessions of all listeners share limits and memory budget.
class Server {
 public:
  Server(net::Cores& cores, const Clock& clock, ServerOptions options, HandlerFactory& factory);
  ~Server();
  // Binds; accepting starts with start(), so that root can be dropped in between.
  Result<void> listen(ListenerOptions options);
  void start();
  // Swapped without touching running sessions.
  void set_tls(std::shared_ptr<const net::TlsServerContext> context);
  // No new connections; sessions end with 421 after their present transaction. Returns at once.
  void drain();
  size_t sessions() const;
  std::vector<net::Endpoint> addresses() const;  // bound ones, with the ports that were chosen

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace doorward::smtp
