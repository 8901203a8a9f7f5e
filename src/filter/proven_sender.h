// Who may be told what became of a mail: only a sender that is proven, since to any other a notice is backscatter
// (DESIGN §2, Always).
#pragma once

#include <span>

#include "filter/entries.h"
#include "filter/facts.h"
#include "mail/envelope.h"

namespace doorward::filter {

// Whether SPF or a signature proves the domain of the reverse path, or one of the tenant's passes is for its address or
// domain and names the network that the client is in: the tenant has recorded that this sender's mail comes from there.
// Never for a null path.
bool is_sender_proven(const Facts& facts, std::span<const Entries* const> entries, const mail::Client& client,
                      const mail::ReversePath& sender);

}  // namespace doorward::filter
