// What can be asked of the control socket. To add a command: a function in one of the control_*.cpp files that describe
// a part of the house, and a line in the table of control_commands.cpp. The same functions run within the command line
// where no gateway runs.
#pragma once

#include <boost/json/fwd.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "app/control.h"
#include "base/clock.h"
#include "policy/snapshot.h"
#include "report/sending.h"
#include "spool/spool.h"
#include "trust/correspondence.h"
#include "vault/vault.h"

namespace doorward::app {

inline constexpr int kControlVersion = 1;

// The Level of Trust, and how it is changed: by the one thread that writes it.
struct TrustAccess {
  const trust::Correspondence* memory = nullptr;
  std::function<Result<void>(uint64_t customer, const trust::Correspondent& whom, double level)> set;
};

// What commands work on. Each may be called from any thread; an error says why it is not there.
struct Services {
  std::function<Result<spool::Spool*>()> spool;
  std::function<Result<vault::Vault*>()> vault;
  std::function<Result<std::shared_ptr<const policy::Snapshot>>()> snapshot;
  std::function<Result<TrustAccess>()> trust;
  vault::Commit commit;
  const Clock& clock;
  std::function<Result<report::SentReports>(bool all)> send_reports{};  // none: no gateway runs
  std::function<void(std::string_view raw)> not_spam{};  // a person says so of a mail; none: nobody is told
  bool logs = false;                                     // a gateway's: what an administrator changed stands in its log
};

// Parses, checks and runs one request. Hostile input is an error, and nothing else.
Result<void> run_control_command(std::string_view request, const Services& services, const Answer& answer);

// Fields of a request. An error names the field that is not what it has to be.
Result<std::string> text_field(const boost::json::object& request, std::string_view name);  // "" where it is not there
Result<std::vector<std::string>> ids_field(const boost::json::object& request);             // upper case
Result<uint64_t> number_field(const boost::json::object& request, std::string_view name, uint64_t without);
bool flag_field(const boost::json::object& request, std::string_view name);

// For answers: UTF-8 whatever came in.
std::string printable(std::string_view text);
std::string moment_text(SystemTime time);  // "2026-01-31T12:00:00Z"; "" for none
// Sends octets of any kind as lines {"base64":"…"}.
void answer_octets(std::string_view octets, const Answer& answer);

using ControlCommand = Result<void> (*)(const boost::json::object& request, const Services& services,
                                        const Answer& answer);
Result<void> control_queue_list(const boost::json::object&, const Services&, const Answer&);
Result<void> control_queue_show(const boost::json::object&, const Services&, const Answer&);
Result<void> control_queue_change(const boost::json::object&, const Services&, const Answer&);
Result<void> control_reports_send(const boost::json::object&, const Services&, const Answer&);
Result<void> control_quarantine_list(const boost::json::object&, const Services&, const Answer&);
Result<void> control_quarantine_show(const boost::json::object&, const Services&, const Answer&);
Result<void> control_quarantine_release(const boost::json::object&, const Services&, const Answer&);
Result<void> control_quarantine_delete(const boost::json::object&, const Services&, const Answer&);
Result<void> control_trust_show(const boost::json::object&, const Services&, const Answer&);
Result<void> control_trust_set(const boost::json::object&, const Services&, const Answer&);

}  // namespace doorward::app
