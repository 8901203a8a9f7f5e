#include "spool/form.h"

#include <charconv>
#include <concepts>

namespace doorward::spool {
namespace {

constexpr uint64_t kForm = 1;
constexpr uint64_t kMostItems = 1'000'000;  // of any list: recipients, edits, parts

// Numbers are written seven bits an octet, the lowest first; texts with their length before them.
class Writer {
 public:
  Writer& number(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
    return *this;
  }
  template <class Enum>
    requires std::is_enum_v<Enum>
  Writer& number(Enum value) {
    return number(static_cast<uint64_t>(value));
  }
  Writer& time(SystemTime value) { return number(static_cast<uint64_t>(value.time_since_epoch().count())); }
  Writer& text(std::string_view value) {
    number(value.size());
    bytes_.append(value);
    return *this;
  }
  Writer& mailbox(const mail::Mailbox& value) { return text(value.local).text(value.domain.text()); }
  Writer& destination(const Destination& value) { return number(value.kind).text(value.name); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  uint64_t number() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left_.empty()) break;
      const auto octet = static_cast<uint8_t>(left_.front());
      left_.remove_prefix(1);
      value |= static_cast<uint64_t>(octet & 0x7f) << shift;
      if ((octet & 0x80) == 0) return value;
    }
    wrong_ = true;
    return 0;
  }
  template <std::integral T>
  T number_as() {
    const uint64_t value = number();
    if (!std::in_range<T>(value)) wrong_ = true;
    return static_cast<T>(value);
  }
  template <class Enum>
  Enum one_of(Enum last) {
    const uint64_t value = number();
    if (value > static_cast<uint64_t>(last)) wrong_ = true;
    return wrong_ ? Enum{} : static_cast<Enum>(value);
  }
  bool flag() { return number() != 0; }
  SystemTime time() { return SystemTime(std::chrono::milliseconds(static_cast<int64_t>(number()))); }
  std::string text() {
    const uint64_t size = number();
    if (size > left_.size()) wrong_ = true;
    if (wrong_) return {};
    std::string value(left_.substr(0, size));
    left_.remove_prefix(size);
    return value;
  }
  mail::Mailbox mailbox() {
    auto local = text();
    return {std::move(local), mail::Domain(text())};
  }
  Destination destination() {
    const auto kind = one_of(Destination::Kind::vault);
    return {kind, text()};
  }
  // How many items follow; each takes an octet at least.
  size_t count() {
    const uint64_t value = number();
    if (value > kMostItems || value > left_.size()) wrong_ = true;
    return wrong_ ? 0 : value;
  }
  bool is_wrong() const { return wrong_; }
  bool is_whole() const { return !wrong_ && left_.empty(); }

 private:
  std::string_view left_;
  bool wrong_ = false;
};

uint64_t flags_of(const mail::Notify& notify) {
  return (notify.given ? 1U : 0U) | (notify.never ? 2U : 0U) | (notify.success ? 4U : 0U) | (notify.failure ? 8U : 0U) |
         (notify.delay ? 16U : 0U);
}
mail::Notify notify_of(uint64_t flags) {
  return {(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, (flags & 8) != 0, (flags & 16) != 0};
}

void write(Writer& to, const Recipient& recipient) {
  to.mailbox(recipient.to.mailbox).number(flags_of(recipient.to.notify)).text(recipient.to.orcpt).text(recipient.given);
  to.destination(recipient.destination).number(recipient.version).number(recipient.customer).number(recipient.domain);
  to.number(recipient.klass).number(recipient.disposition).number(recipient.fate);
}

Recipient read_recipient(Reader& from) {
  Recipient made;
  made.to.mailbox = from.mailbox();
  made.to.notify = notify_of(from.number());
  made.to.orcpt = from.text();
  made.given = from.text();
  made.destination = from.destination();
  made.version = from.number_as<uint16_t>();
  made.customer = from.number();
  made.domain = from.number();
  made.klass = from.one_of(sheet::Class::sanity);
  made.disposition = from.one_of(sheet::Disposition::discard);
  made.fate = from.one_of(Fate::removed);
  return made;
}

mime::Edits read_edits(Reader& from, bool& fits) {
  mime::Edits made;
  made.prepend(from.text());
  for (size_t left = from.count(); left > 0 && !from.is_wrong(); --left) {
    mime::Edit edit;
    edit.offset = from.number();
    edit.length = from.number();
    edit.replacement = from.text();
    fits = made.add(std::move(edit)) && fits;
  }
  return made;
}

PartState read_part(Reader& from) {
  PartState part;
  part.destination = from.destination();
  part.version = from.number_as<uint16_t>();
  for (size_t left = from.count(); left > 0; --left) part.recipients.push_back(from.number_as<uint32_t>());
  part.attempts = from.number_as<uint32_t>();
  part.next = from.time();
  part.last = from.time();
  part.bounce = from.flag();
  LastReply reply;
  reply.text = from.text();
  reply.remote = from.text();
  if (!reply.text.empty()) part.reply = std::make_shared<const LastReply>(std::move(reply));
  return part;
}

}  // namespace

std::string encode(const Mail& mail, const std::vector<mime::Edits>& versions) {
  Writer to;
  to.number(kForm).text(mail.id).number(mail.direction).number(mail.may_bounce ? 1U : 0U).time(mail.received_at);
  to.text(mail.client_ip).text(mail.helo).number(mail.from.null ? 1U : 0U).mailbox(mail.from.mailbox);
  to.number(mail.body).number(mail.smtputf8 ? 1U : 0U).number(mail.require_tls ? 1U : 0U).number(mail.ret);
  to.text(mail.envid).number(mail.size).text(mail.subject).number(mail.recipients.size());
  for (const Recipient& recipient : mail.recipients) write(to, recipient);
  to.number(versions.size());
  for (const mime::Edits& edits : versions) {
    to.text(edits.top()).number(edits.all().size());
    for (const mime::Edit& edit : edits.all()) to.number(edit.offset).number(edit.length).text(edit.replacement);
  }
  return to.take();
}

std::optional<StoredMail> decode_mail(std::string_view head) {
  Reader from(head);
  if (from.number() != kForm) return std::nullopt;
  StoredMail made;
  Mail& mail = made.mail;
  mail.id = from.text();
  mail.direction = from.one_of(sheet::Direction::outbound);
  mail.may_bounce = from.flag();
  mail.received_at = from.time();
  mail.client_ip = from.text();
  mail.helo = from.text();
  mail.from.null = from.flag();
  mail.from.mailbox = from.mailbox();
  mail.body = from.one_of(mail::Body::binary_mime);
  mail.smtputf8 = from.flag();
  mail.require_tls = from.flag();
  mail.ret = from.one_of(mail::DsnReturn::headers);
  mail.envid = from.text();
  mail.size = from.number();
  mail.subject = from.text();
  for (size_t left = from.count(); left > 0 && !from.is_wrong(); --left) {
    mail.recipients.push_back(read_recipient(from));
  }
  bool fits = true;
  for (size_t left = from.count(); left > 0 && !from.is_wrong(); --left) {
    made.versions.push_back(read_edits(from, fits));
  }
  for (const Recipient& recipient : mail.recipients) fits = fits && recipient.version < made.versions.size();
  if (!from.is_whole() || !fits) return std::nullopt;
  return made;
}

std::string encode(const Progress& progress) {
  Writer to;
  to.number(kForm).text(progress.id).number(progress.held ? 1U : 0U).number(progress.warned ? 1U : 0U);
  to.number(progress.fates.size());
  for (const Fate fate : progress.fates) to.number(fate);
  to.number(progress.parts.size());
  for (const PartState& part : progress.parts) {
    to.destination(part.destination).number(part.version).number(part.recipients.size());
    for (const uint32_t recipient : part.recipients) to.number(recipient);
    to.number(part.attempts).time(part.next).time(part.last).number(part.bounce ? 1U : 0U);
    to.text(part.reply ? part.reply->text : "").text(part.reply ? part.reply->remote : "");
  }
  return to.take();
}

std::optional<Progress> decode_progress(std::string_view head) {
  Reader from(head);
  if (from.number() != kForm) return std::nullopt;
  Progress made;
  made.id = from.text();
  made.held = from.flag();
  made.warned = from.flag();
  for (size_t left = from.count(); left > 0; --left) made.fates.push_back(from.one_of(Fate::removed));
  for (size_t left = from.count(); left > 0 && !from.is_wrong(); --left) made.parts.push_back(read_part(from));
  for (const PartState& part : made.parts) {
    for (const uint32_t recipient : part.recipients) {
      if (recipient >= made.fates.size()) return std::nullopt;
    }
  }
  if (!from.is_whole()) return std::nullopt;
  return made;
}

std::string encode_done(std::string_view id) { return Writer().number(kForm).text(id).take(); }

std::optional<std::string> decode_done(std::string_view head) {
  Reader from(head);
  if (from.number() != kForm) return std::nullopt;
  auto id = from.text();
  if (!from.is_whole()) return std::nullopt;
  return id;
}

}  // namespace doorward::spool
