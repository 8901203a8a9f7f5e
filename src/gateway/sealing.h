// Mail that we changed is sealed (RFC 8617 §5.1), so that the next server can know what it was before.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "mailauth/arc.h"
#include "mailauth/signature_signer.h"
#include "mime/edit.h"

namespace doorward::gateway {

struct SealingOptions {
  std::string domain, selector;  // of the key's record, SELECTOR._domainkey.DOMAIN
  std::string key_file;          // PEM; empty: nothing is sealed
};

class Sealer {
 public:
  // None where no key is configured. Fails where it cannot be read, or belongs to no domain.
  static Result<std::shared_ptr<const Sealer>> load(const SealingOptions& options);

  // Puts a set on top of the mail as it will be sent: `raw` with `edits`. `seen`: what verify_arc() said of `raw`;
  // `results`: the text of Authentication-Results, our id first. Nothing where no set may be added any more.
  void seal(std::string_view raw, const mailauth::ArcOutcome& seen, std::string results, SystemTime now,
            mime::Edits& edits) const;

 private:
  Sealer(SealingOptions options, mailauth::SigningKey key) : options_(std::move(options)), key_(std::move(key)) {}
  SealingOptions options_;
  mailauth::SigningKey key_;
};

}  // namespace doorward::gateway
