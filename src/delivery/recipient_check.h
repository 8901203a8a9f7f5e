// Whether a recipient exists, for mail that is to be relayed: what is taken must be deliverable, since nobody may be
// told later (DESIGN §2: no backscatter). The policy lists it, or its backend is asked and the answer remembered.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/task.h"
#include "delivery/pool.h"
#include "delivery/recipient_memory.h"
#include "mail/address.h"
#include "smtp/reply.h"

namespace doorward::delivery {

struct RecipientCheckOptions {
  std::chrono::seconds refresh_after{24 *
                                     3600};  // a known recipient is asked for again; without an answer it stays known
  std::chrono::seconds probe_every{24 * 3600};  // a backend is tried with a name that cannot exist
  std::chrono::milliseconds ask_within{60'000};
};

struct RecipientAnswer {
  enum class Kind : uint8_t { known, unknown, no_answer } kind = Kind::no_answer;
  smtp::Reply reply{};              // ours, for the client: 250, 5xx or 451
  bool remembered = false;          // the backend was not asked, or did not answer
  bool accepts_everything = false;  // its backend takes any name of this domain: the answer says nothing
};

class RecipientCheck {
 public:
  // The memory and the clock outlive it. Shared by all cores.
  RecipientCheck(RecipientCheckOptions options, RecipientMemory& memory, const Clock& clock)
      : options_(options), memory_(memory), clock_(clock) {}

  // Goes on on the pool's core. listed: the policy knows it.
  Task<RecipientAnswer> check(BackendPool& pool, std::shared_ptr<const policy::Backend> backend,
                              mail::Mailbox recipient, bool listed);

 private:
  struct Asked;
  Task<Asked> ask(BackendPool& pool, std::shared_ptr<const policy::Backend> backend, mail::Mailbox recipient,
                  std::string probe);
  void keep_probe(const policy::Backend& backend, const std::string& domain, bool accepts_everything);

  RecipientCheckOptions options_;
  RecipientMemory& memory_;
  const Clock& clock_;
};

}  // namespace doorward::delivery
