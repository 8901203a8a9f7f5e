// Fuzzy checksums (D5): the same text, HTML, attachment or image that other domains sent lately.
#pragma once

#include "filter/filter.h"
#include "trust/sightings.h"

namespace doorward::filter {

const Filter& fuzzy_checksums();

// The domain whose sending a mail counts as: that of From where it is proven, else that of the reverse path, else that
// of From all the same; reduced to the part that is one owner's. For judging and for counting alike.
trust::Sender counted_sender(const Facts& facts, const mail::Envelope& envelope, const mime::Message& message);

// Newsletters and lists that are who they say they are. Their texts count all the same: who sends spam from domains of
// his own authenticates it and offers to unsubscribe.
bool is_proven_bulk(const Case& mail);
bool is_answer(const Case& mail);

// Reports of mail servers are alike wherever they come from: they are neither judged nor counted.
bool is_report(const mime::Message& message);

}  // namespace doorward::filter
