// How mails and their progress stand in the journal: docs/spool-format.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mime/edit.h"
#include "spool/mail.h"

namespace doorward::spool {

enum class Kind : uint8_t {
  mail = 1,      // head: envelope, recipients, edits; body: the raw message
  progress = 2,  // head: how far the mail is; the last one counts
  done = 3,      // head: the id. Every promise is kept
};

// What was said last of some recipients.
struct LastReply {
  std::string text;    // "450 4.2.0 Come back later"
  std::string remote;  // who said so
  bool operator==(const LastReply&) const = default;
};

// Recipients of a mail that go together.
struct PartState {
  Destination destination;
  uint16_t version = 0;
  std::vector<uint32_t> recipients;  // positions
  uint32_t attempts = 0;
  SystemTime next{}, last{};
  bool bounce = false;
  std::shared_ptr<const LastReply> reply;  // may be none
};

struct Progress {
  std::string id;
  bool held = false, warned = false;
  std::vector<Fate> fates;  // by recipient
  std::vector<PartState> parts;
};

struct StoredMail {
  Mail mail;
  std::vector<mime::Edits> versions;
};

std::string encode(const Mail& mail, const std::vector<mime::Edits>& versions);
std::string encode(const Progress& progress);
std::string encode_done(std::string_view id);

// None where the octets are no such record: the checksums held, so that another release wrote them.
std::optional<StoredMail> decode_mail(std::string_view head);
std::optional<Progress> decode_progress(std::string_view head);
std::optional<std::string> decode_done(std::string_view head);

}  // namespace doorward::spool
