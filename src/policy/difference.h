// What differs between two policies, for people and as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/model.h"

namespace doorward::policy {

struct Change {
  std::string object;                   // "domain example.org"
  std::string what;                     // "threshold", "rule 2", "block *@spam.example"; empty: the object itself
  std::optional<std::string> before{};  // none: added
  std::optional<std::string> after{};   // none: removed
};

// In the order of the objects' names. Ids do not count.
std::vector<Change> difference(const Policy& before, const Policy& after);

// A line each: "domain example.org: threshold: normal → strict".
std::string to_text(const std::vector<Change>& changes);
// One JSON object a line: {"object":…,"what":…,"before":…,"after":…}.
std::string to_json(const std::vector<Change>& changes);

}  // namespace doorward::policy
