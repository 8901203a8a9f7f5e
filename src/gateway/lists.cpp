#include "gateway/lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/guarded.h"
#include "base/log.h"
#include "base/metrics.h"

namespace doorward::gateway {
namespace {

using filter::ListKind;
using filter::ListVerdict;

constexpr std::string_view kSilence = "its name servers do not answer";

// Of so many answers in a row, so many hits: no list knows that much of anybody's mail.
constexpr unsigned kWindow = 500, kTooMany = 475;

metrics::Gauge& up(const std::string& list) {
  return metrics::gauge("doorward_list_up", "Whether a list is asked: its test entries are right", {{"list", list}});
}
metrics::Counter& answers(const std::string& list, std::string_view outcome) {
  return metrics::counter("doorward_list_answers_total", "Answers of lists", {{"list", list}, {"outcome", outcome}});
}

}  // namespace

struct Lists::State {
  explicit State(const std::string& name)
      : gauge(up(name)),
        hits(answers(name, "listed")),
        misses(answers(name, "not_listed")),
        failures(answers(name, "failed")) {}

  std::atomic<bool> used{false};
  std::atomic<unsigned> asked{0}, listed{0};  // in this window
  std::atomic<bool> suspect{false};           // listed nearly everything: until the next check
  bool warned = false;
  SteadyTime due = SteadyTime::min();
  metrics::Gauge& gauge;
  metrics::Counter &hits, &misses, &failures;
};

Lists::Lists(ListsOptions options, std::vector<filter::BlockList> lists) : options_(options), lists_(std::move(lists)) {
  std::erase_if(lists_, [&](const filter::BlockList& list) { return !options_.on || !list.on; });
  for (const auto& list : lists_) states_.push_back(std::make_unique<State>(list.name));
}

Lists::~Lists() = default;

bool Lists::is_used(size_t list) const { return states_[list]->used.load(std::memory_order_relaxed); }

bool Lists::is_any_used() const {
  return std::ranges::any_of(states_, [](const auto& state) { return state->used.load(std::memory_order_relaxed); });
}

// What is wrong with a list; empty: nothing.
Task<std::string> Lists::trouble(net::Core& core, net::Resolver& resolver, const filter::BlockList& list) const {
  if (!list.tested) co_return "";
  const bool ip = list.kind == ListKind::ip;
  const SteadyTime deadline = std::chrono::steady_clock::now() + options_.patience;
  std::vector<Task<net::DnsAnswer>> asked;
  asked.push_back(resolver.lookup(core, (ip ? "2.0.0.127." : "test.") + list.zone, net::DnsType::a, deadline));
  asked.push_back(resolver.lookup(core, (ip ? "1.0.0.127." : "invalid.") + list.zone, net::DnsType::a, deadline));
  const auto told = co_await when_all(std::move(asked));
  if (told[0].temporary() || told[1].temporary()) co_return std::string(kSilence);
  if (!told[0].found()) co_return "it does not list its own test entry";
  if (told[1].found()) co_return "it lists what must never be listed";
  if (verdict_of(list, told[0].addresses()).kind == ListVerdict::Kind::failed) {
    co_return "it refuses to answer: see its terms of use, or ask it through a resolver of your own";
  }
  co_return "";
}

void Lists::set_used(size_t list, bool used, std::string_view trouble) {
  State& state = *states_[list];
  const bool was = state.used.exchange(used);
  state.gauge.set(used ? 1 : 0);
  if (used && !was) log::info("list.up", {{"list", lists_[list].name}, {"zone", lists_[list].zone}});
  if (!used && (was || !state.warned)) {
    // Silence may be our own network's fault; what a list says wrongly is its own.
    log::write(trouble == kSilence ? log::Level::warning : log::Level::error, "list.down",
               {{"list", lists_[list].name},
                {"zone", lists_[list].zone},
                {"trouble", trouble},
                {"mend", "nothing is asked of it until it is well again; [[list]] with on = false ends this"}});
  }
  state.warned = !used;
}

Task<void> Lists::check(net::Core& core, net::Resolver& resolver) {
  for (size_t i = 0; i < lists_.size(); ++i) {
    State& state = *states_[i];
    // A flood of listed mail alone switches nothing off: senders would have it in their hands. A list that answers
    // everything lists what must never be listed too.
    const bool suspect = state.suspect.exchange(false);
    if (std::chrono::steady_clock::now() < state.due && !suspect) continue;
    std::string wrong = co_await trouble(core, resolver, lists_[i]);
    if (wrong.empty() && suspect && !lists_[i].tested) wrong = "it lists nearly everything that is asked";
    state.asked = state.listed = 0;
    set_used(i, wrong.empty(), wrong);
    state.due = std::chrono::steady_clock::now() + (wrong.empty() ? options_.check_every : options_.check_again_after);
  }
}

Task<void> Lists::watch(std::shared_ptr<Lists> lists, net::Core& core, net::Resolver& resolver) {
  constexpr std::chrono::milliseconds kLook{1000};
  if (lists->lists_.empty()) co_return;
  for (;;) {
    co_await guarded_task("lists", lists->check(core, resolver));
    const SteadyTime before = std::chrono::steady_clock::now();
    co_await core.sleep(kLook);
    if (std::chrono::steady_clock::now() - before < kLook / 2) co_return;  // the core stops
  }
}

void Lists::note(size_t list, const ListVerdict& verdict) {
  State& state = *states_[list];
  if (verdict.kind == ListVerdict::Kind::failed) return state.failures.add();
  const bool hit = verdict.kind == ListVerdict::Kind::listed;
  (hit ? state.hits : state.misses).add();
  if (hit) state.listed.fetch_add(1, std::memory_order_relaxed);
  if (state.asked.fetch_add(1, std::memory_order_relaxed) + 1 < kWindow) return;
  if (state.listed.load() >= kTooMany) state.suspect = true;  // check() looks at its test entries
  state.asked = state.listed = 0;
}

Task<bool> Lists::ask(net::Core& core, net::Resolver& resolver, const mail::Client& client,
                      const mail::Envelope& envelope, const mime::Message& message, SteadyTime deadline,
                      filter::Facts& facts) {
  std::vector<bool> used(lists_.size());
  for (size_t i = 0; i < lists_.size(); ++i) used[i] = is_used(i);
  auto questions = filter::list_questions(lists_, used, client, envelope, message, options_.questions);
  std::vector<net::DnsAnswer> told(questions.size());
  std::vector<size_t> unknown;
  std::vector<Task<net::DnsAnswer>> asked;
  for (size_t i = 0; i < questions.size(); ++i) {
    if (auto known = resolver.known(questions[i].name, net::DnsType::a)) {
      told[i] = std::move(*known);
      continue;
    }
    unknown.push_back(i);
    asked.push_back(resolver.lookup(core, questions[i].name, net::DnsType::a, deadline));
  }
  auto fresh = co_await when_all(std::move(asked));
  for (size_t i = 0; i < unknown.size(); ++i) told[unknown[i]] = std::move(fresh[i]);
  std::vector<bool> silent(lists_.size());
  for (size_t i = 0; i < questions.size(); ++i) {
    auto& question = questions[i];
    const auto& list = lists_[question.list];
    auto verdict = told[i].found() ? verdict_of(list, told[i].addresses()) : ListVerdict{};
    if (told[i].temporary()) verdict.kind = ListVerdict::Kind::failed;
    note(question.list, verdict);
    if (verdict.kind == ListVerdict::Kind::failed) silent[question.list] = true;
    if (verdict.kind != ListVerdict::Kind::listed) continue;
    facts.list_hits.push_back(
        {list.name, list.kind, std::move(question.object), question.where, std::move(verdict.codes), verdict.points});
  }
  for (size_t i = 0; i < silent.size(); ++i) {
    if (silent[i]) facts.skipped.push_back(fmt::format("blocklists: {} did not answer", lists_[i].name));
  }
  co_return true;
}

}  // namespace doorward::gateway
