// The quarantine's part of the control socket.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "app/control_commands.h"
#include "mail/ascii.h"

namespace doorward::app {
namespace {

namespace json = boost::json;

constexpr size_t kMostListed = 1'000'000;

Result<vault::Filter> filter_of(const json::object& request, const Clock& clock) {
  vault::Filter filter;
  std::string klass, state;
  for (const auto& [key, member] :
       {std::pair{"domain", &filter.domain}, std::pair{"recipient", &filter.recipient},
        std::pair{"sender", &filter.sender}, std::pair{"subject", &filter.subject}, std::pair{"mail", &filter.mail},
        std::pair{"class", &klass}, std::pair{"state", &state}}) {
    auto text = text_field(request, key);
    if (!text) return std::unexpected(text.error());
    *member = std::move(*text);
  }
  if (!filter.domain.empty()) {
    auto domain = mail::parse_domain(filter.domain);
    if (!domain) return fail("\"domain\" is no domain", {}, Blame::peer);
    filter.domain = domain->key();
  }
  if (!klass.empty() && !(filter.klass = sheet::class_of(klass))) {
    return fail("\"class\" is no class: clean, spam, virus, content, newsletter, unsure or sanity", {}, Blame::peer);
  }
  if (!state.empty() && !(filter.state = vault::state_of(state))) {
    return fail("\"state\" is no state: kept, releasing, released, deleted or expired", {}, Blame::peer);
  }
  auto customer = number_field(request, "customer", 0);
  if (!customer) return std::unexpected(customer.error());
  if (*customer != 0) filter.customer = *customer;
  for (const auto& [key, member] : {std::pair{"older_than", &filter.until}, std::pair{"younger_than", &filter.since}}) {
    auto seconds = number_field(request, key, UINT64_MAX);
    if (!seconds) return std::unexpected(seconds.error());
    if (*seconds != UINT64_MAX)
      *member = clock.now() - std::chrono::seconds(std::min<uint64_t>(*seconds, 4'000'000'000));
  }
  return filter;
}

json::object object_of(const vault::Entry& entry) {
  return {{"id", entry.id},
          {"mail", entry.mail},
          {"state", vault::name(entry.state)},
          {"customer", entry.customer},
          {"domain", entry.domain},
          {"recipient", printable(entry.recipient)},
          {"sender", printable(entry.sender)},
          {"subject", printable(entry.subject)},
          {"class", sheet::name(entry.klass)},
          {"reason", entry.reason},
          {"client", entry.client_ip},
          {"size", entry.size},
          {"received", moment_text(entry.received)},
          {"expires", moment_text(entry.expires)},
          {"ended", moment_text(entry.ended)},
          {"releases", entry.releases}};
}

// The entries a change is for: those that are named, or that match.
Result<std::vector<std::string>> chosen(const json::object& request, vault::Vault& vault, const Clock& clock) {
  auto ids = ids_field(request);
  if (!ids || !ids->empty()) return ids;
  auto filter = filter_of(request, clock);
  if (!filter) return std::unexpected(filter.error());
  auto most = number_field(request, "most", kMostListed);
  if (!most) return std::unexpected(most.error());
  filter->state = vault::State::kept;
  auto entries = vault.list(*filter, std::min<uint64_t>(*most, kMostListed));
  if (!entries) return std::unexpected(entries.error());
  for (const auto& entry : *entries) ids->push_back(entry.id);
  return ids;
}

Result<void> change(const json::object& request, const Services& services, const Answer& answer,
                    const std::function<Result<void>(vault::Vault&, const std::string&)>& one) {
  auto vault = services.vault();
  if (!vault) return std::unexpected(vault.error());
  auto ids = chosen(request, **vault, services.clock);
  if (!ids) return std::unexpected(ids.error());
  if (flag_field(request, "count_only")) {
    answer(json::serialize(json::object{{"entries", ids->size()}}));
    return {};
  }
  size_t done = 0, failed = 0;
  for (const auto& id : *ids) {
    auto changed = one(**vault, id);
    if (changed) {
      ++done;
    } else {
      ++failed;
      if (!answer(json::serialize(json::object{{"id", id}, {"problem", changed.error().text()}}))) break;
    }
  }
  answer(json::serialize(json::object{{"entries", done}, {"failed", failed}}));
  return {};
}

// Whoever lets spam out says that it is none. What was held back for a virus or a kind of file is another matter.
void tell_not_spam(const Services& services, vault::Vault& vault, const std::string& id) {
  if (!services.not_spam) return;
  const auto entry = vault.show(id);
  if (!entry || entry->klass != sheet::Class::spam) return;
  if (const auto content = vault.content(id)) services.not_spam(*content);
}

}  // namespace

Result<void> control_quarantine_list(const json::object& request, const Services& services, const Answer& answer) {
  auto vault = services.vault();
  if (!vault) return std::unexpected(vault.error());
  auto filter = filter_of(request, services.clock);
  if (!filter) return std::unexpected(filter.error());
  auto most = number_field(request, "most", kMostListed);
  if (!most) return std::unexpected(most.error());
  auto entries = (*vault)->list(*filter, std::min<uint64_t>(*most, kMostListed));
  if (!entries) return std::unexpected(entries.error());
  for (const auto& entry : *entries) {
    if (!answer(json::serialize(object_of(entry)))) break;
  }
  return {};
}

Result<void> control_quarantine_show(const json::object& request, const Services& services, const Answer& answer) {
  auto vault = services.vault();
  if (!vault) return std::unexpected(vault.error());
  auto ids = ids_field(request);
  if (!ids) return std::unexpected(ids.error());
  if (ids->size() != 1) return fail("one id is to be given");
  auto entry = (*vault)->show(ids->front());
  if (!entry) return std::unexpected(entry.error());
  if (!flag_field(request, "raw")) {
    answer(json::serialize(object_of(*entry)));
    return {};
  }
  auto content = (*vault)->content(ids->front());
  if (!content) return std::unexpected(content.error());
  answer_octets(*content, answer);
  return {};
}

Result<void> control_quarantine_release(const json::object& request, const Services& services, const Answer& answer) {
  auto snapshot = services.snapshot();
  if (!snapshot) return std::unexpected(snapshot.error());
  return change(request, services, answer, [&](vault::Vault& vault, const std::string& id) -> Result<void> {
    if (auto released = vault.release(id, **snapshot, services.commit); !released) {
      return std::unexpected(released.error());
    }
    tell_not_spam(services, vault, id);
    return {};
  });
}

Result<void> control_quarantine_delete(const json::object& request, const Services& services, const Answer& answer) {
  return change(request, services, answer, [](vault::Vault& vault, const std::string& id) { return vault.remove(id); });
}

}  // namespace doorward::app
