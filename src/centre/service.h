// The fingerprint service (D6): answers gateways' questions about reference ids, and learns from their reports.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/offload.h"
#include "centre/reporters.h"
#include "centre/verdicts.h"
#include "http/server.h"
#include "trust/reference_batch.h"
#include "trust/sightings.h"

namespace doorward::centre {

class Service {
 public:
  struct Options {
    std::string directory;  // where everything is kept
    size_t sightings_entries = size_t{1} << 22, verdicts_entries = size_t{1} << 22;
    ReporterLimits limits{};
  };
  // Fails when something stored cannot be read or another process has it. `clock` outlives it.
  static Result<std::unique_ptr<Service>> open(Options options, const Clock& clock);
  ~Service();  // stop()

  // POST /v1/ask and POST /v1/report (docs/centre.md). The server's cores end before the service does.
  void serve(http::Server& server);
  void start();
  void stop();  // makes durable what was learnt

  // One round of what start() has done every second: makes durable, every minute proves claims and saves records.
  void maintain(bool thoroughly);
  Reporters& reporters() { return *reporters_; }

 private:
  Service(const Clock& clock) : clock_(clock) {}
  struct Answered;
  http::Response ask(const http::Request& request);
  Task<http::Response> report(http::Request request);
  std::shared_ptr<Reporter> reporter_of(const http::Request& request);
  http::Response take(std::string_view body, Reporter& reporter);
  void learn(std::string_view id, trust::Report what, Reporter& reporter, SystemTime now);
  void prove(Reporter& reporter, SystemTime now);
  void run();

  const Clock& clock_;
  std::unique_ptr<trust::Sightings> sightings_;
  std::unique_ptr<trust::Sightings> witnesses_;  // of programs: which gateways have them, counted as if domains
  std::unique_ptr<Verdicts> verdicts_;
  std::unique_ptr<Reporters> reporters_;
  std::mutex learning_;  // tables are written by one at a time
  Offload offload_{1, 1000};
  std::mutex lock_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace doorward::centre
