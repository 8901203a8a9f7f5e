// `doorward sink`: a small mail server that takes everything and stores it, or only counts. The demo's backend, and the
// bench's and the tests'.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "net/connection.h"
#include "net/tls.h"

namespace doorward::app {

struct SinkOptions {
  net::Endpoint listen;
  std::string maildir;  // made where it is missing; empty: mails are counted only
  bool lmtp = false;
  std::optional<net::Certificate> certificate;  // STARTTLS is offered with it
  bool fsync = false;                           // each mail before its 250
  unsigned cores = 1;
  uint64_t message_size = 100'000'000;  // octets
};

// A running one; its destructor stops it.
class Sink {
 public:
  static Result<std::unique_ptr<Sink>> start(SinkOptions options);
  ~Sink();
  net::Endpoint address() const;  // with the port that was chosen
  uint64_t mails() const;         // stored or counted

 private:
  struct State;
  explicit Sink(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Starts one, prints "doorward sink: listening on ADDRESS" when it is ready, and runs until SIGTERM or SIGINT; then
// prints how many mails came. Call it before any other thread was started, so that none gets these signals in its
// stead.
Result<void> run_sink(SinkOptions options);

}  // namespace doorward::app
