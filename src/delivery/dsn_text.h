// The part of a notification that is for people, in their language.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "delivery/dsn.h"

namespace doorward::delivery {

struct Wording;  // one language's

const Wording& wording(Language language);
std::string_view sender_name(const Wording& words);              // ASCII, for From
std::string_view title(const Wording& words, DsnAction action);  // ASCII, for Subject

enum class Returned : uint8_t { whole, headers };

// UTF-8, lines end in CRLF.
std::string human_part(const Wording& words, const DsnSubject& subject, const std::vector<DsnRecipient>& recipients,
                       std::string_view host, Returned returned);

}  // namespace doorward::delivery
