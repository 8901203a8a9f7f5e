#include "delivery/recipient_check.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"

namespace doorward::delivery {
namespace {

using Kind = RecipientAnswer::Kind;
using smtp::Reply;

Reply taken() { return Reply(250, {2, 1, 5}, "Recipient OK"); }

void count(std::string_view result) {
  metrics::counter("doorward_recipient_checks_total",
                   "Recipients that a backend was asked for, or that were remembered", {{"result", result}})
      .add();
}

// A name that nobody has: 80 of its bits are random.
std::string impossible_name(SystemTime now) {
  std::string name = "doorward-" + new_id(now);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name;
}

}  // namespace

struct RecipientCheck::Asked {
  Kind kind = Kind::no_answer;
  Reply reply{};                      // for the client
  std::optional<bool> probe_taken{};  // none: not tried, or no answer to it
};

Task<RecipientAnswer> RecipientCheck::check(BackendPool& pool, std::shared_ptr<const policy::Backend> backend,
                                            mail::Mailbox recipient, bool listed) {
  RecipientAnswer answer;
  if (listed) {
    answer.kind = Kind::known;
    answer.reply = taken();
    answer.remembered = true;
    co_return answer;
  }
  const SystemTime now = clock_.now();
  const std::string address = recipient.key();
  const std::string domain = recipient.domain.key();
  const auto probed = memory_.probe(backend->id, domain);
  answer.accepts_everything = probed && probed->accepts_everything;
  const auto before = memory_.find(backend->id, address);
  if (before && (!before->exists || now - before->asked < options_.refresh_after)) {
    answer.kind = before->exists ? Kind::known : Kind::unknown;
    answer.reply = before->exists ? taken() : before->refusal;
    answer.remembered = true;
    count("remembered");
    co_return answer;
  }
  const bool probe = !probed || now - probed->asked >= options_.probe_every;
  Asked asked = co_await ask(pool, backend, recipient, probe ? impossible_name(now) : std::string());
  if (asked.probe_taken) {
    keep_probe(*backend, domain, *asked.probe_taken);
    answer.accepts_everything = *asked.probe_taken;
  }
  answer.kind = asked.kind;
  answer.reply = std::move(asked.reply);
  switch (asked.kind) {
    case Kind::known:
      count("known");
      memory_.keep_known(backend->id, address, !answer.accepts_everything);
      break;
    case Kind::unknown:
      count("unknown");
      memory_.keep_unknown(backend->id, address, answer.reply);
      break;
    case Kind::no_answer:
      count(before ? "stale" : "no_answer");
      if (!before) break;
      answer.kind = Kind::known;  // as it was when the backend last answered
      answer.reply = taken();
      answer.remembered = true;
      break;
  }
  co_return answer;
}

Task<RecipientCheck::Asked> RecipientCheck::ask(BackendPool& pool, std::shared_ptr<const policy::Backend> backend,
                                                mail::Mailbox recipient, std::string probe) {
  Asked asked;
  const SteadyTime until = std::chrono::steady_clock::now() + options_.ask_within;
  for (bool fresh = false;; fresh = true) {
    auto opened = co_await pool.acquire(backend, fresh, until);
    if (!opened) {
      asked.reply = std::move(opened.error());
      co_return asked;
    }
    std::unique_ptr<BackendConnection> connection = std::move(*opened);
    connection->client.set_deadline(until);
    const bool utf8 = !recipient.is_ascii();
    if (utf8 && !connection->client.extensions().smtputf8) {
      pool.give_back(std::move(connection));
      asked.kind = Kind::unknown;
      asked.reply = smtputf8_not_supported();
      co_return asked;
    }
    std::vector<std::string> lines;
    const size_t reset = connection->dirty ? 1 : 0;
    if (reset != 0) lines.emplace_back("RSET");
    lines.emplace_back(utf8 ? "MAIL FROM:<> SMTPUTF8" : "MAIL FROM:<>");
    lines.push_back("RCPT TO:<" + recipient.text() + ">");
    if (!probe.empty()) lines.push_back("RCPT TO:<" + mail::Mailbox{probe, recipient.domain}.text() + ">");
    connection->dirty = true;
    auto replies = co_await connection->client.pipeline(std::move(lines));
    const bool died =
        !replies && (replies.error().kind == net::IoError::closed || replies.error().kind == net::IoError::reset);
    if ((died || (replies && replies->front().code == 421)) && connection->reused && !fresh) continue;
    if (!replies) {
      asked.reply = map_failure(replies.error(), false);
      co_return asked;
    }
    const Reply& mail = (*replies)[reset];
    const Reply& rcpt = (*replies)[reset + 1];
    const bool begun = mail.code == 250 && (reset == 0 || replies->front().code == 250);
    Mapped mapped = begun ? map_reply(Stage::recipient, rcpt) : map_reply(Stage::mail, mail);
    if (!begun && mapped.reply.positive()) mapped = Mapped{backend_busy()};
    if (mapped.fault != Fault::none) pool.alarm(*backend, mapped.fault, begun ? "rcpt" : "mail", begun ? rcpt : mail);
    if (begun && !probe.empty()) {
      const Reply& tried = replies->back();
      if (tried.code / 100 == 2) asked.probe_taken = true;
      if (tried.permanent() && map_reply(Stage::recipient, tried).fault == Fault::none) asked.probe_taken = false;
    }
    pool.give_back(std::move(connection));
    asked.kind = mapped.reply.positive() ? Kind::known : mapped.reply.permanent() ? Kind::unknown : Kind::no_answer;
    asked.reply = mapped.reply.positive() ? taken() : std::move(mapped.reply);
    co_return asked;
  }
}

void RecipientCheck::keep_probe(const policy::Backend& backend, const std::string& domain, bool accepts_everything) {
  static const auto counter = [](std::string_view result) -> metrics::Counter& {
    return metrics::counter("doorward_recipient_probes_total",
                            "Backends tried with a recipient that cannot exist, once a day and domain",
                            {{"result", result}});
  };
  static metrics::Counter& takes = counter("accepts_everything");
  static metrics::Counter& refuses = counter("refuses");
  (accepts_everything ? takes : refuses).add();
  memory_.keep_probe(backend.id, domain, accepts_everything);
  if (!accepts_everything) return;
  log::error("recipients.backend_accepts_everything",
             {{"backend", backend.name},
              {"domain", domain},
              {"act", "let the mail server refuse unknown recipients at RCPT, or list the domain's mailboxes here"}});
}

}  // namespace doorward::delivery
