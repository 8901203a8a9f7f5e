// The gateway's end of the fingerprint service (D6): asks the centre what others saw of a mail, and tells it what was
// seen here. Nothing depends on its answer: where it is silent, mails go on without.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "http/client.h"
#include "http/origin.h"
#include "net/core.h"
#include "net/resolver.h"
#include "trust/reference_batch.h"
#include "trust/reference_id.h"

namespace doorward::net {
class TlsClientContext;
}

namespace doorward::gateway {

struct CentreOptions {
  std::string url;                          // empty: none is asked
  std::string token_file;                   // with the token that the centre's operator gave this gateway
  std::string key_file;                     // with the key that all gateways of the centre have
  unsigned key_number = 1;                  // 0 to 255
  std::chrono::milliseconds patience{500};  // for an answer
  bool report = true;                       // what is seen here is told
  std::string authority;                    // a PEM file that vouches for the centre; empty: the system's
};

class CentreClient {
 public:
  // `resolver` outlives it. Fails where the options are wrong; a centre that is not there is no error.
  static Result<std::shared_ptr<CentreClient>> make(CentreOptions options, net::Resolver& resolver, unsigned cores);
  ~CentreClient();

  // Empty where the mail has nothing to be known by.
  std::string id_of(const trust::Fingerprint& print, trust::Origin origin) const;

  struct Told {
    std::optional<trust::ReferenceAnswer> answer{};
    uint32_t microseconds = 0;
  };
  // On `core`; ends when its patience does. Questions that come while one is under way go together in the next.
  Task<Told> ask(net::Core& core, std::string id);

  // Whether the centre knows this gateway; an error says what is wrong.
  Task<Result<void>> greet(net::Core& core) const;

  // From any thread; what was told lately is not told again. Too much is dropped and counted.
  void report(trust::Report what, std::string id);
  // Sends what is to be reported until the core stops.
  static Task<void> send_reports(std::shared_ptr<CentreClient> client, net::Core& core);
  // Once: what is to be reported now. An error says why it could not be sent; it is kept then.
  Task<Result<void>> send_now(net::Core& core);

 private:
  class Asker;
  CentreClient(CentreOptions options, std::string token, http::Origin origin, trust::ReferenceKey key,
               net::Resolver& resolver, std::shared_ptr<const net::TlsClientContext> tls, unsigned cores);
  http::ClientOptions client_options() const;
  std::shared_ptr<Asker> asker(net::Core& core);
  Task<void> send_round(net::Core& core, bool& well);
  std::vector<trust::ReportedReference> take_reports();
  void put_back(std::vector<trust::ReportedReference> reports);

  CentreOptions options_;
  std::string token_;
  http::Origin origin_;
  trust::ReferenceKey key_;
  net::Resolver& resolver_;
  std::shared_ptr<const net::TlsClientContext> tls_;
  std::vector<std::shared_ptr<Asker>> askers_;  // one a core; touched on that core only
  std::mutex lock_;
  std::deque<trust::ReportedReference> to_report_;
  std::unordered_set<uint64_t> told_;  // hashes of what was reported lately
  SteadyTime told_since_{};
};

}  // namespace doorward::gateway
