// The one thread that gathers for reports: sessions hand it what they saw and go on. It may lose what it is told, when
// it does not keep up; mail it has nothing to do with.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "gateway/witness.h"
#include "report/gathered.h"
#include "report/incoming.h"

namespace doorward::report {

struct GatheringOptions {
  bool observe = false;  // for reports of our own
  GatheredOptions gathered;
  IncomingOptions incoming;
  std::chrono::milliseconds batch_every{500};
  size_t most_waiting = 20'000;             // observations
  size_t most_octets = size_t{64} << 20;    // of mails that wait to be read
  std::chrono::seconds expire_every{3600};  // what came in
};

class Gathering final : public gateway::Witness {
 public:
  static Result<std::unique_ptr<Gathering>> open(GatheringOptions options);
  ~Gathering() override;  // writes what waits
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

  void saw(const Seen& mail) override;
  void add(DmarcObservation observation);
  // A mail to the reports' address of a customer.
  void read(std::string id, std::string mail, uint64_t customer);
  void flush();  // returns when everything seen before is stored, or has failed

 private:
  struct Arrived {
    std::string id, mail;
    uint64_t customer;
  };
  Gathering(GatheringOptions options, std::unique_ptr<Gathered> gathered, std::unique_ptr<Incoming> incoming);
  void run();
  void note_reports(const Seen& mail);
  void read_all(std::vector<Arrived>& mails);
  void expire();
  void write(const std::vector<DmarcObservation>& batch);

  GatheringOptions options_;
  std::unique_ptr<Gathered> gathered_;  // the thread's own, as is the next
  std::unique_ptr<Incoming> incoming_;
  std::mutex lock_;
  std::condition_variable wake_, idle_;
  std::vector<DmarcObservation> waiting_;
  std::vector<Arrived> arrived_;
  size_t octets_ = 0;  // of those, and of those that are being read
  uint64_t added_ = 0, ended_ = 0;
  bool hurry_ = false, stopping_ = false;
  bool failing_ = false;  // the thread's own, as is the next
  SteadyTime expired_{};
  std::thread thread_;
};

}  // namespace doorward::report
