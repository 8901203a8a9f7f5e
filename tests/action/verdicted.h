// A judged mail for an action's test.
#pragma once

#include <string>

#include "action/action.h"

namespace doorward::action {

struct TestVerdict {
  explicit TestVerdict(std::string bytes) : raw(std::move(bytes)), message(mime::Message::parse(raw)) {
    sheet.id = "01JABCDEFGHJKMNPQRSTVWXYZ0";
    settings.subject_tag_spam = "*** SPAM ***";
    settings.subject_tag_content = "*** CF ***";
    settings.subject_tag_newsletter = "[PUB]";
  }
  Verdicted view() const { return {message, client, envelope, sheet, verdict, settings, &facts, host_name}; }
  std::string after(const Action& action) const {
    MessageOutcome outcome;
    action.on_verdict(view(), outcome);
    std::string text;
    for (const auto piece : outcome.edits.apply(raw)) text += piece;
    return text;
  }
  std::vector<Effect> effects_of(const Action& action) const {
    MessageOutcome outcome;
    action.on_outcome(view(), outcome);
    return outcome.effects;
  }

  std::string raw;
  mime::Message message;
  mail::Client client;
  mail::Envelope envelope;
  sheet::ScoreSheet sheet;
  sheet::GroupVerdict verdict;
  Settings settings;
  filter::Facts facts;
  std::string host_name = "mx.example.net";
};

}  // namespace doorward::action
