#include "gateway/sealing.h"

#include <utility>

#include "base/log.h"
#include "config/toml.h"
#include "mailauth/arc_seal.h"
#include "net/dns_answer.h"

namespace doorward::gateway {

Result<std::shared_ptr<const Sealer>> Sealer::load(const SealingOptions& options) {
  if (options.key_file.empty()) return std::shared_ptr<const Sealer>();
  SealingOptions named = options;
  named.domain = net::dns_name(options.domain);
  if (named.domain.empty() || named.selector.empty()) {
    return fail("arc.key needs arc.domain and arc.selector too: they say where its record stands", options.key_file);
  }
  const auto text = config::read_file(options.key_file);
  if (!text) return std::unexpected(text.error());
  auto key = mailauth::SigningKey::read(*text);
  if (!key) return fail(key.error().text(), options.key_file);
  return std::shared_ptr<const Sealer>(new Sealer(std::move(named), std::move(*key)));
}

void Sealer::seal(std::string_view raw, const mailauth::ArcOutcome& seen, std::string results, SystemTime now,
                  mime::Edits& edits) const {
  std::string changed;
  changed.reserve(edits.size_after(raw.size()));
  for (const std::string_view piece : edits.apply(raw)) changed += piece;
  mailauth::SignedMail mail{std::string_view(changed)};
  auto set = mailauth::seal_arc(
      mail, seen, key_,
      {.domain = options_.domain, .selector = options_.selector, .results = std::move(results), .now = now});
  if (set) {
    edits.prepend(std::move(*set));
  } else {
    log::debug("mail.not_sealed", {{"reason", set.error().text()}});
  }
}

}  // namespace doorward::gateway
