// Real mails, made ready once so that sending them costs the load generator next to nothing.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace doorward::bench {

// A mail in the form in which it goes over the wire: CRLF, dots stuffed, without its Message-ID, whose place `split`
// marks.
struct PreparedMail {
  std::string wire;  // ends in CRLF; the lone dot is not part of it
  size_t split = 0;  // octets; where the sender puts the fields that make the mail unique
  bool eight_bit = false;
  std::string sender{};       // of a mail that is sent as it is; empty: it is made unique on its way
  bool token_in_body = true;  // false where a line after the body would change its meaning (base64)
};

// Every regular file below `folder`, or every path that an index file ("spam|ham PATH" or "PATH" a line) names, in a
// shuffled order that is always the same. Reads at most `limit` mails of at most 1 MB. Throws std::runtime_error.
std::vector<PreparedMail> load_mails(const std::string& folder_or_index, size_t limit);

// What sign_mails wrote: mails that are sent as they are. Throws std::runtime_error.
std::vector<PreparedMail> load_ready(const std::string& file);

PreparedMail prepare(const std::string& raw);

}  // namespace doorward::bench
