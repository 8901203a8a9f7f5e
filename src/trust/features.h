// What features_of() takes from a mail, in pieces that the evidence can use too.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "mime/message.h"
#include "trust/word_statistics.h"

namespace doorward::trust {

// A feature that a person can read: a word, or two near each other, and where they stand ("subject:"). Views that live
// until the visitor returns.
struct NamedFeature {
  uint64_t hash;
  std::string_view where, first, second;  // `first` is empty for a single word
  std::string text() const;
};

// Visits the words and pairs of words of the subject, the links and the texts, at most kMostFeatures.
void for_each_named_feature(const mime::Message& message, const std::function<void(const NamedFeature&)>& visit);

// Changes whenever the features of the same mail change, or what an entry's weight means: what was learnt before is of
// no use then. 2: weights are those of four families.
inline constexpr uint32_t kFeatureVersion = 2;

}  // namespace doorward::trust
