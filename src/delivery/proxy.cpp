#include "delivery/proxy.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/metrics.h"
#include "delivery/commands.h"
#include "delivery/pool.h"

namespace doorward::delivery {
namespace {

using smtp::Reply;
using Replies = std::vector<Reply>;

bool same(const mail::Recipient& a, const mail::Recipient& b) {
  return a.mailbox.local == b.mailbox.local && a.mailbox.domain.text() == b.mailbox.domain.text() &&
         a.orcpt == b.orcpt && a.notify.given == b.notify.given && a.notify.never == b.notify.never &&
         a.notify.success == b.notify.success && a.notify.failure == b.notify.failure &&
         a.notify.delay == b.notify.delay;
}

uint64_t octets(const std::vector<std::string_view>& pieces) {
  uint64_t sum = 0;
  for (const std::string_view piece : pieces) sum += piece.size();
  return sum;
}

void count(Stage stage, const Reply& backend) {
  static const auto make = [](std::string_view at, std::string_view klass) {
    return &metrics::counter("doorward_backend_replies_total", "Replies of backends by command and class",
                             {{"at", at}, {"class", klass}});
  };
  static const auto row = [](std::string_view at) {
    return std::array{make(at, "2xx"), make(at, "4xx"), make(at, "5xx"), make(at, "other")};
  };
  static const std::array counters{row("session"), row("mail"), row("rcpt"), row("data")};
  const size_t klass = backend.code >= 200 && backend.code < 300 ? 0
                       : backend.transient()                     ? 1
                       : backend.permanent()                     ? 2
                                                                 : 3;
  counters[static_cast<size_t>(stage)][klass]->add();
}

metrics::Histogram& data_seconds() {
  static metrics::Histogram& histogram = metrics::histogram(
      "doorward_backend_data_seconds", "From the first byte of the content to the backend's last reply",
      {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300});
  return histogram;
}

}  // namespace

struct ProxyTransaction::State final : Borrower {
  std::shared_ptr<BackendPool> pool;
  std::shared_ptr<const policy::Backend> backend;
  std::unique_ptr<BackendConnection> connection{};
  std::vector<mail::Recipient> accepted{};  // those that ask() took, in order
  std::string mail_line{};                  // the MAIL of the open transaction; empty: none is open
  bool exact = false;                       // the open transaction holds `accepted`, all of them and no others
  bool dsn = false;
  SteadyTime until{};  // of what the client awaits now

  State(std::shared_ptr<BackendPool> p, std::shared_ptr<const policy::Backend> b)
      : pool(std::move(p)), backend(std::move(b)) {}

  void give_back() override {
    wake();
    if (connection == nullptr) return;
    connection->dirty = connection->dirty || !mail_line.empty();
    mail_line.clear();
    pool->give_back(std::move(connection));
  }

  // The client is awaited, or it goes on.
  void rest() {
    if (connection != nullptr) pool->rest(backend, *this);
  }
  void wake() {
    if (is_linked()) unlink();
  }

  void drop() {
    connection.reset();
    mail_line.clear();
  }

  // A connection: the one at hand where it still stands, else another. Returns the reply to give where there is none.
  Task<std::optional<Reply>> connect(bool fresh) {
    if (connection != nullptr && !connection->client.is_open()) drop();
    if (connection == nullptr) {
      auto opened = co_await pool->acquire(backend, fresh, until);
      if (!opened) co_return std::move(opened.error());
      connection = std::move(*opened);
    }
    connection->client.set_deadline(until);
    dsn = connection->client.extensions().dsn;
    co_return std::nullopt;
  }

  Reply answer(Stage stage, const Reply& words, const mail::Envelope& envelope) {
    static constexpr std::array<std::string_view, 4> kStages{"session", "mail", "rcpt", "data"};
    count(stage, words);
    Mapped mapped = map_reply(stage, words);
    const std::string_view at = kStages[static_cast<size_t>(stage)];
    if (mapped.fault != Fault::none) pool->alarm(*backend, mapped.fault, at, words);
    if (!mapped.reply.positive()) {
      log::info("delivery.backend_refused", {{"id", envelope.id},
                                             {"backend", backend->name},
                                             {"at", at},
                                             {"code", words.code},
                                             {"words", words.lines.empty() ? std::string() : words.lines.front()},
                                             {"reply", mapped.reply.code}});
    }
    return std::move(mapped.reply);
  }

  // The connection broke: gone, and the reply for it.
  Reply lost(const net::IoFailure& failure, std::string_view at, const mail::Envelope& envelope) {
    log::warning("delivery.backend_lost", {{"id", envelope.id},
                                           {"backend", backend->name},
                                           {"at", at},
                                           {"failure", net::name(failure.kind)},
                                           {"detail", failure.detail}});
    if (failure.kind == net::IoError::other) pool->alarm(*backend, Fault::nonsense, at, Reply(0, failure.detail));
    drop();
    return map_failure(failure, false);
  }

  // RSET where one is due, MAIL where none is open, and RCPT for each: in one write where the backend pipelines.
  // What went wrong before the recipients' replies is the failed one's; otherwise one reply a recipient, unmapped.
  struct Begun {
    std::optional<net::IoFailure> broken{};
    std::optional<Reply> failed{};  // mapped already
    bool closing = false;           // a 421 before any recipient was answered: as good as broken
    Replies recipients{};
  };
  Task<Begun> begin(const mail::Envelope& envelope, std::vector<const mail::Recipient*> recipients) {
    const smtp::Extensions& offered = connection->client.extensions();
    std::vector<std::string> lines;
    lines.reserve(recipients.size() + 2);
    const bool reset = connection->dirty && mail_line.empty();
    const bool mail = mail_line.empty();
    if (reset) lines.emplace_back("RSET");
    if (mail) {
      mail_line = mail_command(envelope, offered);
      lines.push_back(mail_line);
      connection->dirty = true;
    }
    for (const mail::Recipient* each : recipients) lines.push_back(rcpt_command(*each, offered));

    Begun begun;
    auto replies = co_await connection->client.pipeline(std::move(lines));
    if (!replies) {
      begun.broken = std::move(replies.error());
      co_return begun;
    }
    size_t at = 0;
    if (reset) {
      const Reply& words = (*replies)[at++];
      if (words.code != 250) {
        begun.closing = words.code == 421;
        begun.failed = answer(Stage::session, words.positive() ? Reply(0, "a strange reply to RSET") : words, envelope);
        connection->client.connection().close();
        mail_line.clear();
        co_return begun;
      }
    }
    if (mail) {
      const Reply& words = (*replies)[at++];
      if (words.code != 250) {
        begun.closing = words.code == 421;
        begun.failed = answer(Stage::mail, words.positive() ? Reply(0, words.lines.front()) : words, envelope);
        mail_line.clear();
        co_return begun;
      }
      count(Stage::mail, words);
    }
    begun.recipients.assign(std::move_iterator(replies->begin() + static_cast<std::ptrdiff_t>(at)),
                            std::move_iterator(replies->end()));
    co_return begun;
  }

  // Whether a failure at this point may be hidden by one more try on another connection: nothing of the mail was sent,
  // and the connection had been lying idle, or had been standing open while the client took its time.
  static bool is_death(const Begun& begun) {
    if (begun.closing) return true;
    if (!begun.broken) return false;
    const net::IoError kind = begun.broken->kind;
    return kind == net::IoError::closed || kind == net::IoError::reset;
  }

  Task<Reply> ask(const mail::Envelope& envelope, const mail::Recipient& recipient) {
    until = std::chrono::steady_clock::now() + pool->options().ask_within;
    for (bool again = false;; again = true) {
      if (auto refusal = co_await connect(again)) co_return std::move(*refusal);
      if (auto refusal = unsupported(envelope, &recipient, connection->client.extensions(),
                                     connection->client.connection().is_tls()))
        co_return std::move(*refusal);
      const bool whole = mail_line.empty();
      const bool used = connection->reused || !whole;
      // On a new connection those taken so far are asked for again in the end, not each time that one is lost.
      if (whole) exact = accepted.empty();
      std::vector<const mail::Recipient*> one(1, &recipient);
      Begun begun = co_await begin(envelope, std::move(one));
      if (is_death(begun) && used && !again) {
        drop();
        continue;
      }
      if (begun.broken) co_return lost(*begun.broken, whole ? "mail" : "rcpt", envelope);
      if (begun.failed) co_return std::move(*begun.failed);
      Reply reply = answer(Stage::recipient, begun.recipients.back(), envelope);
      if (reply.positive()) accepted.push_back(recipient);
      co_return reply;
    }
  }

  bool stands_for(const mail::Envelope& envelope, const std::vector<mail::Recipient>& recipients) const {
    return !mail_line.empty() && exact && std::ranges::equal(accepted, recipients, same) &&
           mail_line == mail_command(envelope, connection->client.extensions());
  }

  // Makes the open transaction hold exactly `recipients`. A reply: it cannot be had, and all recipients get that.
  Task<std::optional<Reply>> prepare(const mail::Envelope& envelope, const std::vector<mail::Recipient>& recipients) {
    for (bool again = false;; again = true) {
      // Standing idle while the content came, it may have died since.
      if (connection != nullptr && connection->client.unexpected_input()) drop();
      if (auto refusal = co_await connect(again)) co_return refusal;
      if (stands_for(envelope, recipients)) co_return std::nullopt;
      if (!mail_line.empty()) connection->dirty = true;
      mail_line.clear();
      std::vector<const mail::Recipient*> wanted;
      for (const mail::Recipient& each : recipients) {
        if (auto refusal =
                unsupported(envelope, &each, connection->client.extensions(), connection->client.connection().is_tls()))
          co_return refusal;
        wanted.push_back(&each);
      }
      Begun begun = co_await begin(envelope, std::move(wanted));
      if (is_death(begun) && !again) {
        drop();
        continue;
      }
      if (begun.broken) co_return lost(*begun.broken, "mail", envelope);
      if (begun.failed) co_return begun.failed;
      // One that was taken at RCPT and is not any more: the client counts it as taken, and only the last reply is left
      // to say otherwise. So nobody gets this mail now, and all get it at the next try.
      for (const Reply& words : begun.recipients) {
        Reply reply = answer(Stage::recipient, words, envelope);
        if (reply.positive()) continue;
        if (recipients.size() == 1) co_return reply;
        co_return Reply(451, {4, 3, 0}, "The recipient's mail server changed its mind about a recipient; try again");
      }
      accepted = recipients;
      exact = true;
      co_return std::nullopt;
    }
  }

  // The content and what came of it. none: the connection was dead before all of it was sent; another may be tried.
  Task<std::optional<Replies>> hand_over(const mail::Envelope& envelope, size_t recipients,
                                         std::vector<std::string_view> pieces, bool last_try) {
    // A reply too many would pass for the one to the content, which the backend may then never take.
    if (connection->client.unexpected_input()) {
      if (last_try)
        co_return Replies(recipients, lost({net::IoError::other, "more replies than commands"}, "data", envelope));
      drop();
      co_return std::nullopt;
    }
    const bool bdat = pool->options().use_bdat;
    const auto started = std::chrono::steady_clock::now();
    auto replies = co_await connection->client.data(std::move(pieces), recipients, bdat);
    if (!replies) {
      const bool death = replies.error().kind == net::IoError::closed || replies.error().kind == net::IoError::reset;
      if (death && !connection->client.content_sent() && !last_try) {
        drop();
        co_return std::nullopt;
      }
      // All was sent and no reply came: the backend may have the mail or not. 451 makes the sender try again, so that a
      // mail may come twice but is never lost; a 250 could lose it (RFC 5321 §4.2.5, RFC 1047).
      const Reply reply = lost(replies.error(), "data", envelope);
      co_return Replies(recipients, reply);
    }
    data_seconds().observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
    mail_line.clear();
    // After a refused BDAT the server's state is undefined (RFC 3030 §2), after a refused DATA command it is unchanged.
    connection->dirty = std::ranges::any_of(*replies, [](const Reply& reply) { return reply.code / 100 != 2; });
    Replies mapped;
    mapped.reserve(recipients);
    for (const Reply& words : *replies) {
      mapped.push_back(words.code / 100 == 2 || words.code >= 400 ? answer(Stage::content, words, envelope)
                                                                  : answer(Stage::content, Reply(0, ""), envelope));
    }
    mapped.resize(recipients, Reply(mapped.front()));
    co_return mapped;
  }

  Task<Replies> deliver(const mail::Envelope& envelope, std::vector<mail::Recipient> recipients,
                        std::vector<std::string_view> pieces) {
    if (recipients.empty()) co_return Replies{};
    for (bool again = false;; again = true) {
      if (std::chrono::steady_clock::now() >= until) {
        give_back();
        co_return Replies(recipients.size(), no_time_left());
      }
      if (auto refusal = co_await prepare(envelope, recipients)) {
        give_back();
        co_return Replies(recipients.size(), *refusal);
      }
      const uint64_t limit = connection->client.extensions().size_limit;
      if (limit != 0 && octets(pieces) > limit) {
        give_back();
        co_return Replies(recipients.size(), too_large_for_backend());
      }
      auto replies = co_await hand_over(envelope, recipients.size(), pieces, again);
      if (!replies) continue;
      give_back();
      accepted.clear();
      co_return std::move(*replies);
    }
  }
};

ProxyTransaction::ProxyTransaction(BackendPool& pool, std::shared_ptr<const policy::Backend> backend)
    : state_(std::make_unique<State>(pool.shared_from_this(), std::move(backend))) {}

ProxyTransaction::~ProxyTransaction() { state_->give_back(); }

Task<Reply> ProxyTransaction::ask(const mail::Client&, const mail::Envelope& envelope,
                                  const mail::Recipient& recipient) {
  state_->wake();
  Reply reply = co_await state_->ask(envelope, recipient);
  state_->rest();
  co_return reply;
}

Task<Replies> ProxyTransaction::deliver(const mail::Client&, const mail::Envelope& envelope,
                                        std::vector<mail::Recipient> recipients, std::vector<std::string_view> pieces,
                                        SteadyTime until) {
  state_->wake();
  state_->until = until;
  Replies replies = co_await state_->deliver(envelope, std::move(recipients), std::move(pieces));
  state_->rest();
  co_return replies;
}

Task<void> ProxyTransaction::abandon() {
  state_->give_back();
  state_->accepted.clear();
  co_return;
}

bool ProxyTransaction::is_lmtp() const { return state_->backend->protocol == policy::BackendProtocol::lmtp; }
bool ProxyTransaction::relays_dsn() const { return state_->dsn; }

}  // namespace doorward::delivery
