#include "net/dns_unbound.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unbound.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <list>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/handle.h"
#include "base/log.h"
#include "net/dns_unbound_options.h"

namespace doorward::net {
namespace {

using UnboundContext = Handle<ub_ctx, ub_ctx_delete>;
using UnboundResult = Handle<ub_result, ub_resolve_free>;

constexpr int kClassIn = 1;
constexpr int kNoError = 0, kNxDomain = 3;  // RFC 1035 §4.1.1
constexpr size_t kMostRecords = 1000;       // of one answer; no mail needs more

class UnboundSource final : public DnsSource {
 public:
  explicit UnboundSource(UnboundContext context)
      : context_(std::move(context)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), thread_([this] { run(); }) {}
  ~UnboundSource() override {
    {
      const std::lock_guard hold(lock_);
      stopping_ = true;
    }
    wake();
    thread_.join();
    ::close(wake_);
  }
  UnboundSource(const UnboundSource&) = delete;
  UnboundSource& operator=(const UnboundSource&) = delete;

  void ask(std::string name, DnsType type, Done done) override {
    bool first = false;
    {
      const std::lock_guard hold(lock_);
      first = new_.empty();
      new_.push_back({this, {}, std::move(name), type, std::move(done)});
    }
    if (first) wake();
  }

 private:
  struct Asked {
    UnboundSource* source;
    std::list<Asked>::iterator self;
    std::string name;
    DnsType type;
    Done done;
  };

  void wake() const {
    const uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);  // full: it is awake already
  }
  void run();
  bool take_new();
  void hand_in(Asked& asked);
  void end(Asked& asked, DnsAnswer answer) {
    Done done = std::move(asked.done);
    asked_.erase(asked.self);
    done(std::move(answer));
  }
  static void answered(void* asked, int error, ub_result* result);
  void break_down(int error);

  UnboundContext context_;  // the thread's alone from its start on
  const int wake_;
  std::mutex lock_;
  std::list<Asked> new_;  // under the lock
  bool stopping_ = false;
  std::list<Asked> asked_;  // the thread's
  bool broken_ = false;
  std::thread thread_;
};

void UnboundSource::run() {
  std::array<pollfd, 2> ready{pollfd{wake_, POLLIN, 0}, pollfd{ub_fd(context_.get()), POLLIN, 0}};
  for (;;) {
    if (::poll(ready.data(), broken_ ? 1 : 2, -1) < 0 && errno != EINTR) {
      log::error("dns.poll_failed", {{"errno", errno}});
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
    uint64_t woken = 0;
    (void)!::read(wake_, &woken, sizeof woken);
    if (!take_new()) break;
    if (broken_ || (ready[1].revents & (POLLIN | POLLERR | POLLHUP)) == 0) continue;
    if (const int error = ub_process(context_.get()); error != 0) break_down(error);
  }
  context_.reset();  // ends the library's thread; no callback comes any more
}

// False: the source is to end.
bool UnboundSource::take_new() {
  std::list<Asked> fresh;
  {
    const std::lock_guard hold(lock_);
    if (stopping_) return false;
    fresh.swap(new_);
  }
  while (!fresh.empty()) {
    asked_.splice(asked_.begin(), fresh, fresh.begin());
    asked_.front().self = asked_.begin();
    hand_in(asked_.front());
  }
  return true;
}

void UnboundSource::hand_in(Asked& asked) {
  const int error = broken_ ? UB_PIPE
                            : ub_resolve_async(context_.get(), asked.name.c_str(), static_cast<int>(asked.type),
                                               kClassIn, &asked, &UnboundSource::answered, nullptr);
  if (error == 0) return;
  if (!broken_) {
    log::warning("dns.not_asked", {{"what", ub_strerror(error)}, {"type", text(asked.type)}});
  }
  end(asked, dns_failure(DnsStatus::servfail));
}

// The library's thread has died: nothing but a restart brings it back, and nobody may wait for it.
void UnboundSource::break_down(int error) {
  log::error("dns.resolver_broken", {{"what", ub_strerror(error)}});
  broken_ = true;
  while (!asked_.empty()) end(asked_.front(), dns_failure(DnsStatus::servfail));
}

std::string without_dot(const char* name) { return name == nullptr ? std::string() : dns_name(name); }

DnsAnswer read(const ub_result& result, DnsType type, const std::string& asked) {
  DnsAnswer answer;
  if (result.bogus != 0) return dns_failure(DnsStatus::bogus);
  if (result.rcode != kNoError && result.rcode != kNxDomain) return answer;
  answer.authenticated = result.secure != 0;
  answer.ttl = std::chrono::seconds(std::max(result.ttl, 0));
  if (result.nxdomain != 0) {
    answer.status = DnsStatus::nxdomain;
    return answer;
  }
  DnsRecords records{type, without_dot(result.canonname), {}};
  if (records.canonical == asked) records.canonical.clear();
  if (result.havedata == 0) {
    answer.status = DnsStatus::no_data;
    if (!records.canonical.empty()) answer.records = std::make_shared<DnsRecords>(std::move(records));
    return answer;
  }
  answer.status = DnsStatus::found;
  for (size_t i = 0; result.data[i] != nullptr && i < kMostRecords; ++i) {
    records.rdata.emplace_back(result.data[i], static_cast<size_t>(result.len[i]));
  }
  answer.records = std::make_shared<DnsRecords>(std::move(records));
  return answer;
}

void UnboundSource::answered(void* asked, int error, ub_result* result) {
  const UnboundResult held(result);
  auto& question = *static_cast<Asked*>(asked);
  question.source->end(
      question, error != 0 || !held ? dns_failure(DnsStatus::servfail) : read(*held, question.type, question.name));
}

}  // namespace

Result<std::unique_ptr<DnsSource>> unbound_source(const ResolverOptions& options) {
  UnboundContext context(ub_ctx_create());
  if (!context) return fail("the resolver cannot be started (out of memory or file descriptors)", "dns");
  if (auto set = set_unbound_options(context.get(), options); !set) return std::unexpected(set.error());
  return std::make_unique<UnboundSource>(std::move(context));
}

}  // namespace doorward::net
