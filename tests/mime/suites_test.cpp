// What the suites of other parsers expect, as far as it is a matter of fact; and that all of their messages are read
// within bounds.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/src.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "conformance.h"
#include "mail_text.h"
#include "mime/chars.h"
#include "mime/charset.h"
#include "mime/encoded_word.h"
#include "mime/headers.h"
#include "mime/parameters.h"

namespace doorward::mime {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {(std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()};
}

std::string squeezed(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (!is_space(c)) result.push_back(c);
  }
  return result;
}

// The value of the first field, as a header section holds it.
std::string first_value(const std::string& text) {
  Oddities oddities;
  const std::string raw = "X:" + text + "\n";
  const HeaderSection section = scan_headers(raw, 0, {}, false, 0, oddities);
  return section.fields.empty() ? std::string() : std::string(section.fields.front().value);
}

// By number, with what we do instead.
const std::map<size_t, std::string>& content_type_exceptions() {
  static const std::map<size_t, std::string> kExceptions = {
#include "content_type_exceptions.inc"
  };
  return kExceptions;
}

TEST(Suites, ContentTypesOfStalwart) {
  const auto cases =
      json::parse(read_file(fs::path(TEST_DATA) / "mime/stalwart-mail-parser/content_type.json")).as_array();
  test::Conformance suite("mime-content-type");
  for (size_t i = 0; i < cases.size(); ++i) {
    suite.begin();
    if (content_type_exceptions().contains(i)) {
      suite.except();
      continue;
    }
    const std::string given(cases[i].at("header").as_string());
    const ContentField field = read_content_field(first_value(given));
    const json::value& expected = cases[i].at("expected");
    if (!expected.is_object()) continue;
    std::string type(expected.at("c_type").as_string());
    const json::value* subtype = expected.as_object().if_contains("c_subtype");
    if (subtype != nullptr && subtype->is_string()) type += "/" + std::string(subtype->as_string());
    EXPECT_EQ(field.main, type) << i << ": " << given;
    const json::value* attributes = expected.as_object().if_contains("attributes");
    if (attributes == nullptr || !attributes->is_array()) continue;
    for (const json::value& attribute : attributes->as_array()) {
      const std::string name = attribute.is_array() ? std::string(attribute.at(0).as_string())
                                                    : std::string(attribute.at("name").as_string());
      const std::string value = attribute.is_array() ? std::string(attribute.at(1).as_string())
                                                     : std::string(attribute.at("value").as_string());
      if (name.ends_with("-language")) continue;  // we have no use for languages
      const Parameter* parameter = field.find(name);
      EXPECT_EQ(parameter == nullptr ? "(none)" : decode_words(parameter->value), value) << i << ": " << given;
    }
  }
  EXPECT_GT(cases.size(), 100U);
}

TEST(Suites, UnstructuredFieldsOfStalwart) {
  const auto cases =
      json::parse(read_file(fs::path(TEST_DATA) / "mime/stalwart-mail-parser/unstructured.json")).as_array();
  test::Conformance suite("mime-unstructured");
  for (const json::value& one : cases) {
    suite.begin();
    const std::string given(one.at("header").as_string());
    // White space between a word and plain text is shown in different ways; the letters must be the same.
    const json::value& expected = one.at("expected");
    EXPECT_EQ(squeezed(decode_words(first_value(given))), expected.is_string() ? squeezed(expected.as_string()) : "")
        << given;
  }
  EXPECT_GE(cases.size(), 30U);
}

void read_all(const fs::path& folder, const std::string& name, size_t& count) {
  test::Conformance suite(name);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    suite.begin();
    const std::string raw = read_file(entry.path());
    const Message message = Message::parse(raw);
    ++count;
    ASSERT_FALSE(message.parts().empty());
    EXPECT_LE(message.parts().size(), Limits{}.parts);
    for (const Text& text : message.texts()) EXPECT_TRUE(valid_utf8(text.visible)) << entry.path();
    for (const Part& part : message.parts()) {
      EXPECT_TRUE(valid_utf8(part.file_name)) << entry.path();
      if (part.is_leaf()) (void)message.decoded(part);
    }
    EXPECT_TRUE(valid_utf8(message.subject())) << entry.path();
  }
}

TEST(Suites, EveryMessageIsRead) {
  size_t count = 0;
  read_all(fs::path(TEST_DATA) / "mime", "mime-messages", count);
  EXPECT_GT(count, 200U);
}

// What may not be shipped is read where it lies.
TEST(Suites, EveryMessageOfTheMaterialIsRead) {
  const char* given = std::getenv("DOORWARD_MATERIAL");
  const fs::path material = given != nullptr ? fs::path(given) : fs::path(TEST_DATA) / "../../../shared/material";
  const fs::path pack = material / "mime/mime-shared.tar.zst";
  if (!fs::exists(pack)) {
    std::fprintf(stderr, "SKIPPED: no %s; set DOORWARD_MATERIAL to the folder of the test material\n", pack.c_str());
    GTEST_SKIP();
  }
  const fs::path scratch = fs::temp_directory_path() / ("doorward-mime-" + std::to_string(::getpid()));
  fs::create_directories(scratch);
  const std::string unpack = "zstd -dcq --long=27 '" + pack.string() + "' | tar x -C '" + scratch.string() + "'";
  ASSERT_EQ(std::system(unpack.c_str()), 0);
  size_t count = 0;
  read_all(scratch, "mime-messages-material", count);
  fs::remove_all(scratch);
  EXPECT_GT(count, 1000U);
}

}  // namespace
}  // namespace doorward::mime
