// The Level of Trust's part of the control socket.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <cmath>

#include "app/control_commands.h"
#include "base/log.h"
#include "filter/level_of_trust.h"
#include "mail/address.h"

namespace doorward::app {
namespace {

namespace json = boost::json;
using Level = trust::Correspondence::Level;

struct Whom {
  uint64_t customer = 0;
  trust::Correspondent who;  // the address is empty where a domain is meant
  std::string text;
};

Result<Whom> whom_of(const json::object& request) {
  Whom whom;
  auto customer = number_field(request, "customer", 0);
  if (!customer) return std::unexpected(customer.error());
  if (*customer == 0) return fail("\"customer\" is missing", {}, Blame::peer);
  whom.customer = *customer;
  auto address = text_field(request, "address");
  if (!address) return std::unexpected(address.error());
  auto domain = text_field(request, "domain");
  if (!domain) return std::unexpected(domain.error());
  if (!address->empty()) {
    auto mailbox = mail::parse_mailbox(*address);
    if (!mailbox) return fail("\"address\" is no address: " + mailbox.error().what, {}, Blame::peer);
    whom.text = mailbox->key();
    whom.who = filter::correspondent(whom.text);
    return whom;
  }
  auto parsed = mail::parse_domain(*domain);
  if (domain->empty() || !parsed) return fail("\"domain\" is no domain", {}, Blame::peer);
  whom.text = parsed->key();
  whom.who.domain = filter::correspondent("x@" + whom.text).domain;
  if (whom.who.domain.empty()) {
    return fail(fmt::format("{} is everybody's: as a domain it gets no trust; its addresses do", whom.text), {},
                Blame::peer);
  }
  return whom;
}

void add(json::object& answer, std::string_view name, const Level& level) {
  if (!level.any()) return;
  answer[name] = {{"level", std::llround(level.level)}, {"days", level.days}, {"last", moment_text(level.last)}};
}

}  // namespace

Result<void> control_trust_show(const json::object& request, const Services& services, const Answer& answer) {
  auto whom = whom_of(request);
  if (!whom) return std::unexpected(whom.error());
  auto recipient = text_field(request, "recipient");
  if (!recipient) return std::unexpected(recipient.error());
  std::vector<std::string> recipients;
  if (!recipient->empty()) {
    auto mailbox = mail::parse_mailbox(*recipient);
    if (!mailbox) return fail("\"recipient\" is no address: " + mailbox.error().what, {}, Blame::peer);
    recipients.push_back(mailbox->key());
  }
  auto access = services.trust();
  if (!access) return std::unexpected(access.error());
  const auto known = access->memory->look_up(
      {.customer = whom->customer, .recipients = recipients, .sender = whom->who, .subject = {}}, services.clock.now());
  json::object object{{"of", printable(whom->text)}};
  add(object, "pair", known.pair);
  if (!whom->who.address.empty()) add(object, "address", known.address);
  add(object, "domain", known.domain);
  object["sends_bulk"] = known.bulk;
  answer(json::serialize(object));
  return {};
}

Result<void> control_trust_set(const json::object& request, const Services& services, const Answer&) {
  auto whom = whom_of(request);
  if (!whom) return std::unexpected(whom.error());
  auto text = text_field(request, "level");
  if (!text) return std::unexpected(text.error());
  int level = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), level);
  if (error != std::errc{} || end != text->data() + text->size() || level < -100 || level > 100) {
    return fail("\"level\" is no whole number from -100 to 100", {}, Blame::peer);
  }
  auto access = services.trust();
  if (!access) return std::unexpected(access.error());
  if (auto set = access->set(whom->customer, whom->who, level); !set) return set;
  if (services.logs) {
    log::info("trust.set", {{"customer", whom->customer}, {"of", printable(whom->text)}, {"level", level}});
  }
  return {};
}

}  // namespace doorward::app
