#include "mailauth/signature_mail.h"

#include <algorithm>

#include "mail/ascii.h"
#include "mime/headers.h"
#include "mime/oddities.h"

namespace doorward::mailauth {
namespace {

constexpr size_t kMostBodyHashes = 8;

uint32_t name_hash(std::string_view name) {  // FNV-1a
  uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(mail::to_lower(c))) * 16777619U;
  return hash;
}

bool header_cut(std::span<const mime::Oddity> oddities) {
  return std::ranges::any_of(oddities, [](const mime::Oddity& oddity) {
    return oddity.part == 0 && (oddity.name == "header_fields_limit" || oddity.name == "header_bytes_limit");
  });
}

}  // namespace

SignedMail::SignedMail(const mime::Message& message)
    : raw_(message.raw()),
      fields_(message.headers().fields()),
      body_(message.parts().front().body),
      cut_(header_cut(message.oddities())) {
  index();
}

SignedMail::SignedMail(std::string_view raw) : raw_(raw) {
  mime::Oddities oddities;
  mime::HeaderSection section = mime::scan_headers(raw, 0, {}, true, 0, oddities);
  scanned_ = std::move(section.fields);
  fields_ = scanned_;
  body_ = raw.substr(section.body);
  cut_ = header_cut(oddities.all());
  index();
}

void SignedMail::index() {
  name_hashes_.reserve(fields_.size());
  for (const mime::Header& field : fields_) name_hashes_.push_back(name_hash(field.name));
}

size_t SignedMail::value_at(const mime::Header& field) const {
  return static_cast<size_t>(field.value.data() - raw_.data()) - field.offset;
}

void SignedMail::append_signed(std::string& out, Canonical canonical, std::span<const std::string_view> names,
                               size_t own) const {
  std::vector<bool> taken(fields_.size());
  if (own < taken.size()) taken[own] = true;
  for (const std::string_view name : names) {
    const uint32_t hash = name_hash(name);
    for (size_t i = fields_.size(); i-- > 0;) {
      if (name_hashes_[i] != hash || taken[i] || !mail::equal_ignoring_case(fields_[i].name, name)) continue;
      taken[i] = true;
      append_field(out, canonical, raw(fields_[i]));
      break;
    }
  }
}

const BodyHash* SignedMail::body_hash(Canonical canonical, std::optional<uint64_t> limit) {
  const auto known = body_hashes_.find({canonical, limit});
  if (known != body_hashes_.end()) return &known->second;
  // Those of the whole body are two at most: no number of signatures with l= takes them away from the others.
  if (limit && body_hashes_.size() >= kMostBodyHashes) return nullptr;
  return &body_hashes_.emplace(std::tuple(canonical, limit), hash_body(body_, canonical, limit)).first->second;
}

}  // namespace doorward::mailauth
