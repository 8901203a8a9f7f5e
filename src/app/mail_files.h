// Mails on disk, as `scan`, `learn` and `evaluate` read them: single files (.eml), mbox files, Maildirs and folders.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace doorward::app {

// One mail as it lies there. Both views live until the visitor returns.
struct MailOnDisk {
  std::string_view name;  // the file's path; "path:3" for the third mail of an mbox
  std::string_view raw;   // without mbox separators; "From " lines unquoted
};

struct MailFilesSummary {
  size_t mails = 0;
  size_t unreadable = 0;              // files inside folders that could not be read; they are passed over
  std::vector<std::string> problems;  // why, for the first of them (at most 20)
};

// Return false to stop early.
using MailVisitor = std::function<bool(const MailOnDisk&)>;

// Calls `visit` for every mail under `path`, in the order of names: a file that begins with "From " is an mbox, any
// other file is one mail; of a Maildir `cur`, `new` and its sub-folders; of any other folder everything in it to 32
// levels, hidden files left out, links to folders not followed. Fails when `path` itself cannot be read. Files are
// mapped, so that an mbox of many gigabytes takes no memory; one that is cut short by another program meanwhile ends
// the process.
Result<MailFilesSummary> for_each_mail(const std::string& path, const MailVisitor& visit);

// The mails of an mbox (its bytes), in order. Separators are lines "From " with a time of day, at the start or after an
// empty line; ">From " loses one ">" (mboxrd). Returns false when the visitor stopped.
bool for_each_mail_of_mbox(std::string_view mbox, const std::function<bool(std::string_view raw)>& visit);

}  // namespace doorward::app
