// The lists in the DNS: asked about each mail, and watched. A list that answers everything, or nothing, would have all
// mail refused, or none: it is used only while its own test entries are right (RFC 5782 §5).
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "filter/block_list.h"
#include "filter/facts.h"
#include "filter/list_questions.h"
#include "net/core.h"
#include "net/resolver.h"

namespace doorward::gateway {

struct ListsOptions {
  bool on = true;
  size_t questions = 60;                       // about one mail, at most
  std::chrono::seconds check_every{3600};      // of a list that is well
  std::chrono::seconds check_again_after{60};  // of one that is not
  std::chrono::milliseconds patience{5000};    // for each test entry
};

class Lists {
 public:
  Lists(ListsOptions options, std::vector<filter::BlockList> lists);
  ~Lists();

  // Looks after the lists until the core stops; nothing is asked before a list was found well. `resolver` outlives it.
  static Task<void> watch(std::shared_ptr<Lists> lists, net::Core& core, net::Resolver& resolver);
  // One round of it: those lists that are due.
  Task<void> check(net::Core& core, net::Resolver& resolver);

  bool is_any_used() const;
  const std::vector<filter::BlockList>& all() const { return lists_; }
  bool is_used(size_t list) const;

  // What the lists say of a mail, into `facts`; lists that do not answer in time are recorded there. Ends at the
  // deadline at the latest.
  Task<bool> ask(net::Core& core, net::Resolver& resolver, const mail::Client& client, const mail::Envelope& envelope,
                 const mime::Message& message, SteadyTime deadline, filter::Facts& facts);

 private:
  struct State;
  Task<std::string> trouble(net::Core& core, net::Resolver& resolver, const filter::BlockList& list) const;
  void note(size_t list, const filter::ListVerdict& verdict);
  void set_used(size_t list, bool used, std::string_view trouble);

  ListsOptions options_;
  std::vector<filter::BlockList> lists_;
  std::vector<std::unique_ptr<State>> states_;
};

}  // namespace doorward::gateway
