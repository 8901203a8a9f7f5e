// All domains, mailboxes and aliases, for looking up one recipient: one hash look-up for the domain, a binary search
// for the local part, 16 octets and the local part itself for each address.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/settings.h"

namespace doorward::policy {

struct DomainOptions {
  std::shared_ptr<const Settings> settings;
  bool listed_only = false;  // unknown recipients are unknown; else the backend is asked
  char delimiter = 0;        // 0: no subaddressing
  std::optional<mail::Mailbox> catch_all{};
};

class Directory {
 public:
  // False where it is there already.
  bool add_domain(const mail::Domain& domain, DomainOptions options);
  // The mailbox and its aliases, whose domains must be there. An address that is there already stays as it was.
  void add_mailbox(const mail::Mailbox& mailbox, const std::vector<mail::Mailbox>& aliases,
                   std::shared_ptr<const Settings> settings);
  void finish();  // call once, after everything is added

  Resolved resolve(const mail::Mailbox& recipient) const;
  // The domain's own settings; none where it is not protected.
  std::shared_ptr<const Settings> settings(const mail::Domain& domain) const;
  bool contains(const mail::Domain& domain) const { return domains_.contains(domain.key()); }
  size_t domains() const { return domains_.size(); }

 private:
  struct Address {
    uint32_t begin, size;  // its local part's key, in the domain's `locals`
    uint32_t settings;     // in settings_
    uint32_t target;       // in targets_, plus 1; 0: the recipient as given
  };
  struct Entry {
    DomainOptions options;
    std::string locals;
    std::vector<Address> addresses;  // sorted by local part

    std::string_view local(const Address& address) const {
      return std::string_view(locals).substr(address.begin, address.size);
    }
    const Address* find(std::string_view local) const;
  };

  void add(const mail::Mailbox& address, uint32_t settings, uint32_t target);
  Resolved found(const Address& address, const mail::Mailbox& recipient, std::string_view tag) const;
  Resolved to_catch_all(const Entry& entry) const;

  std::unordered_map<std::string, Entry> domains_;
  std::vector<std::shared_ptr<const Settings>> settings_;
  std::vector<mail::Mailbox> targets_;
};

}  // namespace doorward::policy
