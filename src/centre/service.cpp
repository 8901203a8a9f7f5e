#include "centre/service.h"

#include <algorithm>
#include <utility>

#include "base/guarded.h"
#include "base/log.h"
#include "base/metrics.h"
#include "centre/likelihood.h"
#include "trust/reference_batch.h"
#include "trust/reference_id.h"

namespace doorward::centre {
namespace {

using http::Request;
using http::Response;
using trust::Report;

constexpr std::chrono::seconds kFlushEvery{1};  // what a crash may take of what was learnt
constexpr unsigned kRoundsToRefresh = 3, kRoundsToProof = 60;
constexpr std::string_view kBinary = "application/octet-stream";
constexpr size_t kPerProgram = 16, kFewest = 1 << 12;  // one mail in so many has a program
constexpr double kBelieved = 0.5;                      // of a reporter's weight

metrics::Counter& questions() {
  static auto& counter = metrics::counter("doorward_centre_questions_total", "Reference ids asked about.");
  return counter;
}
metrics::Counter& known_ones() {
  static auto& counter = metrics::counter("doorward_centre_known_total", "Reference ids asked about and known.");
  return counter;
}
metrics::Counter& reports() {
  static auto& counter = metrics::counter("doorward_centre_reports_total", "Reports taken.");
  return counter;
}
metrics::Counter& refused(std::string_view why) {
  return metrics::counter("doorward_centre_refused_total", "Requests and ids that were not taken.", {{"why", why}});
}

Response plain(int status, std::string text) { return {status, std::move(text) + "\n"}; }

Response too_many() {
  refused("rate").add();
  Response response = plain(429, "this reporter asks or reports more than it may: see docs/centre.md");
  response.headers.push_back({"Retry-After", "10"});
  return response;
}

std::optional<Voice> voice_of(Report what) {
  switch (what) {
    case Report::spam:
      return Voice::filters;
    case Report::user_spam:
      return Voice::user_spam;
    case Report::not_spam:
      return Voice::not_spam;
    case Report::malicious:
      return Voice::malicious;
    case Report::seen:
      break;
  }
  return std::nullopt;
}

// A gateway in a set of 64, as sets of domains have it: the highest six bits say which of them it is.
trust::Sender witness(uint64_t reporter, unsigned nth) { return {(reporter * kEnoughWitnesses + nth) << 58 | 1}; }

}  // namespace

Result<std::unique_ptr<Service>> Service::open(Options options, const Clock& clock) {
  std::unique_ptr<Service> service(new Service(clock));
  auto sightings =
      trust::Sightings::open({.entries = options.sightings_entries, .directory = options.directory + "/sightings"});
  if (!sightings) return std::unexpected(sightings.error());
  service->sightings_ = std::move(*sightings);
  auto witnesses = trust::Sightings::open({.entries = std::max(options.sightings_entries / kPerProgram, kFewest),
                                           .directory = options.directory + "/witnesses"});
  if (!witnesses) return std::unexpected(witnesses.error());
  service->witnesses_ = std::move(*witnesses);
  auto verdicts = Verdicts::open({options.verdicts_entries, options.directory + "/verdicts"});
  if (!verdicts) return std::unexpected(verdicts.error());
  service->verdicts_ = std::move(*verdicts);
  auto reporters = Reporters::open(options.directory + "/reporters.db", options.limits);
  if (!reporters) return std::unexpected(reporters.error());
  service->reporters_ = std::move(*reporters);
  return service;
}

Service::~Service() { stop(); }

void Service::serve(http::Server& server) {
  server.route("POST", "/v1/ask", [this](const Request& request) -> Task<Response> {
    return [](Response response) -> Task<Response> { co_return response; }(ask(request));
  });
  server.route("POST", "/v1/report", [this](Request request) { return report(std::move(request)); });
}

// RFC 6750 §2.1. Null where nobody of that token is enrolled.
std::shared_ptr<Reporter> Service::reporter_of(const Request& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto given = request.header("Authorization");
  if (!given.starts_with(kScheme)) return nullptr;
  return reporters_->find(given.substr(kScheme.size()), clock_.steady());
}

namespace {

Response who_are_you() {
  refused("unknown").add();
  Response response = plain(401, "no reporter of this token is enrolled");
  response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

}  // namespace

Response Service::ask(const Request& request) {
  const auto reporter = reporter_of(request);
  if (!reporter) return who_are_you();
  const auto ids = trust::parse_questions(request.body);
  if (!ids) {
    refused("malformed").add();
    return plain(400, ids.error().text());
  }
  if (!reporter->may_ask(ids->size(), clock_.steady())) return too_many();
  const SystemTime now = clock_.now();
  std::vector<trust::ReferenceAnswer> answers;
  answers.reserve(ids->size());
  for (const auto id : *ids) {
    // What another version of the program made is not known here; the rest of the batch is none the worse.
    const auto reference = trust::parse_reference(id);
    if (!reference) {
      refused("id").add();
      answers.emplace_back();
      continue;
    }
    const auto& [key, print, origin] = *reference;
    Knowledge known{.seen = sightings_->look_up(print, origin.sender, now),
                    .said = verdicts_->look_up(print, now),
                    .has_program = origin.has_program};
    if (origin.has_program) known.witnesses = witnesses_->look_up(print, trust::Sender{}, now);
    answers.push_back(answer_of(known, now));
    if (answers.back().known) known_ones().add();
  }
  questions().add(ids->size());
  Response response(200, trust::answers_text(answers));
  response.content_type = kBinary;
  return response;
}

Task<Response> Service::report(Request request) {
  const auto reporter = reporter_of(request);
  if (!reporter) co_return who_are_you();
  const auto reported = trust::parse_reports(request.body);
  if (!reported) {
    refused("malformed").add();
    co_return plain(400, reported.error().text());
  }
  if (!reporter->may_report(reported->size(), clock_.steady())) co_return too_many();
  // Tables have one writer, which may be making a snapshot: nobody's core waits for that.
  const bool queued = offload_.post([this, reported = *reported, reporter] {
    const std::lock_guard guard(learning_);
    for (const auto& [what, id] : reported) learn(id, what, *reporter, clock_.now());
  });
  co_return queued ? plain(202, "taken") : too_many();
}

void Service::learn(std::string_view id, Report what, Reporter& reporter, SystemTime now) {
  const auto reference = trust::parse_reference(id);
  if (!reference) return refused("id").add();
  reports().add();
  const auto& [key, print, origin] = *reference;
  const double weight = reporter.with_record([](const TrackRecord& record) { return record.weight(); });
  const auto voice = voice_of(what);
  if (voice) {
    const auto said = verdicts_->look_up(print, now);
    if (!said.text.any() && !said.attachment.any()) {
      reporter.with_record([&](TrackRecord& record) { record.claim({std::string(id), *voice, weight, now}); });
    }
    verdicts_->vote(print, *voice, reporter.number(), weight, now);
  }
  // Who is not believed does not make a text look widespread either.
  if (what == Report::not_spam || weight < kBelieved) return;
  sightings_->count(print, origin.sender, now);
  if (!origin.has_program) return;
  const unsigned count = weight < 1 ? 1 : kEnoughWitnesses;  // whom the operator vouches for is enough
  for (unsigned nth = 0; nth < count; ++nth) witnesses_->count(print, witness(reporter.number(), nth), now);
}

void Service::prove(Reporter& reporter, SystemTime now) {
  const auto due = reporter.with_record([now](TrackRecord& record) { return record.due(now); });
  for (const auto& claim : due) {
    const auto reference = trust::parse_reference(claim.id);
    if (!reference) continue;
    const auto proof = TrackRecord::proof_of(claim, verdicts_->look_up(reference->print, now));
    reporter.with_record([proof](TrackRecord& record) { record.proven(proof); });
  }
}

void Service::maintain(bool thoroughly) {
  {
    const std::lock_guard guard(learning_);
    for (const auto& done : {sightings_->flush(), witnesses_->flush(), verdicts_->flush()}) {
      if (!done) log::error("centre.flush_failed", {{"error", done.error().text()}});
    }
  }
  if (!thoroughly) return;
  const SystemTime now = clock_.now();
  for (const auto& reporter : reporters_->all()) prove(*reporter, now);
  if (const auto saved = reporters_->save(now); !saved) {
    log::error("centre.save_failed", {{"error", saved.error().text()}});
  }
}

void Service::start() {
  thread_ = std::thread([this] { run(); });
}

void Service::run() {
  for (unsigned round = 1;; ++round) {
    {
      std::unique_lock guard(lock_);
      if (wake_.wait_for(guard, kFlushEvery, [this] { return stopping_; })) return;
    }
    guarded("centre", [&] {
      maintain(round % kRoundsToProof == 0);
      if (round % kRoundsToRefresh != 0) return;
      if (const auto read = reporters_->refresh(); !read) {
        log::error("centre.refresh_failed", {{"error", read.error().text()}});
      }
    });
  }
}

void Service::stop() {
  {
    const std::lock_guard guard(lock_);
    if (std::exchange(stopping_, true)) return;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (verdicts_ && sightings_ && reporters_) guarded("centre", [this] { maintain(true); });
}

}  // namespace doorward::centre
