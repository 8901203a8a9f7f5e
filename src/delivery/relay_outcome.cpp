#include "delivery/relay_outcome.h"

#include <utility>

#include "mail/ascii.h"

namespace doorward::delivery {

using Kind = spool::Outcome::Kind;
using smtp::EnhancedStatus;
using smtp::Reply;

Meaning meaning(NextHop hop, Stage stage, const Reply& words) {
  if (hop == NextHop::backend) {
    Mapped mapped = map_reply(stage, words);
    const Kind kind = mapped.reply.positive() ? Kind::delivered : mapped.reply.permanent() ? Kind::failed : Kind::retry;
    return Meaning{kind, std::move(mapped.reply), mapped.fault};
  }
  if (words.code >= 200 && words.code < 300) return Meaning{Kind::delivered, words};
  if (!words.permanent()) return Meaning{Kind::retry, words};
  const bool full = stage == Stage::recipient && words.enhanced == EnhancedStatus{5, 5, 3};
  return Meaning{full ? Kind::retry : Kind::failed, words};
}

Meaning meaning(const net::IoFailure& failure, bool while_opening) {
  return Meaning{Kind::retry, map_failure(failure, while_opening)};
}

bool too_many_recipients(const Reply& words, size_t taken) {
  if (taken == 0) return false;
  if (words.enhanced.subject == 5 && words.enhanced.detail == 3) return true;
  // 552 is what servers of old say for it. A mailbox that is full says so by an enhanced code.
  return !words.enhanced.present() && (words.code == 452 || words.code == 552);
}

size_t hops(std::string_view raw) {
  size_t count = 0;
  while (!raw.empty() && raw.front() != '\r' && raw.front() != '\n') {
    if (mail::starts_ignoring_case(raw, "Received:")) ++count;
    const size_t end = raw.find('\n');
    if (end == std::string_view::npos) break;
    raw.remove_prefix(end + 1);
  }
  return count;
}

std::string one_line(const Reply& reply) {
  constexpr size_t kMost = 1000;
  std::string text;
  if (reply.code != 0) text = std::to_string(reply.code);
  if (reply.enhanced.present()) {
    text += ' ' + std::to_string(reply.enhanced.klass) + '.' + std::to_string(reply.enhanced.subject) + '.' +
            std::to_string(reply.enhanced.detail);
  }
  for (const std::string& line : reply.lines)
    if (!line.empty() && text.size() < kMost) text.append(text.empty() ? "" : " ").append(line);
  if (text.size() > kMost) text.resize(kMost);
  return text;
}

Reply runs_in_a_loop() { return Reply(554, {5, 4, 6}, "The message runs in a loop: it has passed too many servers"); }
Reply delivery_expired() { return Reply(554, {5, 4, 7}, "The message could not be delivered in all the time it had"); }
Reply returned_by_hand() { return Reply(554, {5, 3, 0}, "The message was returned by an administrator"); }
Reply not_yet_delivered() { return Reply(451, {4, 4, 0}, "The message could not be delivered so far"); }
Reply content_not_readable() { return Reply(451, {4, 3, 0}, "The stored message cannot be read at present"); }

}  // namespace doorward::delivery
