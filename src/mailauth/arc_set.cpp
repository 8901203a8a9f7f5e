#include "mailauth/arc_set.h"

#include <algorithm>

#include "mail/ascii.h"
#include "mime/headers.h"

namespace doorward::mailauth {
namespace {

// 1 to 50, in one or two digits (RFC 8617 §4.2.1)
std::optional<unsigned> instance_in(std::string_view value) {
  const auto number = decimal(value);
  if (!number || value.size() > 2 || *number < 1 || *number > kMostArcSets) return std::nullopt;
  return static_cast<unsigned>(*number);
}

// CFWS; false where a comment never ends.
bool skip_comments(std::string_view& text) {
  for (;;) {
    const std::string_view rest = trimmed(text);
    text = text.substr(static_cast<size_t>(rest.data() - text.data()));
    if (!text.starts_with('(')) return true;
    const size_t length = mime::comment_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
}

bool take(std::string_view& text, char wanted) {
  if (!skip_comments(text) || !text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return skip_comments(text);
}

class ChainReader {
 public:
  explicit ChainReader(const SignedMail& mail) : mail_(mail) {}

  ArcChain read() {
    for (size_t i = 0; i < mail_.fields().size(); ++i) {
      const mime::Header& field = mail_.fields()[i];
      if (!mail::starts_ignoring_case(field.name, "ARC-")) continue;
      if (mail::equal_ignoring_case(field.name, "ARC-Seal")) {
        signing(i, SignatureKind::arc_seal, 4);
      } else if (mail::equal_ignoring_case(field.name, "ARC-Message-Signature")) {
        signing(i, SignatureKind::arc_message, 2);
      } else if (mail::equal_ignoring_case(field.name, "ARC-Authentication-Results")) {
        results(i);
      }
    }
    if (!chain_.present) return std::move(chain_);
    if (mail_.cut()) refuse("the mail's header section is too long");
    chain_.sets.resize(chain_.highest);
    for (unsigned i = 0; i < chain_.highest; ++i) {
      if (seen_[i] != 7) refuse("set " + std::to_string(i + 1) + " is not complete");
    }
    return std::move(chain_);
  }

 private:
  void refuse(std::string fault) {
    if (chain_.fault.empty()) chain_.fault = std::move(fault);
  }

  // The set of that instance, or none: no instance, or a second field of the kind.
  ArcSet* set(std::string_view name, std::optional<unsigned> instance, unsigned kind) {
    chain_.present = true;
    chain_.sets.resize(kMostArcSets);
    if (!instance) {
      refuse(std::string(name) + " without a valid i=");
      return nullptr;
    }
    chain_.highest = std::max(chain_.highest, *instance);
    unsigned& seen = seen_[*instance - 1];
    if ((seen & kind) != 0) {
      refuse("two fields " + std::string(name) + " with i=" + std::to_string(*instance));
      return nullptr;
    }
    seen |= kind;
    return &chain_.sets[*instance - 1];
  }

  void signing(size_t index, SignatureKind kind, unsigned bit) {
    const bool seal = kind == SignatureKind::arc_seal;
    Signature signature = read_signature(kind, mail_.fields()[index].value);
    const auto given = signature.tags.value("i");
    ArcSet* into =
        set(seal ? "ARC-Seal" : "ARC-Message-Signature", given ? instance_in(*given) : std::optional<unsigned>(), bit);
    if (into == nullptr) return;
    (seal ? into->seal : into->message) = index;
    (seal ? into->seal_signature : into->message_signature) = std::move(signature);
  }

  void results(size_t index) {
    const auto read = read_arc_results(mail_.fields()[index].value);
    ArcSet* into =
        set("ARC-Authentication-Results", read ? std::optional(read->instance) : std::optional<unsigned>(), 1);
    if (into == nullptr) return;
    into->results = index;
    into->payload = read->payload;
  }

  const SignedMail& mail_;
  ArcChain chain_;
  unsigned seen_[kMostArcSets] = {};
};

}  // namespace

std::optional<ArcResults> read_arc_results(std::string_view value) {
  if (!take(value, 'i') || !take(value, '=')) return std::nullopt;
  const size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
  const auto instance = instance_in(value.substr(0, digits));
  value.remove_prefix(digits);
  if (!instance || !take(value, ';')) return std::nullopt;
  return ArcResults{*instance, trimmed(value)};
}

ArcChain read_chain(const SignedMail& mail) { return ChainReader(mail).read(); }

}  // namespace doorward::mailauth
