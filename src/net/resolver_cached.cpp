#include "net/resolver_cached.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "net/detail/core_state.h"
#include "net/dns_cache.h"

namespace doorward::net {
namespace {

constexpr auto kTypes = std::to_array({DnsType::a, DnsType::ns, DnsType::cname, DnsType::soa, DnsType::ptr, DnsType::mx,
                                       DnsType::txt, DnsType::aaaa, DnsType::tlsa});
constexpr auto kStatuses =
    std::to_array({DnsStatus::found, DnsStatus::no_data, DnsStatus::nxdomain, DnsStatus::servfail, DnsStatus::timeout,
                   DnsStatus::bogus, DnsStatus::no_room});

class Figures {
 public:
  void count(DnsType type, const DnsAnswer& answer) {
    const auto known = std::ranges::find(kTypes, type);
    if (known != kTypes.end()) {
      lookups_[static_cast<size_t>(known - kTypes.begin())][static_cast<size_t>(answer.status)]->add();
    }
    if (answer.cached) {
      hits_.add();
    } else {
      seconds_.observe(std::chrono::duration<double>(answer.took).count());
    }
  }
  metrics::Gauge& in_flight() { return in_flight_; }

 private:
  using ByStatus = std::array<metrics::Counter*, kStatuses.size()>;
  std::array<ByStatus, kTypes.size()> lookups_ = [] {
    std::array<ByStatus, kTypes.size()> all{};
    for (size_t i = 0; i < kTypes.size(); ++i) {
      for (const DnsStatus status : kStatuses) {
        all[i][static_cast<size_t>(status)] =
            &metrics::counter("doorward_dns_lookups_total", "Questions to the DNS, those that our cache answered too",
                              {{"type", text(kTypes[i])}, {"outcome", text(status)}});
      }
    }
    return all;
  }();
  metrics::Counter& hits_ = metrics::counter("doorward_dns_cache_hits_total", "Questions that our cache answered");
  metrics::Histogram& seconds_ =
      metrics::histogram("doorward_dns_seconds", "Time to the answer of questions that our cache did not answer",
                         {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30});
  metrics::Gauge& in_flight_ = metrics::gauge("doorward_dns_in_flight", "Questions that wait for name servers");
};

class Wait;

// Times the questions that are waited for: so many may be left at the source by those who gave up.
constexpr size_t kAtSource = 4;

// Asked of the source and not answered yet.
struct Question {
  std::string key;
  std::vector<std::shared_ptr<Wait>> waits;
};

// What outlives the resolver as long as a lookup or the source holds it.
struct Shared {
  explicit Shared(const ResolverOptions& options)
      : cache({options.cache_entries, options.cache_octets, options.ttl_floor, options.ttl_ceiling,
               options.negative_ceiling, options.failure_floor, options.failure_ceiling}),
        most(options.in_flight) {}

  void answered(const std::string& key, std::string_view name, DnsType type, const DnsAnswer& answer);
  void give_up_all();
  // Under the lock: nobody waits for it any more. Its answer is kept all the same, when it comes.
  void forget(const Question& question);

  DnsCache cache;
  Figures figures;
  const size_t most;
  std::mutex lock;
  std::unordered_map<std::string, std::shared_ptr<Question>> questions;
  // Those that the source has not answered yet, waited for or not: it cannot be told to stop looking.
  std::atomic<size_t> at_source{0};
};

// One lookup that waits on its core, for the answer or its deadline, whichever comes first.
class Wait final : public detail::Deadline {
 public:
  Wait(Core& core, std::shared_ptr<Shared> shared) : core_(core), shared_(std::move(shared)) {}

  // On the core.
  void begin(std::coroutine_handle<> waiter, SteadyTime deadline) {
    waiter_ = waiter;
    Core::State::of(core_).deadlines.set(*this, deadline);
  }
  void expired() override {
    leave();
    finish(dns_failure(DnsStatus::timeout));
  }
  void finish(DnsAnswer answer) {
    if (!waiter_) return;  // its deadline came first
    Core::State::of(core_).deadlines.remove(*this);
    answer_ = std::move(answer);
    std::exchange(waiter_, nullptr).resume();
  }
  // The coroutine is gone without having been resumed.
  void abandon() {
    if (!waiter_) return;
    waiter_ = nullptr;
    Core::State::of(core_).deadlines.remove(*this);
    leave();
  }
  DnsAnswer take() { return std::move(answer_); }

  // Under the lock of `shared_`: who is in a question's list has not left, hence its core lives.
  void join(std::shared_ptr<Question> question, std::shared_ptr<Wait> self) {
    question->waits.push_back(std::move(self));
    question_ = std::move(question);
  }
  static void post(const std::shared_ptr<Wait>& wait, const DnsAnswer& answer) {
    wait->core_.post([wait, answer] { wait->finish(answer); });
  }

 private:
  void leave() {
    const std::lock_guard hold(shared_->lock);
    if (!question_) return;
    const size_t left = std::erase_if(question_->waits, [this](const auto& wait) { return wait.get() == this; });
    if (left > 0 && question_->waits.empty()) shared_->forget(*question_);
  }

  Core& core_;
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Question> question_;
  std::coroutine_handle<> waiter_;
  DnsAnswer answer_;
};

void Shared::forget(const Question& question) {
  const auto found = questions.find(question.key);
  if (found == questions.end() || found->second.get() != &question) return;
  questions.erase(found);
  figures.in_flight().add(-1);
}

void Shared::answered(const std::string& key, std::string_view name, DnsType type, const DnsAnswer& answer) {
  // Before the question goes away, so that whoever finds no question finds the answer.
  cache.store(name, answer, type, std::chrono::steady_clock::now());
  at_source.fetch_sub(1);
  const std::lock_guard hold(lock);
  const auto question = questions.find(key);
  if (question == questions.end()) return;
  for (const auto& wait : question->second->waits) Wait::post(wait, answer);
  question->second->waits.clear();
  questions.erase(question);
  figures.in_flight().add(-1);
}

void Shared::give_up_all() {
  const std::lock_guard hold(lock);
  for (auto& [key, question] : questions) {
    for (const auto& wait : question->waits) Wait::post(wait, dns_failure(DnsStatus::servfail));
    question->waits.clear();
    figures.in_flight().add(-1);
  }
  questions.clear();
}

class CachedResolver final : public Resolver {
 public:
  CachedResolver(std::unique_ptr<DnsSource> source, const ResolverOptions& options)
      : shared_(std::make_shared<Shared>(options)), source_(std::move(source)) {}
  ~CachedResolver() override {
    source_.reset();
    shared_->give_up_all();
  }
  CachedResolver(const CachedResolver&) = delete;
  CachedResolver& operator=(const CachedResolver&) = delete;

  Task<DnsAnswer> lookup(Core& core, std::string name, DnsType type, SteadyTime deadline) override {
    return look_up(shared_, *source_, core, std::move(name), type, deadline);
  }
  std::optional<DnsAnswer> known(std::string_view given, DnsType type) override {
    const std::string name = dns_name(given);
    if (name.empty()) return std::nullopt;
    auto hit = shared_->cache.find(name, type, std::chrono::steady_clock::now());
    if (hit) shared_->figures.count(type, *hit);
    return hit;
  }
  bool is_crowded() const override {
    const size_t at_source = shared_->at_source.load(std::memory_order_relaxed);
    return at_source >= shared_->most / 2;
  }

 private:
  static Task<DnsAnswer> look_up(std::shared_ptr<Shared> shared, DnsSource& source, Core& core, std::string given,
                                 DnsType type, SteadyTime deadline);

  std::shared_ptr<Shared> shared_;
  std::unique_ptr<DnsSource> source_;
};

// Suspends; in between, the question is asked or joined.
struct Asking {
  std::shared_ptr<Shared>& shared;
  DnsSource& source;
  Core& core;
  const std::string& name;
  DnsType type;
  SteadyTime deadline;
  std::shared_ptr<Wait> wait{};
  DnsAnswer at_once{};

  ~Asking() {
    if (wait) wait->abandon();
  }
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> self) {
    std::string key = name;
    key += '/';
    key += text(type);
    {
      const std::lock_guard hold(shared->lock);
      auto known = shared->questions.find(key);
      const bool fresh = known == shared->questions.end();
      if (fresh) {
        if (auto hit = shared->cache.find(name, type, std::chrono::steady_clock::now())) {
          at_once = std::move(*hit);
          return false;
        }
        if (shared->questions.size() >= shared->most || shared->at_source.load() >= kAtSource * shared->most) {
          at_once = dns_failure(DnsStatus::no_room);
          return false;
        }
        known = shared->questions.emplace(key, std::make_shared<Question>(Question{key, {}})).first;
        shared->figures.in_flight().add(1);
        shared->at_source.fetch_add(1);
      }
      wait = std::make_shared<Wait>(core, shared);
      wait->join(known->second, wait);
      wait->begin(self, deadline);
      if (!fresh) return true;
    }
    // Answers are posted to this core, so that nothing resumes before this function has returned.
    source.ask(name, type, [all = shared, key, asked = name, of = type](const DnsAnswer& answer) {
      all->answered(key, asked, of, answer);
    });
    return true;
  }
  DnsAnswer await_resume() { return wait ? wait->take() : std::move(at_once); }
};

Task<DnsAnswer> CachedResolver::look_up(std::shared_ptr<Shared> shared, DnsSource& source, Core& core,
                                        std::string given, DnsType type, SteadyTime deadline) {
  const SteadyTime start = std::chrono::steady_clock::now();
  const std::string name = dns_name(given);
  DnsAnswer answer;
  if (name.empty()) {
    answer.status = DnsStatus::nxdomain;
  } else if (auto hit = shared->cache.find(name, type, start)) {
    answer = std::move(*hit);
  } else if (deadline <= start || Core::State::of(core).stopping) {
    answer.status = DnsStatus::timeout;
  } else {
    Asking asking{shared, source, core, name, type, deadline};
    answer = co_await asking;
  }
  answer.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  shared->figures.count(type, answer);
  co_return answer;
}

}  // namespace

std::unique_ptr<Resolver> cached(std::unique_ptr<DnsSource> source, const ResolverOptions& options) {
  return std::make_unique<CachedResolver>(std::move(source), options);
}

}  // namespace doorward::net
