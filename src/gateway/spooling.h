// From verdicts to a record of the spool: what a 250 promises to each recipient when the mail is kept here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/judge.h"
#include "gateway/recipient.h"
#include "spool/spool.h"

namespace doorward::gateway {

// What the queue knows of a mail besides its recipients. `now`: the end of the data, from which on its time counts.
spool::Mail mail_of(const mail::Client& client, const mail::Envelope& envelope, sheet::Direction direction,
                    SystemTime now);

// Collects the groups of one mail that are to be kept, and commits them together: all or none.
class Spooling {
 public:
  // `facts`, `client` and `sheet` outlive it.
  Spooling(const filter::Facts& facts, const mail::Client& client, const mail::Envelope& envelope,
           const sheet::ScoreSheet& sheet, SystemTime now);

  // A group's recipients get one content. `disposition` deliver or tag: on to where `taken` says; quarantine: the
  // vault.
  void add(mime::Edits edits, sheet::Class klass, sheet::Disposition disposition,
           const std::vector<const Taken*>& recipients);
  bool empty() const { return mail_->recipients.empty(); }

  // Durable when it succeeds (spool.h). `content` is the raw message; its bytes stay where they are as long as this
  // object lives.
  Task<Result<void>> commit(spool::Spool& spool, net::Core& core, mail::Content content);

 private:
  const filter::Facts& facts_;
  const mail::Client& client_;
  std::shared_ptr<spool::Mail> mail_;
  std::shared_ptr<const spool::Content> content_;  // held here too: the parsed message looks into it
  std::vector<mime::Edits> versions_;
};

}  // namespace doorward::gateway
