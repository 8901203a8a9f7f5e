// Header fields that the gateway alone may write, removed where strangers have written them.
#pragma once

#include <string>
#include <string_view>

#include "mime/edit.h"
#include "mime/message.h"

namespace doorward::action {

struct OwnFields {
  bool spam = false;             // X-Spam-* too; X-Doorward-* always
  std::string_view authserv_id;  // of Authentication-Results (RFC 8601 §5); empty: such fields stay
};

// Whatever their number: the whole header section is looked at, up to its empty line, beyond the parser's limits too.
void remove_foreign_fields(const mime::Message& message, const OwnFields& own, mime::Edits& edits);

// The name of the server that an Authentication-Results field claims to be of (RFC 8601 §2.2), quotes undone; empty if
// it has none.
std::string authserv_id(std::string_view value);

}  // namespace doorward::action
