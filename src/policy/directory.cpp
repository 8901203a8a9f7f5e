#include "policy/directory.h"

#include <algorithm>

namespace doorward::policy {
namespace {

// The local part of Mailbox::key(), in `key`'s storage.
std::string_view local_key(const std::string& key, const mail::Mailbox& mailbox) {
  return std::string_view(key).substr(0, key.size() - mailbox.domain.key().size() - 1);
}

// RFC 5321 §4.5.1 and RFC 2142: somebody reads these, whatever is listed.
bool is_role(std::string_view local) { return local == "postmaster" || local == "abuse"; }

}  // namespace

bool Directory::add_domain(const mail::Domain& domain, DomainOptions options) {
  return domains_.try_emplace(domain.key(), Entry{std::move(options), {}, {}}).second;
}

void Directory::add(const mail::Mailbox& address, uint32_t settings, uint32_t target) {
  const auto entry = domains_.find(address.domain.key());
  if (entry == domains_.end()) return;
  const std::string key = address.key();
  const std::string_view local = local_key(key, address);
  Entry& into = entry->second;
  into.addresses.push_back(
      {static_cast<uint32_t>(into.locals.size()), static_cast<uint32_t>(local.size()), settings, target});
  into.locals += local;
}

void Directory::add_mailbox(const mail::Mailbox& mailbox, const std::vector<mail::Mailbox>& aliases,
                            std::shared_ptr<const Settings> settings) {
  // Mailboxes come domain by domain, and most of a domain share their settings.
  if (settings_.empty() || settings_.back() != settings) settings_.push_back(std::move(settings));
  const auto index = static_cast<uint32_t>(settings_.size() - 1);
  add(mailbox, index, 0);
  if (aliases.empty()) return;
  targets_.push_back(mailbox);
  for (const mail::Mailbox& alias : aliases) add(alias, index, static_cast<uint32_t>(targets_.size()));
}

void Directory::finish() {
  for (auto& [name, entry] : domains_) {
    const auto by_local = [&entry](const Address& a, const Address& b) {
      const int order = entry.local(a).compare(entry.local(b));
      return order != 0 ? order < 0 : a.begin < b.begin;
    };
    std::ranges::sort(entry.addresses, by_local);
    const auto same = [&entry](const Address& a, const Address& b) { return entry.local(a) == entry.local(b); };
    const auto rest = std::ranges::unique(entry.addresses, same);
    entry.addresses.erase(rest.begin(), rest.end());
    entry.addresses.shrink_to_fit();
    entry.locals.shrink_to_fit();
  }
}

const Directory::Address* Directory::Entry::find(std::string_view wanted) const {
  const auto at = std::ranges::lower_bound(addresses, wanted, {}, [this](const Address& a) { return local(a); });
  return at != addresses.end() && local(*at) == wanted ? &*at : nullptr;
}

Resolved Directory::found(const Address& address, const mail::Mailbox& recipient, std::string_view tag) const {
  Resolved resolved;
  resolved.kind = Resolved::Kind::ours;
  resolved.settings = settings_[address.settings];
  resolved.listed = true;
  resolved.tagged = !tag.empty();
  resolved.mailbox = address.target == 0 ? recipient : targets_[address.target - 1];
  if (address.target != 0) resolved.mailbox.local += tag;
  return resolved;
}

Resolved Directory::to_catch_all(const Entry& entry) const {
  const mail::Mailbox& mailbox = *entry.options.catch_all;
  const auto home = domains_.find(mailbox.domain.key());
  if (home != domains_.end()) {
    const std::string key = mailbox.key();
    if (const Address* address = home->second.find(local_key(key, mailbox))) {
      Resolved resolved = found(*address, mailbox, {});
      resolved.caught = true;
      return resolved;
    }
  }
  // The policy itself names it: as good as listed.
  return {.kind = Resolved::Kind::ours,
          .settings = entry.options.settings,
          .mailbox = mailbox,
          .listed = true,
          .caught = true};
}

std::shared_ptr<const Settings> Directory::settings(const mail::Domain& domain) const {
  const auto at = domains_.find(domain.key());
  return at == domains_.end() ? nullptr : at->second.options.settings;
}

Resolved Directory::resolve(const mail::Mailbox& recipient) const {
  const auto at = domains_.find(recipient.domain.key());
  if (at == domains_.end()) return {};
  const Entry& entry = at->second;
  const std::string key = recipient.key();
  const std::string_view local = local_key(key, recipient);
  if (const Address* address = entry.find(local)) return found(*address, recipient, {});
  if (const char delimiter = entry.options.delimiter; delimiter != 0) {
    // A tag belongs to the user: an alias's goes on to the mailbox behind it.
    const size_t place = local.find(delimiter, 1);
    if (place != std::string_view::npos) {
      if (const Address* address = entry.find(local.substr(0, place))) {
        return found(*address, recipient, std::string_view(recipient.local).substr(recipient.local.find(delimiter, 1)));
      }
    }
  }
  if (entry.options.catch_all) return to_catch_all(entry);
  const bool known = !entry.options.listed_only || is_role(local);
  return {known ? Resolved::Kind::ours : Resolved::Kind::unknown_recipient, entry.options.settings, recipient, false};
}

}  // namespace doorward::policy
