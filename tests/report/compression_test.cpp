#include "report/compression.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace doorward::report {
namespace {

std::string zipped(const std::vector<std::pair<std::string, std::string>>& files, bool encrypted = false) {
  const auto path = std::filesystem::temp_directory_path() / ("zip." + std::to_string(::getpid()));
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  for (const auto& [name, text] : files) {
    const auto at = zip_file_add(archive, name.c_str(), zip_source_buffer(archive, text.data(), text.size(), 0), 0);
    if (encrypted) zip_file_set_encryption(archive, static_cast<zip_uint64_t>(at), ZIP_EM_AES_128, "secret");
  }
  EXPECT_EQ(zip_close(archive), 0);
  std::ifstream in(path, std::ios::binary);
  std::string made{std::istreambuf_iterator<char>(in), {}};
  std::filesystem::remove(path);
  return made;
}

TEST(Compression, WhatIsPackedComesBack) {
  const std::string text(100'000, 'x');
  const std::string packed = gzip(text);
  EXPECT_TRUE(is_gzip(packed));
  EXPECT_LT(packed.size(), 1000);
  EXPECT_EQ(*gunzip(packed, 100'000), text);
  EXPECT_EQ(*gunzip(gzip(""), 0), "");
}

TEST(Compression, SeveralMembersAreOneText) { EXPECT_EQ(*gunzip(gzip("one") + gzip("two"), 100), "onetwo"); }
TEST(Compression, JunkBehindTheEndIsPassedOver) { EXPECT_EQ(*gunzip(gzip("one") + "junk", 100), "one"); }

TEST(Compression, AnOverfullFileIsRefused) {
  const auto refused = gunzip(gzip(std::string(100'001, 'x')), 100'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "more than 100000 octets when unpacked");
  EXPECT_FALSE(gunzip(gzip("12345") + gzip("67890"), 9));  // nor in pieces
}

TEST(Compression, DamageIsAnError) {
  std::string packed = gzip("some text that is long enough");
  for (size_t cut = 0; cut < packed.size(); ++cut) EXPECT_FALSE(gunzip(packed.substr(0, cut), 100)) << cut;
  packed[packed.size() - 6] ^= 1;  // its checksum
  EXPECT_FALSE(gunzip(packed, 100));
  EXPECT_FALSE(unzip("PK\x03\x04 nothing else", 100));
}

TEST(Compression, FilesOfAZipAreRead) {
  const auto files = unzip(zipped({{"a.xml", "one"}, {"b.xml", "two"}, {"folder/", ""}}), 100);
  ASSERT_TRUE(files);
  EXPECT_EQ(*files, (std::vector<std::string>{"one", "two"}));
}

TEST(Compression, AZipIsBoundedInAll) {
  const std::string five(5, 'x'), many(1'000'000, 'x');
  EXPECT_TRUE(unzip(zipped({{"a", five}, {"b", five}}), 10));
  EXPECT_FALSE(unzip(zipped({{"a", five}, {"b", five}}), 9));
  EXPECT_FALSE(unzip(zipped({{"a", many}}), 999'999));
  std::vector<std::pair<std::string, std::string>> lots;
  for (int i = 0; i < 50; ++i) lots.emplace_back(std::to_string(i), "x");
  EXPECT_EQ(unzip(zipped(lots), 100)->size(), kMostZipEntries);
}

TEST(Compression, EncryptedFilesArePassedOver) {
  const auto files = unzip(zipped({{"a.xml", "one"}}, true), 100);
  ASSERT_TRUE(files);
  EXPECT_TRUE(files->empty());
}

}  // namespace
}  // namespace doorward::report
