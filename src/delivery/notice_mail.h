// A notification as a mail of its own, from the null path to the sender, ready for the spool.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "delivery/dsn.h"
#include "policy/snapshot.h"
#include "spool/mail.h"

namespace doorward::delivery {

// How notices are written.
struct NoticeStyle {
  std::string host_name;                                // ours
  size_t most_returned = size_t{64} << 10;              // octets of the mail that come back in it
  std::function<Language(uint64_t customer)> language;  // none: as the policy has it
};

struct NoticeMail {
  std::shared_ptr<const spool::Mail> mail;
  std::shared_ptr<const spool::Content> content;
};

// What the sender of `about` is told of some of its recipients, at least one. `content` is that mail's, raw.
NoticeMail notice_mail(const NoticeStyle& style, const policy::Snapshot& snapshot, const spool::Mail& about,
                       const std::vector<DsnRecipient>& told, std::string_view content, SystemTime now);

}  // namespace doorward::delivery
