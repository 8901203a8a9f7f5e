// Who an inbound mail really comes from: SPF, DKIM, ARC and DMARC, side by side and within one deadline.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "filter/facts.h"
#include "mail/envelope.h"
#include "mailauth/public_key_cache.h"
#include "mailauth/signature_mail.h"
#include "mime/message.h"
#include "net/core.h"
#include "net/lookup_log.h"
#include "net/resolver.h"

namespace doorward::gateway {

struct AuthenticationOptions {
  bool on = true;
  std::chrono::milliseconds deadline{5000};  // for all questions about one mail together
  size_t lookups = 150;                      // questions to the DNS about one mail
  // Whose clients are not asked for SPF, and so not for DMARC either.
  std::vector<mail::Network> local_networks = mail::private_networks();
};

// What is known of one mail; lives from the end of its data to the last reply.
struct Inquiry {
  const mail::Client& client;
  const mail::Envelope& envelope;
  const mime::Message& message;
  mailauth::SignedMail& signed_mail;  // of the same message
};

class Authenticator {
 public:
  // `resolver` may be null: then nobody is asked. `cores`: how many there are.
  Authenticator(AuthenticationOptions options, std::string host_name, const Clock& clock, net::Resolver* resolver,
                size_t cores);

  bool is_on() const { return options_.on && resolver_ != nullptr; }
  bool is_local(const mail::IpAddress& ip) const;
  // For all that is still to be asked about a mail for which was waited so long already.
  SteadyTime deadline(std::chrono::steady_clock::duration waited = {}) const {
    return std::chrono::steady_clock::now() + options_.deadline - waited;
  }
  // Ends at `last` at the latest. `log` counts what is asked.
  Task<filter::Authentication> check(net::Core& core, Inquiry mail, net::LookupLog& log, SteadyTime last);
  net::LookupLog log() const { return net::LookupLog(*resolver_, options_.lookups); }

 private:
  AuthenticationOptions options_;
  std::string host_name_;
  const Clock& clock_;
  net::Resolver* resolver_;
  std::vector<mailauth::PublicKeyCache> keys_;  // one a core
};

}  // namespace doorward::gateway
