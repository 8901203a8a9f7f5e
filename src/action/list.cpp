// All actions, in the order in which they run and are listed.
#include <array>

#include "action/action.h"
#include "action/address_rewriting.h"
#include "action/authentication_results.h"
#include "action/score_headers.h"
#include "action/secret_suffix.h"
#include "action/subject_tag.h"
#include "action/training.h"

#define ACTION(name) &name()

namespace doorward::action {

std::span<const Action* const> all() {
  static const std::array actions{
      ACTION(secret_suffix),  // before rewriting: patterns name addresses without it
      ACTION(address_rewriting),      ACTION(subject_tag), ACTION(score_headers),
      ACTION(authentication_results), ACTION(training),
  };
  return actions;
}

const Action* find(std::string_view name) {
  for (const Action* action : all()) {
    if (action->info().name == name) return action;
  }
  return nullptr;
}

}  // namespace doorward::action
