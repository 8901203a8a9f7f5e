#include "delivery/pool.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/guarded.h"
#include "base/log.h"
#include "base/metrics.h"

namespace doorward::delivery {
namespace {

constexpr std::chrono::milliseconds kReapEvery{1'000};
constexpr std::chrono::milliseconds kWaitStep{20};
// Postfix's measure for the same thing: after it, the load balancer or DNS behind the address has its say again.
constexpr std::chrono::seconds kLongestUse{300};

SteadyTime now() { return std::chrono::steady_clock::now(); }

metrics::Counter& connections(std::string_view kind) {
  return metrics::counter("doorward_backend_connections_total", "Connections to backends, opened and taken up again",
                          {{"kind", kind}});
}

// Lets the other cores know that a connection is waited for.
class Waiter {
 public:
  Waiter(BackendShare& share, unsigned& here) : share_(share), here_(here) {
    share_.add_waiter();
    ++here_;
  }
  ~Waiter() {
    --here_;
    share_.remove_waiter();
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

 private:
  BackendShare& share_;
  unsigned& here_;
};

Task<void> say_goodbye(std::unique_ptr<BackendConnection> connection) { co_await connection->client.quit(); }

}  // namespace

std::shared_ptr<BackendPool> make_pool(net::Core& core, ProxyOptions options) {
  return std::make_shared<BackendPool>(core, std::move(options));
}

BackendPool::Lane& BackendPool::lane(const std::shared_ptr<const policy::Backend>& backend) {
  Lane& found = lanes_[backend.get()];
  if (found.backend == nullptr) {
    found.backend = backend;
    found.share = options_.shares->of(*backend);
  }
  return found;
}

size_t BackendPool::idle() const {
  size_t count = 0;
  for (const auto& [backend, lane] : lanes_) count += lane.idle.size();
  return count;
}

std::unique_ptr<BackendConnection> BackendPool::take_idle(Lane& from) {
  while (!from.idle.empty()) {
    std::unique_ptr<BackendConnection> last = std::move(from.idle.back());
    from.idle.pop_back();
    if (last->client.unexpected_input()) continue;  // a 421 or the end: closed as it goes
    last->reused = true;
    static metrics::Counter& reused = connections("reused");
    reused.add();
    return last;
  }
  return nullptr;
}

void BackendPool::rest(const std::shared_ptr<const policy::Backend>& backend, Borrower& borrower) {
  borrower.resting_since = now();
  lane(backend).resting.push_back(borrower);
  start_reaper();
}

bool BackendPool::take_back(Lane& from) {
  if (from.resting.empty()) return false;
  Borrower& longest = from.resting.front();
  from.resting.pop_front();
  static metrics::Counter& taken = connections("taken_back");
  taken.add();
  longest.give_back();
  return true;
}

Task<BackendPool::Opened> BackendPool::acquire(std::shared_ptr<const policy::Backend> backend, bool fresh,
                                               SteadyTime until, Trouble* trouble) {
  Trouble ignored;
  if (trouble == nullptr) trouble = &ignored;
  *trouble = Trouble{Trouble::Kind::no_slot};
  const auto alive = shared_from_this();
  Lane& in = lane(backend);
  struct User {  // keeps the lane while we wait
    unsigned& count;
    explicit User(unsigned& users) : count(++users) {}
    ~User() { --count; }
  } const user(in.users);

  if (fresh) in.idle.clear();
  const unsigned most = std::max(1U, backend->max_connections);
  const SteadyTime enough = std::min(until, now() + options_.slot_wait);
  std::optional<Waiter> waiter;
  for (;;) {
    if (auto kept = take_idle(in)) co_return std::move(kept);
    if (in.share->try_take(most, now())) {
      auto opened = co_await open(in, Slot(in.share), until, *trouble);
      if (opened || trouble->kind != Trouble::Kind::no_slot) co_return std::move(opened);
    }
    if (take_back(in)) continue;
    if (now() >= enough) co_return std::unexpected(backend_busy());
    if (!waiter) waiter.emplace(*in.share, in.waiters);
    const SteadyTime slept = now();
    co_await core_.sleep(kWaitStep);
    // Woken early: the core stops, and sleeping has become impossible.
    if (now() - slept < kWaitStep / 2) co_return std::unexpected(backend_busy());
  }
}

Task<BackendPool::Opened> BackendPool::open(Lane& in, Slot slot, SteadyTime until, Trouble& trouble) {
  const std::vector<net::Endpoint>& addresses = in.backend->addresses;
  // One that did not answer lately is tried last, not never: it may be all there is.
  std::vector<size_t> order, dead;
  for (size_t i = 0; i < addresses.size(); ++i) (in.share->is_dead(i, now()) ? dead : order).push_back(i);
  order.insert(order.end(), dead.begin(), dead.end());

  smtp::Reply last = backend_misconfigured();  // a backend without any address
  trouble = Trouble{};
  const SteadyTime enough = std::min(until, now() + 3 * options_.connect_timeout);
  bool full = false;
  for (const size_t address : order) {
    auto attempt = co_await open_address(in, address, true, until);
    // Opportunistic means that mail goes on where TLS is broken (RFC 7435), on a connection of its own.
    if (!attempt && attempt.error().tls_failed && in.backend->tls == policy::BackendTls::opportunistic)
      attempt = co_await open_address(in, address, false, until);
    if (attempt) {
      in.share->set_alive(address);
      in.share->found_room();
      (*attempt)->slot = std::move(slot);
      static metrics::Counter& opened = connections("opened");
      opened.add();
      co_return std::move(*attempt);
    }
    last = attempt.error().reply;
    full = attempt.error().full;
    const bool refused = attempt.error().words.code != 0;
    trouble = Trouble{refused ? Trouble::Kind::refused : Trouble::Kind::unreachable, std::move(attempt.error().words)};
    const bool crowded = full && addresses.size() == 1 && in.share->open() > 1;
    if (attempt.error().dead && !crowded && in.share->set_dead(address, now(), options_.dead_time) &&
        in.backend->id != 0) {
      log::warning("delivery.backend_unreachable",
                   {{"backend", in.backend->name}, {"address", addresses[address].text()}, {"reply", last.lines[0]}});
    }
    if (now() >= enough) break;
  }
  // One of our others will be free: that is sooner than any later attempt.
  if (full && in.share->found_full(now())) trouble.kind = Trouble::Kind::no_slot;
  co_return std::unexpected(std::move(last));
}

Task<BackendPool::Attempt> BackendPool::open_address(Lane& in, size_t address, bool with_tls, SteadyTime until) {
  using namespace std::chrono_literals;
  const policy::Backend& backend = *in.backend;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now());
  auto connection = co_await net::Connection::connect(core_, backend.addresses[address],
                                                      std::clamp(left, 0ms, options_.connect_timeout));
  if (!connection) co_return std::unexpected(broken(connection.error()));
  smtp::ClientTimeouts timeouts;  // of each step; all of them together have until `until`
  timeouts.command = backend.timeout;
  timeouts.greeting = std::min<std::chrono::seconds>(backend.timeout, 60s);
  timeouts.data_start = std::min<std::chrono::seconds>(backend.timeout, 120s);
  timeouts.data_block = std::min<std::chrono::seconds>(backend.timeout, 180s);
  timeouts.data_end = 2 * backend.timeout;
  smtp::ClientConnection client(std::move(*connection), backend.protocol == policy::BackendProtocol::lmtp, timeouts);
  client.set_deadline(until);

  auto greeting = co_await client.greeting();
  if (!greeting) co_return std::unexpected(broken(greeting.error()));
  if (greeting->code != 220) co_return std::unexpected(refused(in, "greeting", *greeting));
  auto hello = co_await client.hello(options_.helo_name);
  if (!hello) co_return std::unexpected(broken(hello.error()));
  if (hello->code != 250) co_return std::unexpected(refused(in, "hello", *hello));
  if (with_tls && backend.tls != policy::BackendTls::off)
    if (auto secured = co_await secure(in, client); !secured) co_return std::unexpected(std::move(secured.error()));
  co_return std::make_unique<BackendConnection>(in.backend, std::move(client), Slot(), now());
}

Task<std::expected<void, BackendPool::OpenFailure>> BackendPool::secure(Lane& in, smtp::ClientConnection& client) {
  using Secured = std::expected<void, OpenFailure>;
  const policy::Backend& backend = *in.backend;
  const bool verify = backend.tls == policy::BackendTls::required_verified;
  const bool required = verify || backend.tls == policy::BackendTls::required;
  if (!client.extensions().starttls || options_.tls == nullptr) {
    if (!required) co_return Secured{};
    co_return std::unexpected(refused(
        in, "starttls", smtp::Reply(0, options_.tls == nullptr ? "TLS to backends is off" : "STARTTLS not offered")));
  }
  if (verify && backend.tls_name.empty())
    co_return std::unexpected(refused(in, "starttls", smtp::Reply(0, "no certificate name is set to verify")));
  auto reply = co_await client.start_tls(*options_.tls, verify ? backend.tls_name : std::string());
  if (!reply) {
    OpenFailure failure = broken(reply.error());
    failure.tls_failed = true;
    failure.dead = failure.full = false;
    if (required && backend.id != 0)
      alarm(backend, Fault::misconfigured, "starttls", smtp::Reply(0, reply.error().detail));
    co_return std::unexpected(std::move(failure));
  }
  if (reply->code != 220) {
    if (!required && client.is_open()) co_return Secured{};  // in clear then, on the same connection
    co_return std::unexpected(refused(in, "starttls", *reply));
  }
  if (verify && !client.tls().verified)
    co_return std::unexpected(refused(in, "starttls", smtp::Reply(0, "its certificate is not valid for the name set")));
  auto hello = co_await client.hello(options_.helo_name);
  if (!hello) co_return std::unexpected(broken(hello.error()));
  if (hello->code != 250) co_return std::unexpected(refused(in, "hello", *hello));
  co_return Secured{};
}

BackendPool::OpenFailure BackendPool::refused(Lane& in, std::string_view where, const smtp::Reply& words) {
  Mapped mapped = map_reply(Stage::session, words);
  if (words.positive()) mapped = Mapped{map_reply(Stage::session, smtp::Reply(0, "")).reply, Fault::nonsense};
  if (words.code == 0) mapped = Mapped{backend_misconfigured(), Fault::misconfigured};
  if (mapped.fault != Fault::none && in.backend->id != 0) alarm(*in.backend, mapped.fault, where, words);
  return OpenFailure{std::move(mapped.reply), false, false, words, words.transient()};
}

BackendPool::OpenFailure BackendPool::broken(const net::IoFailure& failure) {
  using enum net::IoError;
  const bool full = failure.kind == refused || failure.kind == reset || failure.kind == closed;
  return OpenFailure{map_failure(failure, true), true, false, smtp::Reply(0, ""), full};
}

void BackendPool::alarm(const policy::Backend& backend, Fault fault, std::string_view where, const smtp::Reply& words) {
  static metrics::Counter& misconfigured =
      metrics::counter("doorward_backend_faults_total", "Replies of backends that an administrator must look into",
                       {{"kind", "misconfigured"}});
  static metrics::Counter& nonsense =
      metrics::counter("doorward_backend_faults_total", "Replies of backends that an administrator must look into",
                       {{"kind", "nonsense"}});
  (fault == Fault::misconfigured ? misconfigured : nonsense).add();
  const auto known = lanes_.find(&backend);
  if (known != lanes_.end() && !known->second.share->may_alarm(now())) return;
  std::string text;
  for (const std::string& line : words.lines) text.append(text.empty() ? "" : " / ").append(line);
  log::error(fault == Fault::misconfigured ? "delivery.backend_misconfigured" : "delivery.backend_nonsense",
             {{"backend", backend.name}, {"at", where}, {"code", words.code}, {"words", text}});
}

void BackendPool::give_back(std::unique_ptr<BackendConnection> connection) {
  if (connection == nullptr || !connection->client.is_open()) return;
  Lane& to = lane(connection->backend);
  const SteadyTime at = now();
  const bool crowd = to.backend->id == 0 && lanes_.size() > options_.hosts_kept;
  if (crowd || to.idle.size() >= options_.idle_per_backend || at - connection->opened > kLongestUse) {
    spawn(guarded_task("delivery", say_goodbye(std::move(connection))));
    return;
  }
  connection->client.set_deadline(SteadyTime::max());
  connection->idle_since = at;
  to.idle.push_back(std::move(connection));
  start_reaper();
}

void BackendPool::start_reaper() {
  if (reaping_) return;
  reaping_ = true;
  spawn(reap_until_empty(weak_from_this(), core_));
}

Task<void> BackendPool::reap_until_empty(std::weak_ptr<BackendPool> pool, net::Core& core) {
  for (;;) {
    const SteadyTime before = now();
    co_await core.sleep(kReapEvery);
    const std::shared_ptr<BackendPool> alive = pool.lock();
    // Woken early: the core stops.
    if (alive == nullptr || now() - before < kReapEvery / 2) co_return;
    guarded("delivery", [&alive] { alive->reap(now()); });
    if (alive->lanes_.empty()) {
      alive->reaping_ = false;
      co_return;
    }
  }
}

void BackendPool::reap(SteadyTime at) {
  // Whoever says goodbye or RSET may give connections back at once: not while the lists are walked.
  std::vector<std::unique_ptr<BackendConnection>> leaving, dirty;
  for (auto& [backend, lane] : lanes_) {
    // On other cores: what is idle here goes, and what rests as far as needed.
    const unsigned wanted = lane.share->waiters() - lane.waiters;
    while (!lane.resting.empty()) {
      const bool too_long = at - lane.resting.front().resting_since >= options_.client_rest;
      if (!too_long && lane.idle.size() >= wanted) break;
      take_back(lane);
    }
    std::erase_if(lane.idle, [&](std::unique_ptr<BackendConnection>& each) {
      const auto resting = at - each->idle_since;
      if (each->client.unexpected_input()) return true;
      if (wanted != 0 || resting >= options_.idle_timeout)
        leaving.push_back(std::move(each));
      else if (each->dirty && resting >= kReapEvery / 2)
        dirty.push_back(std::move(each));
      return each == nullptr;
    });
  }
  std::erase_if(lanes_, [](const auto& entry) {
    return entry.second.idle.empty() && entry.second.resting.empty() && entry.second.users == 0;
  });
  for (auto& each : leaving) spawn(guarded_task("delivery", say_goodbye(std::move(each))));
  for (auto& each : dirty) spawn(guarded_task("delivery", clean(weak_from_this(), std::move(each))));
}

Task<void> BackendPool::clean(std::weak_ptr<BackendPool> pool, std::unique_ptr<BackendConnection> connection) {
  auto reply = co_await connection->client.command("RSET");
  if (!reply || reply->code != 250) co_return;
  connection->dirty = false;
  if (const auto alive = pool.lock()) alive->give_back(std::move(connection));
}

}  // namespace doorward::delivery
