#include "trust/reference_id.h"

#include <sodium.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <span>
#include <stdexcept>

namespace doorward::trust {
namespace {

constexpr uint8_t kFormat = 1;
constexpr unsigned kText = 1, kStructure = 2, kProgram = 4;
constexpr size_t kSenderOctets = 2, kBandOctets = 6, kFileOctets = 8, kSecretOctets = 32;
static_assert(kFingerprintVersion < 256);
static_assert(kMostFiles < 16);
static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);
static_assert(crypto_generichash_KEYBYTES == kSecretOctets);

using Key = std::array<unsigned char, crypto_shorthash_KEYBYTES>;

// Each purpose has a key of its own, so that a secret may be used for other things as well.
Key derived(std::string_view secret, std::string_view purpose) {
  Key key{};
  crypto_generichash(key.data(), key.size(), reinterpret_cast<const unsigned char*>(purpose.data()), purpose.size(),
                     reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  return key;
}

uint64_t keyed(const Key& key, uint64_t value) {
  std::array<unsigned char, 8> octets{};
  for (size_t at = 0; at < octets.size(); ++at) octets[at] = static_cast<unsigned char>(value >> (56 - 8 * at));
  std::array<unsigned char, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), octets.data(), octets.size(), key.data());
  uint64_t result = 0;
  for (const unsigned char octet : hash) result = result << 8 | octet;
  return result;
}

// The upper octets of a hash, so that both widths are cut from the same end.
void append(std::string& id, uint64_t hash, size_t octets) {
  for (size_t at = 0; at < octets; ++at) id += static_cast<char>(hash >> (56 - 8 * at));
}

// 0 is who is not known.
uint64_t sender_of(const Key& key, Sender sender) {
  if (sender.hash == 0) return 0;
  const uint64_t hash = keyed(key, sender.hash);
  return hash >> 48 == 0 ? ~uint64_t{0} : hash;
}

class Reader {
 public:
  explicit Reader(std::string_view id) : rest_(id) {}
  size_t left() const { return rest_.size(); }
  // Only where so many are left.
  uint64_t number(size_t octets) {
    uint64_t result = 0;
    for (const char each : rest_.substr(0, octets)) result = result << 8 | static_cast<unsigned char>(each);
    rest_.remove_prefix(octets);
    return result;
  }

 private:
  std::string_view rest_;
};

// Tables take the bucket from the upper and the tag from the lower bits, and an id has but 48 of them.
uint64_t spread(uint64_t value) { return XXH3_64bits_withSeed(&value, sizeof value, kFormat); }

// Who repeats a band would have one agreement counted as several.
bool is_repeated(std::span<const uint64_t> hashes) {
  for (size_t at = 1; at < hashes.size(); ++at) {
    if (std::ranges::find(hashes.first(at), hashes[at]) != hashes.begin() + static_cast<ptrdiff_t>(at)) return true;
  }
  return false;
}

// Without those that the same mail has twice.
size_t distinct(std::span<const uint64_t> hashes, size_t most, std::array<uint64_t, kMostFiles>& to) {
  size_t count = 0;
  for (const uint64_t hash : hashes) {
    if (count == most) break;
    const auto end = to.begin() + static_cast<ptrdiff_t>(count);
    if (std::find(to.begin(), end, hash) == end) to[count++] = hash;
  }
  return count;
}

std::unexpected<Error> refused(const char* what) { return fail(what, "reference id", Blame::peer); }

}  // namespace

Result<ReferenceKey> ReferenceKey::of(std::string_view secret, uint8_t number) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be used");
  if (secret.size() != kSecretOctets) return fail("a key of the fingerprint service has 32 octets");
  return ReferenceKey(derived(secret, "doorward reference id: content"),
                      derived(secret, "doorward reference id: sender"), number);
}

Result<ReferenceKey> ReferenceKey::from_text(std::string_view base64url, uint8_t number) {
  std::string secret(kSecretOctets, '\0');
  size_t size = 0;
  const int wrong =
      sodium_base642bin(reinterpret_cast<unsigned char*>(secret.data()), secret.size(), base64url.data(),
                        base64url.size(), nullptr, &size, nullptr, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  if (wrong != 0 || size != kSecretOctets) return fail("has to be a key as `doorward centre key` makes it");
  return of(secret, number);
}

std::string ReferenceKey::id_of(const Fingerprint& print, Origin origin) const {
  if (print.empty()) return {};
  std::array<uint64_t, kMostFiles> attachments{}, images{};
  const size_t attached = distinct(print.of(Likeness::attachment), kMostFiles, attachments);
  const size_t shown = distinct(print.of(Likeness::image), kMostFiles - attached, images);
  std::string id;
  id.reserve(kLongestReference);
  id += static_cast<char>(kFormat);
  id += static_cast<char>(kFingerprintVersion);
  id += static_cast<char>(number_);
  id += static_cast<char>((print.has_text ? kText : 0) | (print.has_structure ? kStructure : 0) |
                          (origin.has_program ? kProgram : 0));
  id += static_cast<char>(attached << 4 | shown);
  append(id, sender_of(sender_, origin.sender), kSenderOctets);
  for (const uint64_t band : print.of(Likeness::text)) append(id, keyed(content_, band), kBandOctets);
  for (const uint64_t band : print.of(Likeness::structure)) append(id, keyed(content_, band), kBandOctets);
  for (size_t at = 0; at < attached; ++at) append(id, keyed(content_, attachments[at]), kFileOctets);
  for (size_t at = 0; at < shown; ++at) append(id, keyed(content_, images[at]), kFileOctets);
  return id;
}

Result<Reference> parse_reference(std::string_view id) {
  if (id.size() < kReferenceHead) return refused("too short");
  if (id.size() > kLongestReference) return refused("too long");
  Reader reader(id);
  if (reader.number(1) != kFormat) return refused("of an unknown format");
  if (reader.number(1) != kFingerprintVersion) return refused("of another version of the fingerprint");
  Reference reference;
  reference.key = static_cast<uint8_t>(reader.number(1));
  const uint64_t bands = reader.number(1), files = reader.number(1);
  if ((bands & ~uint64_t{kText | kStructure | kProgram}) != 0) return refused("with unknown parts");
  Fingerprint& print = reference.print;
  print.has_text = (bands & kText) != 0;
  print.has_structure = (bands & kStructure) != 0;
  const size_t attachments = files >> 4, images = files & 15;
  if (attachments + images > kMostFiles) return refused("with too many files");
  print.attachments = attachments;
  print.images = images;
  if (print.empty()) return refused("without any part");
  const uint64_t sender = reader.number(kSenderOctets);
  reference.origin = {{sender == 0 ? 0 : spread(sender) | 1}, (bands & kProgram) != 0};
  const size_t rest = print.of(Likeness::text).size() * kBandOctets +
                      print.of(Likeness::structure).size() * kBandOctets + (attachments + images) * kFileOctets;
  if (reader.left() != rest) return refused("of another length than its head says");
  const auto take = [&](std::span<uint64_t> to, size_t octets) {
    for (uint64_t& hash : to) hash = spread(reader.number(octets));
    return !is_repeated(to);
  };
  if (!take(std::span(print.text_bands).first(print.has_text ? kTextBands : 0), kBandOctets) ||
      !take(std::span(print.structure_bands).first(print.has_structure ? kStructureBands : 0), kBandOctets) ||
      !take(std::span(print.attachment_digests).first(attachments), kFileOctets) ||
      !take(std::span(print.image_digests).first(images), kFileOctets)) {
    return refused("with a part twice");
  }
  return reference;
}

}  // namespace doorward::trust
