// A DMARC failure report (RFC 9991): what is told of one mail that somebody sent in a domain's name. Its results and a
// few header fields; no recipient, no subject, nothing of the body.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "gateway/witness.h"
#include "report/dmarc_observation.h"
#include "report/report_mail.h"

namespace doorward::report {

struct FailureReport {
  SystemTime time{};
  std::string policy_domain;             // whose record asks for it
  std::vector<ReportAddress> addresses;  // of ruf=
  std::string author_domain, source_ip;
  std::string results;  // of Authentication-Results, what stands behind the colon
  // "delivered", "spam" or "reject" (RFC 6591 §3.2.2); empty: other filters' doing, and not told
  std::string delivery;
  bool dkim_failed = false, spf_failed = false;  // to prove an aligned domain
  // The first aligned signature that does not hold; empty: none.
  std::string dkim_domain, dkim_identity, dkim_selector;
  std::string spf_domain;  // an aligned domain whose record does not allow the client; empty: none
  std::string spf_record;  // its record: to be looked up by who sends the report
  std::string headers;     // fields of the mail, lines ending in CRLF, ASCII
};

inline constexpr size_t kMostFailureAddresses = 3;

// None: the domain asks for no report of such a mail (ruf=, fo=), DMARC came to nothing, the mail comes again, or
// nobody wrote it: reports about reports would never end.
std::optional<FailureReport> failure_of(const gateway::Witness::Seen& mail, std::string_view host_name);

std::string failure_subject(const FailureReport& report);
// The whole message. `id` is the report's own, `number` tells its addresses apart.
std::string failure_message(const ReportSender& sender, const FailureReport& report, std::string_view id,
                            const mail::Mailbox& to, unsigned number, SystemTime now);

}  // namespace doorward::report
