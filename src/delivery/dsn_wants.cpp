// Who is to be told (RFC 3461 §4.1, §5.2).
#include "delivery/dsn.h"
#include "mail/ascii.h"
#include "mime/headers.h"
#include "mime/parameters.h"

namespace doorward::delivery {

bool wants(const mail::ReversePath& sender, const mail::Notify& notify, DsnAction event, NotifyDefaults defaults) {
  if (sender.null || notify.never) return false;
  switch (event) {
    case DsnAction::failed:
      return notify.given ? notify.failure : defaults.failure;
    case DsnAction::delayed:
      return notify.given ? notify.delay : defaults.delay;
    // Told only where they were asked for (RFC 3461 §5.2.2 for relayed).
    case DsnAction::relayed:
    case DsnAction::delivered:
    case DsnAction::expanded:
      break;
  }
  return notify.success;
}

bool is_automatic_answer(std::string_view content) {
  mime::Oddities ignored;
  mime::Limits limits;
  const mime::HeaderSection section = mime::scan_headers(content, 0, limits, true, 0, ignored);
  for (const mime::Header& field : section.fields) {
    if (mail::equal_ignoring_case(field.name, "Content-Type")) {
      const mime::ContentField type = mime::read_content_field(mime::unfold(field.value));
      if (type.main == "multipart/report") return true;
    } else if (mail::equal_ignoring_case(field.name, "Auto-Submitted")) {
      const std::string value = mime::unfold(mime::without_comments(field.value));  // which trims
      if (mail::starts_ignoring_case(value, "auto-replied")) return true;
    }
  }
  return false;
}

}  // namespace doorward::delivery
