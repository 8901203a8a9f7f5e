#include "trust/reference_id.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "trust/varied_mail.h"

namespace doorward::trust {
namespace {

ReferenceKey key_of(const std::string& secret = std::string(32, 'c')) { return *ReferenceKey::of(secret, 7); }

Fingerprint full_print() {
  Fingerprint print = fingerprint_of_text(text_of(1));
  print.has_structure = true;
  for (size_t at = 0; at < kStructureBands; ++at) print.structure_bands[at] = 0x1111'0000'0000'0000u * (at + 1);
  for (size_t at = 0; at < kMostFiles; ++at) {
    print.attachment_digests[at] = 1000 + at;
    print.image_digests[at] = 2000 + at;
  }
  print.attachments = 6;
  print.images = 8;
  return print;
}

Origin origin_of(std::string_view domain) { return {Sender::of_domain(domain)}; }
Origin origin() { return origin_of("shop.example"); }

std::string refusal_of(const std::string& id) {
  const auto parsed = parse_reference(id);
  if (parsed) return "";
  EXPECT_EQ(parsed.error().blame, Blame::peer);
  return parsed.error().what;
}

TEST(ReferenceId, near_duplicates_are_known_again_at_the_centre) {
  const auto first = parse_reference(key_of().id_of(fingerprint_of_text(text_of(1)), origin()));
  const auto near =
      parse_reference(key_of().id_of(fingerprint_of_text("Dear Anna\r\n" + text_of(1)), origin_of("other.example")));
  const auto another = parse_reference(key_of().id_of(fingerprint_of_text(text_of(2)), origin()));
  ASSERT_TRUE(first && near && another);
  EXPECT_GE(shared(first->print, near->print, Likeness::text), 2u);
  EXPECT_EQ(shared(first->print, another->print, Likeness::text), 0u);

  const auto sightings = std::move(*Sightings::open({.entries = 10'000}));
  const SystemTime now{std::chrono::hours(24 * 20000)};
  sightings->count(first->print, first->origin.sender, now);
  EXPECT_NEAR(sightings->look_up(near->print, near->origin.sender, now)[0].others, 1, 0.1);
  EXPECT_EQ(sightings->look_up(another->print, near->origin.sender, now)[0].others, 0);
  EXPECT_EQ(sightings->look_up(first->print, first->origin.sender, now)[0].others, 0) << "its own sender";
}

TEST(ReferenceId, is_of_at_most_155_octets_and_keeps_what_it_holds) {
  const std::string id = key_of().id_of(full_print(), origin());
  EXPECT_EQ(id.size(), kLongestReference);
  EXPECT_EQ(id.size(), 155u);
  const auto parsed = parse_reference(id);
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->key, 7);
  EXPECT_TRUE(parsed->print.has_text);
  EXPECT_TRUE(parsed->print.has_structure);
  EXPECT_EQ(parsed->print.attachments, 6u);
  EXPECT_EQ(parsed->print.images, 2u) << "eight files in all";
  EXPECT_NE(parsed->origin.sender.hash, 0u);
}

TEST(ReferenceId, without_the_key_a_guessed_text_cannot_be_confirmed) {
  const auto print = full_print();
  const std::string id = key_of().id_of(print, origin());
  const std::string other = key_of(std::string(32, 'd')).id_of(print, origin());
  ASSERT_EQ(id.size(), other.size());
  for (size_t at = kReferenceHead; at < id.size(); at += 6) EXPECT_NE(id.substr(at, 6), other.substr(at, 6)) << at;
  // Nothing of the unkeyed hashes is in it.
  for (const uint64_t band : print.text_bands) {
    std::string octets;
    for (int shift = 56; shift >= 16; shift -= 8) octets += static_cast<char>(band >> shift);
    EXPECT_EQ(id.find(octets), std::string::npos);
    std::ranges::reverse(octets);
    EXPECT_EQ(id.find(octets), std::string::npos);
  }
}

TEST(ReferenceId, of_senders_sixteen_bits_are_told) {
  const auto print = fingerprint_of_text(text_of(1));
  const auto sender_part = [&](Origin origin) { return key_of().id_of(print, origin).substr(5, 2); };
  EXPECT_EQ(sender_part(origin()), sender_part(origin()));
  EXPECT_NE(sender_part(origin()), sender_part(origin_of("other.example")));
  EXPECT_EQ(sender_part({}), std::string(2, '\0'));
  EXPECT_EQ(parse_reference(key_of().id_of(print, {}))->origin.sender.hash, 0u);
  EXPECT_NE(key_of(std::string(32, 'd')).id_of(print, origin()).substr(5, 2), sender_part(origin()));
}

TEST(ReferenceId, programs_are_told) {
  const auto print = fingerprint_of_text(text_of(1));
  EXPECT_TRUE(parse_reference(key_of().id_of(print, {{}, true}))->origin.has_program);
  EXPECT_FALSE(parse_reference(key_of().id_of(print, origin()))->origin.has_program);
}

TEST(ReferenceId, a_mail_without_anything_to_know_it_by_has_none) {
  EXPECT_EQ(key_of().id_of(fingerprint_of_text("Thank you.\r\n"), origin()), "");
}

TEST(ReferenceId, the_same_file_twice_is_one) {
  Fingerprint print{};
  print.attachments = 3;
  print.attachment_digests = {5, 5, 6};
  const auto parsed = parse_reference(key_of().id_of(print, origin()));
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(parsed->print.attachments, 2u);
}

TEST(ReferenceId, keys_of_another_length_are_refused) {
  EXPECT_FALSE(ReferenceKey::of("short", 1));
  EXPECT_FALSE(ReferenceKey::of("", 1));
}

TEST(ReferenceId, keys_are_read_as_people_copy_them) {
  const auto print = fingerprint_of_text(text_of(1));
  const auto key = ReferenceKey::from_text("Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M", 7);
  ASSERT_TRUE(key) << key.error().text();
  EXPECT_EQ(key->id_of(print, origin()), key_of().id_of(print, origin()));
  for (const auto* wrong :
       {"", "Y2Nj", "Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2MM", "no key of any kind at all, nor anything"}) {
    EXPECT_FALSE(ReferenceKey::from_text(wrong, 7)) << wrong;
  }
}

TEST(ReferenceId, what_is_not_canonical_is_refused) {
  const std::string id = key_of().id_of(full_print(), origin());
  const auto with = [&](size_t at, char octet) {
    std::string changed = id;
    changed[at] = octet;
    return changed;
  };
  EXPECT_EQ(refusal_of(""), "too short");
  EXPECT_EQ(refusal_of(id.substr(0, 6)), "too short");
  for (size_t size = kReferenceHead; size < id.size(); ++size) EXPECT_NE(refusal_of(id.substr(0, size)), "") << size;
  EXPECT_EQ(refusal_of(id + "x"), "too long");
  EXPECT_EQ(refusal_of(with(0, 2)), "of an unknown format");
  EXPECT_EQ(refusal_of(with(1, 99)), "of another version of the fingerprint");
  EXPECT_EQ(refusal_of(with(3, 8)), "with unknown parts");
  EXPECT_EQ(refusal_of(with(3, 1)), "of another length than its head says");
  EXPECT_EQ(refusal_of(with(4, '\x63')), "with too many files");
  EXPECT_EQ(refusal_of(std::string("\1\1\7\0\0ab", 7)), "without any part");
}

TEST(ReferenceId, a_part_twice_is_refused) {
  const std::string id = key_of().id_of(full_print(), origin());
  const size_t structure = kReferenceHead + kTextBands * 6, files = structure + kStructureBands * 6;
  const auto doubled = [&](size_t at, size_t octets) {
    return std::string(id).replace(at + octets, octets, id.substr(at, octets));
  };
  EXPECT_EQ(refusal_of(doubled(kReferenceHead, 6)), "with a part twice");
  EXPECT_EQ(refusal_of(doubled(structure, 6)), "with a part twice");
  EXPECT_EQ(refusal_of(doubled(files, 8)), "with a part twice");
  EXPECT_EQ(refusal_of(doubled(files + 48, 8)), "with a part twice");
}

}  // namespace
}  // namespace doorward::trust
