// Level of Trust (D1): what past correspondence says about a pair of addresses, a subject, a thread and a domain. Each
// customer's own. Nothing of it can be listed: entries stand under keyed hashes and hold neither address nor subject.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "mail/ip.h"
#include "trust/kept.h"
#include "trust/relation.h"

namespace doorward::trust {

// Somebody outside.
struct Correspondent {
  std::string address;  // lower case, A-labels
  std::string
      domain{};  // that trust in a domain goes by: the registrable one; empty where it is everybody's (freemail)
};

// A mail that one of our users sent, was found clean, and went out.
struct SentMail {
  uint64_t customer = 0;
  std::vector<std::string> senders{};  // addresses of the user: envelope and From
  std::vector<Correspondent> recipients{};
  std::string subject{}, message_id{};
};

// A mail that came in, and what was made of it.
struct ReceivedMail {
  enum class Kind : uint8_t { good, spam, unproven_refused };
  Kind kind = Kind::good;
  bool bulk = false;  // a newsletter or list: says how the domain writes, and builds nothing
  uint64_t customer = 0;
  std::vector<std::string> recipients{};
  Correspondent sender;
  mail::IpAddress client{};
};

class Correspondence {
 public:
  struct Options {
    size_t entries =
        size_t{1} << 20;      // of 24 octets; a correspondent takes three to five. A stored table keeps its size
    std::string directory{};  // where it is kept; empty: in memory only
    bool read_only = false;   // another process may be writing
    Forgetting forgetting{};
  };
  static Result<std::unique_ptr<Correspondence>> open(Options options);
  ~Correspondence();  // flushes

  struct Question {
    uint64_t customer = 0;
    std::span<const std::string> recipients;  // of that customer
    const Correspondent& sender;
    std::string_view subject;                // as given
    std::span<const std::string> answers{};  // Message-IDs that the mail answers
  };
  struct Level {
    double level = 0;  // -100 … 100
    unsigned days = 0;
    SystemTime last{};
    bool any() const { return level != 0; }
  };
  struct Known {
    Level pair{};     // the best of the recipients with the sender
    Level address{};  // of all the customer's people with the sender
    Level domain{};
    bool subject = false;  // one of the customer's people wrote to that domain under this subject
    bool thread = false;   // it answers a mail of one of the customer's people
    bool bulk = false;     // most mail of that domain is newsletters
  };
  // Safe from any thread while one writes.
  Known look_up(const Question& question, SystemTime now) const;
  // Whether the sender, who cannot prove himself, comes from the network that was recorded when his mail was refused.
  bool is_from_recorded_network(uint64_t customer, std::string_view address, const mail::IpAddress& client,
                                SystemTime now) const;

  // All below: one thread at a time.
  void sent(const SentMail& mail, SystemTime now);
  void received(const ReceivedMail& mail, SystemTime now);
  // By an administrator: the level of an address or of a domain, which decays like any other. 0: forgotten. The pairs
  // of that address, or the subjects of that domain, are forgotten with it.
  void set(uint64_t customer, const Correspondent& whom, double level, SystemTime now);
  Result<void> flush();

  Kept::Fill fill() const;  // counts through the whole table

 private:
  struct State;
  explicit Correspondence(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What of a subject is the same in an answer: without "Re:", "AW:" and the like, lower case; empty where too little is
// left to recognise anything by.
std::string thread_subject(std::string_view subject);

}  // namespace doorward::trust
