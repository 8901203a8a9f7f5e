// Messages: text after DATA, chunks after BDAT, and what is answered to them.
#include "smtp/session_content.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/log.h"

namespace doorward::smtp {

namespace {

const Reply kTooBusy(452, {4, 3, 1}, "too busy for the moment");

}  // namespace

uint64_t Session::size_limit() const { return std::min(server_.options.limits.message_size, handler_->size_limit()); }

std::optional<Reply> Session::content_refusal() const {
  const uint64_t limit = size_limit();
  if (envelope_.declared_size.value_or(0) > limit) {
    return Reply(552, {5, 3, 4}, "the message is larger than the " + std::to_string(limit) + " octets taken here");
  }
  if (server_.content_octets > server_.options.limits.memory_total) return kTooBusy;
  return std::nullopt;
}

void Session::begin_content(TextScanner::Form form) {
  content_began_ = std::chrono::steady_clock::now();
  incoming_ = std::make_unique<Incoming>(server_, form, size_limit());
}

void Session::take_text(std::string_view text) {
  Incoming& in = *incoming_;
  // What is spoiled will not be delivered, so it need not be kept.
  if (text.empty() || in.scanner.fault() != TextFault::none || in.disk_failed || in.over_budget) return;
  if (!in.content.append(text)) in.disk_failed = true;
}

void Session::count_memory() {
  constexpr size_t kWorthSpilling = 128 << 10;
  Incoming& in = *incoming_;
  const auto count = [&] {
    const size_t now = in.content.in_memory();
    server_.content_octets += now - in.counted;  // modulo arithmetic: right for less, too
    in.counted = now;
  };
  count();
  // Many that trickle along below the limit of one connection must not shut the others out: long before that, whoever
  // holds much of the memory goes to the disk with it.
  const size_t total = server_.options.limits.memory_total;
  if (server_.content_octets > total / 2 && in.counted > kWorthSpilling && !in.disk_failed) {
    in.disk_failed = !in.content.spill();
    count();
  }
  if (server_.content_octets > total) in.over_budget = true;
}

// A block may take its time, the whole may take its own: also where octets come so fast that no read ever waits.
Task<bool> Session::fill_content() {
  const auto whole = content_deadline() - std::chrono::steady_clock::now();
  if (whole.count() <= 0) return time_out();
  const auto least = std::min<std::chrono::steady_clock::duration>(server_.options.timeouts.data_block, whole);
  return fill(std::chrono::ceil<std::chrono::milliseconds>(least));
}

Task<bool> Session::receive_data() {
  TextScanner& scanner = incoming_->scanner;
  for (;;) {
    while (!input_.empty() && !scanner.ended()) {
      const TextScanner::Step step = scanner.next(input_.bytes());
      take_text(step.text);
      input_.consume(step.used);
    }
    count_memory();
    if (scanner.ended()) break;
    if (!co_await fill_content()) co_return false;
  }
  mode_ = Mode::command;
  co_await deliver();
  co_return !closing_ || (co_await flush() && false);
}

Task<bool> Session::receive_chunk() {
  while (chunk_left_ > 0) {
    if (input_.empty() && !co_await fill_content()) co_return false;
    std::string_view bytes = input_.bytes().substr(0, std::min<uint64_t>(chunk_left_, input_.bytes().size()));
    const size_t size = bytes.size();
    while (!chunk_refusal_ && !bytes.empty()) {
      const TextScanner::Step step = incoming_->scanner.next(bytes);
      take_text(step.text);
      bytes.remove_prefix(step.used);
    }
    input_.consume(size);
    chunk_left_ -= size;
    if (!chunk_refusal_) count_memory();
  }
  mode_ = Mode::command;
  if (chunk_refusal_) {
    chunk_last_ = false;  // of a chunk that was not taken: a later message must not end as if it had been its own
    const Reply refusal = *std::exchange(chunk_refusal_, std::nullopt);
    co_await end_transaction();
    answer(refusal);
    co_return true;
  }
  if (chunk_last_) {
    co_await deliver();
    co_return !closing_ || (co_await flush() && false);
  }
  // RFC 3030 §2: a chunk that cannot be taken is refused at once, and the rest of them then finds no transaction.
  if (auto refusal = fault_reply()) {
    co_await end_transaction();
    answer(*refusal);
    co_return true;
  }
  answer(Reply(250, {2, 0, 0}, "chunk taken"));
  co_return true;
}

std::optional<Reply> Session::fault_reply() {
  Incoming& in = *incoming_;
  const TextFault fault = in.scanner.fault();
  if (fault == TextFault::too_large) return Reply(552, {5, 3, 4}, std::string(describe(fault)));
  if (fault == TextFault::long_line) return Reply(500, {5, 6, 0}, std::string(describe(fault)));
  if (fault != TextFault::none) {
    return protocol_error(Reply(550, {5, 6, 0}, std::string(describe(fault)) + "; it was not taken"));
  }
  if (in.over_budget) return kTooBusy;
  if (in.disk_failed) return Reply(452, {4, 3, 1}, "no room for the message for the moment");
  return std::nullopt;
}

Task<void> Session::deliver() {
  Incoming& in = *incoming_;
  if (chunk_last_ && in.scanner.end_of_chunks() && in.scanner.size() > 0) take_text("\r\n");
  chunk_last_ = false;
  std::optional<Reply> refusal = fault_reply();
  if (!refusal && !in.content.finish()) refusal = Reply(452, {4, 3, 1}, "no room for the message for the moment");
  if (refusal) {
    const size_t recipients = port_->lmtp ? envelope_.recipients.size() : 1;
    for (size_t i = 0; i < recipients; ++i) answer(*refusal);
    co_await end_transaction();
    co_return;
  }
  ++messages_;
  server_.metrics.messages.add();
  server_.metrics.octets.add(in.content.size());
  const std::vector<Reply> replies = co_await handler_->data(client_, envelope_, std::move(in.content));
  if (std::ranges::any_of(replies, &Reply::positive)) {
    delivered_recipients_ += envelope_.recipients.size();
    fruitless_commands_ = 0;
  }
  answer_message(replies);
  forget_transaction();
}

void Session::answer_message(const std::vector<Reply>& replies) {
  const size_t recipients = envelope_.recipients.size();
  const bool each = envelope_.prdr && replies.size() == recipients + 1;
  if (port_->lmtp && replies.size() == recipients) {  // RFC 2033 §4.2
    for (const Reply& reply : replies) answer(reply);
  } else if (each) {
    answer(Reply(353, "content analysis has started"));
    for (const Reply& reply : replies) answer(reply);
  } else if (replies.size() == 1) {
    for (size_t i = 0; i < (port_->lmtp ? recipients : 1); ++i) answer(replies.front());
  } else {
    throw std::logic_error("the handler gave " + std::to_string(replies.size()) + " replies for " +
                           std::to_string(recipients) + " recipients");
  }
}

}  // namespace doorward::smtp
