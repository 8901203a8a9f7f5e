#include "filter/hashed_object.h"

#include <gtest/gtest.h>

namespace doorward::filter {
namespace {

TEST(HashedObject, AddressesHaveOneForm) {
  EXPECT_EQ(listed_address("Test@Example.COM"), "test@example.com");
  EXPECT_EQ(listed_address("test+news@example.com"), "test@example.com");
  EXPECT_EQ(listed_address("t.e.st+x@googlemail.com"), "test@gmail.com");
  EXPECT_EQ(listed_address("t.est@example.com"), "t.est@example.com");
  EXPECT_EQ(listed_address("+x@example.com"), "+x@example.com");
  for (const char* none : {"", "@", "a@", "@b.example", "nobody"}) EXPECT_EQ(listed_address(none), "") << none;
}

TEST(HashedObject, LinksHaveOneForm) {
  EXPECT_EQ(listed_link("HTTPS://user:pass@EVIL.com:8443/a?b=C#d"), "evil.com/a?b=C");
  EXPECT_EQ(listed_link("http://evil.com/"), "evil.com");
  EXPECT_EQ(listed_link("mailto:a@b.example"), "");
}

// By sha1sum, md5sum, sha256sum, and Python's base64.
TEST(HashedObject, HashesAreLabels) {
  EXPECT_EQ(hash_label(ListHash::sha1, "test@example.com"), "567159d622ffbb50b11b0efd307be358624a26ee");
  EXPECT_EQ(hash_label(ListHash::md5, "test@example.com"), "55502f40dc8b7c769880b10874abc9d0");
  EXPECT_EQ(hash_label(ListHash::sha256, "test@example.com"),
            "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b");
  EXPECT_EQ(hash_label(ListHash::sha256_base32, "evil.com/a?b=C"),
            "5ghnb6lvftv3nlbpggpcaf65clegeo6px6rdgwcgoymigp7t3ufa");
}

}  // namespace
}  // namespace doorward::filter
