// The reports' part of the control socket.
#include <boost/json.hpp>

#include "app/control_commands.h"

namespace doorward::app {

namespace json = boost::json;

Result<void> control_reports_send(const json::object& request, const Services& services, const Answer& answer) {
  if (!services.send_reports) return fail("no gateway runs here: it is the one that sends reports");
  const auto sent = services.send_reports(flag_field(request, "now"));
  if (!sent) return std::unexpected(sent.error());
  answer(json::serialize(
      json::object{{"reports", sent->reports}, {"mails", sent->mails}, {"postponed", sent->postponed}}));
  return {};
}

}  // namespace doorward::app
