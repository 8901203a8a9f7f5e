#include "gateway/centre_client.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/guarded.h"
#include "base/log.h"
#include "base/metrics.h"
#include "config/toml.h"
#include "net/event.h"
#include "net/tls.h"

namespace doorward::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using trust::ReferenceAnswer;

constexpr size_t kMostWaiting = 4096;     // questions of a core
constexpr size_t kMostToReport = 10'000;  // beyond, what is new is dropped
constexpr size_t kMostRemembered = 100'000;
constexpr seconds kToldAgainAfter{600};
constexpr milliseconds kReportEvery{2000};
constexpr seconds kReportPatience{20}, kReportPause{10};
constexpr seconds kFirstPause{1}, kLongestPause{60};  // after a failure, doubled while it goes on

metrics::Counter& asked(std::string_view outcome) {
  return metrics::counter("doorward_centre_asked_total", "Questions to the fingerprint service, by outcome",
                          {{"outcome", outcome}});
}

metrics::Histogram& took() {
  static auto& histogram = metrics::histogram("doorward_centre_seconds", "Time to the fingerprint service's answer",
                                              {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1});
  return histogram;
}

// Whether it answers, as the log and the metrics have it.
class Health {
 public:
  void well() {
    gauge().set(1);
    if (!std::exchange(well_, true) || !std::exchange(told_, true)) log::info("centre.up");
  }
  void ill(const std::string& trouble) {
    gauge().set(0);
    if (!std::exchange(well_, false) && std::exchange(told_, true)) return;
    log::warning("centre.down", {{"trouble", trouble}, {"meanwhile", "mails are judged without it"}});
  }

 private:
  static metrics::Gauge& gauge() {
    static auto& made = metrics::gauge("doorward_centre_up", "Whether the fingerprint service answers");
    return made;
  }
  bool well_ = false, told_ = false;
};

http::Request request_for(const char* path, const std::string& token, std::string body) {
  http::Request request;
  request.method = "POST";
  request.path = path;
  request.headers = {{"Authorization", "Bearer " + token}, {"Content-Type", "application/octet-stream"}};
  request.body = std::move(body);
  return request;
}

// The one line of a file.
Result<std::string> secret_in(const std::string& file, const char* needed) {
  if (file.empty()) return fail(needed);
  auto text = config::read_file(file);
  if (!text) return std::unexpected(text.error());
  std::string line = text->substr(0, text->find('\n'));
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  if (line.empty() || line.find(' ') != std::string::npos) return fail("has to hold one word, and nothing else", file);
  return line;
}

// What is wrong with a response, in the operator's words.
std::string trouble_of(const http::Response& response) {
  if (response.status == 401) return "the centre knows no gateway of this token: see centre.token_file";
  return "it answers " + std::to_string(response.status) + ": " + response.body.substr(0, response.body.find('\n'));
}

}  // namespace

// The questions of one core.
class CentreClient::Asker : public std::enable_shared_from_this<Asker> {
 public:
  struct Question {
    Question(net::Core& core, std::string of) : id(std::move(of)), answered(core) {}
    std::string id;
    std::optional<ReferenceAnswer> answer{};
    net::Event answered;
  };

  Asker(net::Core& core, http::ClientOptions options, std::string token, milliseconds patience)
      : client_(core, std::move(options)), token_(std::move(token)), patience_(patience) {}

  bool is_resting() const { return std::chrono::steady_clock::now() < rest_until_; }
  bool add(std::shared_ptr<Question> question) {
    if (waiting_.size() >= kMostWaiting) return false;
    waiting_.push_back(std::move(question));
    if (!std::exchange(busy_, true)) spawn(guarded_task("centre", run(shared_from_this())));
    return true;
  }

 private:
  using Batch = std::vector<std::shared_ptr<Question>>;

  // However run() ends, the next question begins it anew.
  struct Busy {
    explicit Busy(Asker& of) : asker(of) {}
    ~Busy() { asker.busy_ = false; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    Asker& asker;
  };

  static Task<void> run(std::shared_ptr<Asker> self) {
    const Busy busy(*self);
    while (!self->waiting_.empty()) {
      const size_t count = std::min(self->waiting_.size(), trust::kMostInBatch);
      const auto end = self->waiting_.begin() + static_cast<ptrdiff_t>(count);
      Batch batch(std::make_move_iterator(self->waiting_.begin()), std::make_move_iterator(end));
      self->waiting_.erase(self->waiting_.begin(), end);
      std::string thrown;
      try {
        co_await self->ask(batch);
      } catch (const std::exception& failure) {
        thrown = failure.what();
      }
      if (!thrown.empty()) self->rest(thrown);
      for (const auto& question : batch) question->answered.happen();
    }
  }

  Task<void> ask(const Batch& batch) {
    std::vector<std::string> ids;
    ids.reserve(batch.size());
    for (const auto& question : batch) ids.push_back(question->id);
    const auto response = co_await client_.send(request_for("/v1/ask", token_, trust::questions_text(ids)),
                                                std::chrono::steady_clock::now() + patience_);
    if (!response) co_return rest(response.error().text());
    if (response->status != 200) co_return rest(trouble_of(*response));
    const auto answers = trust::parse_answers(response->body);
    if (!answers) co_return rest(answers.error().text());
    if (answers->size() != batch.size()) co_return rest("it answers another number of questions than were asked");
    pause_ = kFirstPause;
    health_.well();
    for (size_t at = 0; at < batch.size(); ++at) batch[at]->answer = (*answers)[at];
  }

  // Who does not answer is left alone for a while, so that no mail waits for it.
  void rest(const std::string& trouble) {
    health_.ill(trouble);
    client_.close();
    rest_until_ = std::chrono::steady_clock::now() + pause_;
    pause_ = std::min(pause_ * 2, kLongestPause);
  }

  http::Client client_;
  std::string token_;
  milliseconds patience_;
  std::deque<std::shared_ptr<Question>> waiting_;
  bool busy_ = false;
  SteadyTime rest_until_{};
  seconds pause_ = kFirstPause;
  Health health_;
};

Result<std::shared_ptr<CentreClient>> CentreClient::make(CentreOptions options, net::Resolver& resolver,
                                                         unsigned cores) {
  if (options.url.empty()) return std::shared_ptr<CentreClient>();
  auto origin = http::Origin::parse(options.url);
  if (!origin) return fail("centre.url: " + origin.error().text());
  auto token = secret_in(options.token_file, "centre.token_file: `doorward centre enrol` tells the token");
  if (!token) return std::unexpected(token.error());
  const auto text = secret_in(options.key_file, "centre.key_file: `doorward centre key` makes the key");
  if (!text) return std::unexpected(text.error());
  auto key = trust::ReferenceKey::from_text(*text, static_cast<uint8_t>(options.key_number));
  if (!key) return fail(key.error().text(), options.key_file);
  std::shared_ptr<const net::TlsClientContext> tls;
  if (origin->tls) {
    auto loaded = net::TlsClientContext::load(options.authority);
    if (!loaded) return std::unexpected(loaded.error());
    tls = std::move(*loaded);
  }
  return std::shared_ptr<CentreClient>(new CentreClient(std::move(options), std::move(*token), std::move(*origin), *key,
                                                        resolver, std::move(tls), cores));
}

CentreClient::CentreClient(CentreOptions options, std::string token, http::Origin origin, trust::ReferenceKey key,
                           net::Resolver& resolver, std::shared_ptr<const net::TlsClientContext> tls, unsigned cores)
    : options_(std::move(options)),
      token_(std::move(token)),
      origin_(std::move(origin)),
      key_(key),
      resolver_(resolver),
      tls_(std::move(tls)),
      askers_(cores) {}

CentreClient::~CentreClient() = default;

std::string CentreClient::id_of(const trust::Fingerprint& print, trust::Origin origin) const {
  return key_.id_of(print, origin);
}

http::ClientOptions CentreClient::client_options() const {
  http::ClientOptions options;
  options.origin = origin_;
  options.resolver = &resolver_;
  options.tls = tls_;
  return options;
}

Task<Result<void>> CentreClient::greet(net::Core& core) const {
  http::Client client(core, client_options());
  const auto response = co_await client.send(request_for("/v1/ask", token_, trust::questions_text({})),
                                             std::chrono::steady_clock::now() + kReportPatience);
  if (!response) co_return std::unexpected(response.error());
  if (response->status != 200) co_return fail(trouble_of(*response), origin_.host_header(), Blame::environment);
  co_return Result<void>();
}

std::shared_ptr<CentreClient::Asker> CentreClient::asker(net::Core& core) {
  auto& asker = askers_.at(core.index());
  if (!asker) {
    asker = std::make_shared<Asker>(core, client_options(), token_, options_.patience);
  }
  return asker;
}

Task<CentreClient::Told> CentreClient::ask(net::Core& core, std::string id) {
  static auto &answered = asked("answered"), &unanswered = asked("unanswered"), &spared = asked("spared");
  const auto begun = std::chrono::steady_clock::now();
  const auto own = asker(core);
  Told told;
  auto question = std::make_shared<Asker::Question>(core, std::move(id));
  if (own->is_resting() || !own->add(question)) {
    spared.add();
    co_return told;
  }
  co_await question->answered.wait(begun + options_.patience);
  told.answer = question->answer;
  (told.answer ? answered : unanswered).add();
  const auto passed = std::chrono::steady_clock::now() - begun;
  took().observe(std::chrono::duration<double>(passed).count());
  told.microseconds = static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(passed).count());
  co_return told;
}

void CentreClient::report(trust::Report what, std::string id) {
  static auto& dropped = metrics::counter("doorward_centre_reports_dropped_total",
                                          "Reports to the fingerprint service that were not sent");
  if (!options_.report || id.empty()) return;
  const uint64_t hash = std::hash<std::string>()(static_cast<char>(what) + id);
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard guard(lock_);
  if (now > told_since_ + kToldAgainAfter || told_.size() >= kMostRemembered) {
    told_.clear();
    told_since_ = now;
  }
  if (!told_.insert(hash).second) return;
  if (to_report_.size() >= kMostToReport) return dropped.add();
  to_report_.push_back({what, std::move(id)});
}

std::vector<trust::ReportedReference> CentreClient::take_reports() {
  const std::lock_guard guard(lock_);
  const auto end = to_report_.begin() + static_cast<ptrdiff_t>(std::min(to_report_.size(), trust::kMostInBatch));
  std::vector<trust::ReportedReference> taken(std::make_move_iterator(to_report_.begin()),
                                              std::make_move_iterator(end));
  to_report_.erase(to_report_.begin(), end);
  return taken;
}

void CentreClient::put_back(std::vector<trust::ReportedReference> reports) {
  const std::lock_guard guard(lock_);
  to_report_.insert(to_report_.begin(), std::make_move_iterator(reports.begin()),
                    std::make_move_iterator(reports.end()));
}

Task<Result<void>> CentreClient::send_now(net::Core& core) {
  http::Client client(core, client_options());
  for (auto reports = take_reports(); !reports.empty(); reports = take_reports()) {
    const auto response = co_await client.send(request_for("/v1/report", token_, trust::reports_text(reports)),
                                               std::chrono::steady_clock::now() + kReportPatience);
    if (response && response->status / 100 == 2) continue;
    // What the centre cannot read will be no better next time.
    const bool again = !response || response->status != 400;
    if (again) put_back(std::move(reports));
    if (!response) co_return std::unexpected(response.error());
    co_return fail(trouble_of(*response), origin_.host_header(), Blame::environment);
  }
  co_return Result<void>();
}

// `well`: whether the round before succeeded, and whether this one did.
Task<void> CentreClient::send_round(net::Core& core, bool& well) {
  const bool was = std::exchange(well, false);
  const auto sent = co_await send_now(core);
  well = sent.has_value();
  if (!well && was) log::warning("centre.reports_wait", {{"trouble", sent.error().text()}});
}

Task<void> CentreClient::send_reports(std::shared_ptr<CentreClient> client, net::Core& core) {
  if (!client) co_return;
  for (bool well = true;;) {
    co_await guarded_task("centre", client->send_round(core, well));
    const milliseconds pause = well ? kReportEvery : milliseconds(kReportPause);
    const SteadyTime before = std::chrono::steady_clock::now();
    co_await core.sleep(pause);
    if (std::chrono::steady_clock::now() - before < pause / 2) co_return;  // the core stops
  }
}

}  // namespace doorward::gateway
