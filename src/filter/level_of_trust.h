// Level of Trust (D1): what past correspondence of a recipient's customer says about the sender, where the sender is
// who he says he is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filter/filter.h"
#include "trust/correspondence.h"

namespace doorward::filter {

const Filter& level_of_trust();

// Somebody as trust knows him: the domain is the registrable one, and empty where it is everybody's (freemail) or sends
// for others (mailing services).
trust::Correspondent correspondent(std::string_view address);

// Who wrote the mail, as the reader sees it: the one address of the one From field. None: there is no such.
std::optional<trust::Correspondent> author_of(const mime::Message& message);

// Whether the author could not prove himself at all: his domain, which is that of the envelope too, has neither SPF nor
// DMARC, and the mail is not signed.
bool cannot_prove_himself(const Facts& facts, std::string_view domain);

// Newsletters, lists, answering machines and notifications (RFC 3834 §2): they say nothing about who knows whom.
bool is_automatic(const mail::Envelope& envelope, const mime::Message& message);
bool is_bulk(const mime::Message& message);

// The Message-IDs of In-Reply-To, and the last of References.
std::vector<std::string> answered_ids(const mime::Message& message);

}  // namespace doorward::filter
