// What features_of() takes from a mail, in pieces that the evidence can use too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mime/message.h"
#include "trust/word_statistics.h"

namespace doorward::trust {

struct NamedFeature {
  uint64_t hash;
  std::string text;
};

// Only the features that a person can read: words and pairs of words of the subject, the texts and the links.
std::vector<NamedFeature> named_features_of(const mime::Message& message);

// Changes whenever the features of the same mail change: what was learnt before is of no use then.
inline constexpr uint32_t kFeatureVersion = 1;

}  // namespace doorward::trust
