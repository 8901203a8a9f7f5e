// An action does something to a mail: it returns edits and effects, which the gateway carries out; it touches neither
// queue nor socket. To add one: a file here, a line in action/list.cpp, its page in docs/actions, its test.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/option.h"
#include "filter/facts.h"
#include "mail/envelope.h"
#include "mime/edit.h"
#include "mime/message.h"
#include "sheet/sheet.h"

namespace doorward::action {

// recipient: before the rule is chosen · message: attachments, scanners, may refuse · verdict: greylisting ·
// outcome: archive, training, notices; cannot change the result.
enum class Phase { recipient, message, verdict, outcome };

struct ActionInfo {
  std::string_view name;
  std::string_view sentence;
  Phase phase;
  std::vector<config::OptionInfo> options;
};

// What a recipient's tenant has set for the actions (policy/ fills it).
struct RewriteRule {
  std::string from;  // pattern with * : "*.old@d.example", "a@d.example"
  std::string to;    // * stands for what the pattern's * matched
};
struct Settings {
  std::vector<RewriteRule> rewrites;
  std::string secret_suffix;           // "_geheim"; empty: none
  std::string subject_tag_spam;        // "*** SPAM ***"
  std::string subject_tag_content;     // "*** CF ***"
  std::string subject_tag_newsletter;  // "[PUB]"
  bool score_header = true;
  bool authentication_results = true;
  bool spam_headers = false;  // X-Spam-Flag and X-Spam-Status
  bool train = true;
  int train_ham_at_most = -4;  // D4: inbound good at or under this SCL (-9 … -1)
  int train_spam_from = 7;     // and bad at or over this one (1 … 9)
};

// Values that the gateway carries out.
struct Effect {
  enum class Kind { train_ham, train_spam, pass_unfiltered, notify, keep } kind;
  std::string detail;
};

struct RecipientOutcome {
  mail::Mailbox mailbox;  // where it goes now
  std::vector<Effect> effects;
};

struct MessageOutcome {
  mime::Edits edits;
  std::vector<Effect> effects;
};

struct Verdicted {  // what an action of the later phases looks at
  const mime::Message& message;
  const mail::Client& client;
  const mail::Envelope& envelope;
  const sheet::ScoreSheet& sheet;
  const sheet::GroupVerdict& verdict;
  const Settings& settings;
  const filter::Facts* facts = nullptr;
  std::string_view host_name = {};  // the gateway's; results of authentication that bear it can only be ours
};

class Action {
 public:
  virtual ~Action() = default;
  virtual const ActionInfo& info() const = 0;
  // Each action overrides the one of its phase.
  virtual void on_recipient(const Settings&, RecipientOutcome&) const {}
  virtual void on_verdict(const Verdicted&, MessageOutcome&) const {}
  virtual void on_outcome(const Verdicted&, MessageOutcome&) const {}
};

std::span<const Action* const> all();
const Action* find(std::string_view name);

}  // namespace doorward::action
