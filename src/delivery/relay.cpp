#include "delivery/relay.h"

#include <algorithm>
#include <utility>

#include "delivery/relay_record.h"
#include "delivery/relay_worker.h"

namespace doorward::delivery {
namespace {

constexpr std::chrono::milliseconds kShortest{5}, kLongest{250};
constexpr std::chrono::milliseconds kFiguresEvery{200};

}  // namespace

Relay::Relay(RelayOptions options, RelayParts parts, std::vector<RelaySeat> seats)
    : shared_(std::make_shared<Shared>(std::move(options), std::move(parts))) {
  for (RelaySeat& seat : seats) {
    auto worker = std::make_shared<RelayWorker>(std::move(seat), shared_->options);
    worker->join(shared_, shared_->workers.size());
    shared_->workers.push_back(std::move(worker));
  }
}

Relay::~Relay() { stop(); }

void Relay::Shared::wake(const net::Core* core) {
  if (stopping.load(std::memory_order_relaxed)) return;
  for (const auto& worker : workers) {
    if (&worker->core() != core) continue;
    worker->poke();
    return;
  }
  workers[next.fetch_add(1, std::memory_order_relaxed) % workers.size()]->poke();
}

void Relay::start() {
  shared_->parts.queue.on_due([weak = std::weak_ptr(shared_)](const net::Core* core) {
    if (const auto shared = weak.lock()) shared->wake(core);
  });
  net::Core& first = shared_->workers.front()->core();
  first.post([shared = shared_, &first] { spawn(keep_time(shared, first)); });
  for (const auto& worker : shared_->workers) worker->poke();
}

// Wakes for what waits for its time, and brings the figures up to date.
Task<void> Relay::keep_time(std::shared_ptr<Shared> shared, net::Core& core) {
  SteadyTime figures_at{};
  for (;;) {
    const SteadyTime before = std::chrono::steady_clock::now();
    SystemTime now = shared->parts.clock.now();
    if (before >= figures_at) {
      size_t running = 0;
      for (const auto& worker : shared->workers) running += worker->running();
      record_queue(shared->parts.queue.figures(), running, now);
      figures_at = before + kFiguresEvery;
    }
    const SystemTime next = shared->parts.queue.next_due();
    const auto wait = next <= now ? kLongest : next - now >= kLongest ? kLongest : std::max(kShortest, next - now);
    if (next <= now) shared->wake(nullptr);
    co_await core.sleep(wait);
    if (shared->stopping.load() || std::chrono::steady_clock::now() - before < wait / 2) co_return;  // the core stops
    now = shared->parts.clock.now();
    if (shared->parts.queue.next_due() <= now) shared->wake(nullptr);
  }
}

void Relay::stop() { shared_->stopping.store(true); }

size_t Relay::running() const {
  size_t sum = 0;
  for (const auto& worker : shared_->workers) sum += worker->running();
  return sum;
}

bool Relay::is_idle() const {
  return std::ranges::all_of(shared_->workers,
                             [](const auto& worker) { return worker->running() == worker->looking(); });
}

void Relay::cancel() {
  for (const auto& worker : shared_->workers) worker->core().post([worker] { worker->cancel_all(); });
}

}  // namespace doorward::delivery
