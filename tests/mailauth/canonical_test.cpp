#include "mailauth/canonical.h"

#include <gtest/gtest.h>

#include "mailauth/tag_list.h"

namespace doorward::mailauth {
namespace {

std::string field(Canonical canonical, std::string_view text) {
  std::string out;
  append_field(out, canonical, text);
  return out;
}

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.add(text);
  return hash.finish();
}

void expect_body(Canonical canonical, std::string_view body, std::string_view wanted) {
  const BodyHash hash = hash_body(body, canonical, std::nullopt);
  EXPECT_EQ(hash.length, wanted.size()) << body;
  EXPECT_EQ(hash.hash, sha256(wanted)) << body;
}

// The example of RFC 6376 §3.4.5.
TEST(Canonical, ExampleOfTheRfc) {
  EXPECT_EQ(field(Canonical::relaxed, "A: X\r\n"), "a:X\r\n");
  EXPECT_EQ(field(Canonical::relaxed, "B : Y\t\r\n\tZ  \r\n"), "b:Y Z\r\n");
  EXPECT_EQ(field(Canonical::simple, "B : Y\t\r\n\tZ  \r\n"), "B : Y\t\r\n\tZ  \r\n");
  expect_body(Canonical::relaxed, " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n");
  expect_body(Canonical::simple, " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n");
}

TEST(Canonical, EmptyBodies) {
  expect_body(Canonical::simple, "", "\r\n");
  expect_body(Canonical::simple, "\r\n\r\n", "\r\n");
  expect_body(Canonical::relaxed, "", "");
  expect_body(Canonical::relaxed, "\r\n \t\r\n", "");
  // The published hashes of the empty body (RFC 6376 §3.4.3, §3.4.4).
  EXPECT_EQ(base64_text(hash_body("", Canonical::simple, std::nullopt).hash),
            "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
  EXPECT_EQ(base64_text(hash_body("", Canonical::relaxed, std::nullopt).hash),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST(Canonical, LineEnds) {
  for (const Canonical canonical : {Canonical::simple, Canonical::relaxed}) {
    expect_body(canonical, "a", "a\r\n");
    expect_body(canonical, "a\nb\n\nc\n\n", "a\r\nb\r\n\r\nc\r\n");
    expect_body(canonical, "\n\na", "\r\n\r\na\r\n");
    expect_body(canonical, "a\rb\r\n", "a\rb\r\n");
    expect_body(canonical, "a\r\r\n", "a\r\r\n");
  }
  expect_body(Canonical::relaxed, "a \n\t\nb \rc\n", "a\r\n\r\nb \rc\r\n");
  EXPECT_EQ(field(Canonical::simple, "A: b\n c\n"), "A: b\r\n c\r\n");
  EXPECT_EQ(field(Canonical::relaxed, "A: b\n c"), "a:b c\r\n");
  EXPECT_EQ(field(Canonical::relaxed, "Empty:  \r\n"), "empty:\r\n");
}

// The fast way over long stretches finds every change, wherever in a stretch it stands.
TEST(Canonical, EveryPlaceInAStretch) {
  for (const std::string change : {"\t", "  ", " \r\n", "\n", " \t\r\n", "\r\n", "\t\t", " \n"}) {
    for (size_t before = 0; before < 40; ++before) {
      for (const size_t after : {1U, 15U, 16U, 17U, 40U}) {
        const std::string body = std::string(before, 'x') + change + std::string(after, 'y');
        const bool line = change.find('\n') != std::string::npos;
        const std::string wanted = std::string(before, 'x') + (line ? "\r\n" : " ") + std::string(after, 'y') + "\r\n";
        expect_body(Canonical::relaxed, body, wanted);
      }
    }
  }
}

TEST(Canonical, LengthLimit) {
  const std::string_view body = "one  two\r\nthree\r\n\r\n";
  const BodyHash all = hash_body(body, Canonical::relaxed, std::nullopt);
  EXPECT_EQ(all.length, 16U);
  const BodyHash some = hash_body(body, Canonical::relaxed, 5);
  EXPECT_EQ(some.hash, sha256("one t"));
  EXPECT_EQ(some.length, 16U);
  EXPECT_EQ(hash_body(body, Canonical::relaxed, 0).hash, sha256(""));
  EXPECT_EQ(hash_body(body, Canonical::relaxed, 1000).hash, all.hash);
}

}  // namespace
}  // namespace doorward::mailauth
