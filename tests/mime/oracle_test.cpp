// The same messages read by GMime: same tree, same bytes, same names. Where the two differ, the table below says why.
#include <gmime/gmime.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "base/handle.h"
#include "conformance.h"
#include "mail_text.h"
#include "mime/chars.h"
#include "mime/message.h"

namespace doorward::mime {
namespace {

namespace fs = std::filesystem;

// Files in which we read otherwise, on purpose.
const std::map<std::string, std::string>& exceptions() {
  static const std::map<std::string, std::string> kExceptions = {
#include "oracle_exceptions.inc"
  };
  return kExceptions;
}

struct Leaf {
  std::string type, name, bytes;
};

void walk(GMimeObject* object, std::vector<Leaf>& leaves) {
  GMimeContentType* type = g_mime_object_get_content_type(object);
  Leaf leaf;
  leaf.type =
      lowered(g_mime_content_type_get_media_type(type)) + "/" + lowered(g_mime_content_type_get_media_subtype(type));
  if (GMIME_IS_MULTIPART(object)) {
    leaves.push_back(leaf);
    auto* multipart = reinterpret_cast<GMimeMultipart*>(object);
    for (int i = 0; i < g_mime_multipart_get_count(multipart); ++i)
      walk(g_mime_multipart_get_part(multipart, i), leaves);
  } else if (GMIME_IS_MESSAGE_PART(object)) {
    leaves.push_back(leaf);
    GMimeMessage* inner = g_mime_message_part_get_message(reinterpret_cast<GMimeMessagePart*>(object));
    if (inner != nullptr && inner->mime_part != nullptr) walk(inner->mime_part, leaves);
  } else if (GMIME_IS_PART(object)) {
    auto* part = reinterpret_cast<GMimePart*>(object);
    if (const char* name = g_mime_part_get_filename(part)) leaf.name = name;
    if (GMimeDataWrapper* content = g_mime_part_get_content(part)) {
      GMimeStream* memory = g_mime_stream_mem_new();
      g_mime_data_wrapper_write_to_stream(content, memory);
      const GByteArray* bytes = g_mime_stream_mem_get_byte_array(reinterpret_cast<GMimeStreamMem*>(memory));
      leaf.bytes.assign(reinterpret_cast<const char*>(bytes->data), bytes->len);
      g_object_unref(memory);
    }
    leaves.push_back(leaf);
  }
}

std::vector<Leaf> by_gmime(const std::string& raw) {
  const Handle<GMimeStream, g_object_unref> stream(g_mime_stream_mem_new_with_buffer(raw.data(), raw.size()));
  const Handle<GMimeParser, g_object_unref> parser(g_mime_parser_new_with_stream(stream.get()));
  const Handle<GMimeMessage, g_object_unref> message(g_mime_parser_construct_message(parser.get(), nullptr));
  std::vector<Leaf> leaves;
  if (message != nullptr && message->mime_part != nullptr) walk(message->mime_part, leaves);
  return leaves;
}

std::vector<Leaf> by_us(const std::string& raw) {
  const Message message = Message::parse(raw);
  std::vector<Leaf> leaves;
  for (const Part& part : message.parts()) {
    if (part.alternative_reading) continue;
    leaves.push_back({part.type + "/" + part.subtype, part.is_leaf() ? part.file_name : "",
                      part.is_leaf() ? message.decoded(part) : ""});
  }
  return leaves;
}

// Blanks at line ends and the last line end are nothing that anyone sees: readers differ in whom they belong to.
std::string essence(std::string_view bytes) {
  std::string result;
  for (size_t at = 0; at < bytes.size();) {
    const Line line = line_at(bytes, at);
    std::string_view text = line.text;
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    result.append(text).push_back('\n');
    at = line.next;
  }
  while (!result.empty() && result.back() == '\n') result.pop_back();
  return result;
}

// Empty if all is the same.
std::string difference(const std::vector<Leaf>& ours, const std::vector<Leaf>& theirs) {
  std::string our_types, their_types;
  for (const Leaf& leaf : ours) our_types += leaf.type + " ";
  for (const Leaf& leaf : theirs) their_types += leaf.type + " ";
  if (our_types != their_types) return "tree: " + our_types + "| GMime: " + their_types;
  for (size_t i = 0; i < ours.size(); ++i) {
    if (essence(ours[i].bytes) != essence(theirs[i].bytes))
      return "bytes of part " + std::to_string(i) + ": " + std::to_string(ours[i].bytes.size()) +
             " | GMime: " + std::to_string(theirs[i].bytes.size());
    if (ours[i].name != theirs[i].name)
      return "name of part " + std::to_string(i) + ": " + ours[i].name + " | GMime: " + theirs[i].name;
  }
  return {};
}

TEST(Oracle, GMimeReadsTheSame) {
  g_mime_init();
  const fs::path folder = fs::path(TEST_DATA) / "mime";
  size_t count = 0;
  test::Conformance suite("mime-gmime");
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string extension = entry.path().extension();
    if (!entry.is_regular_file() ||
        (extension != ".eml" && extension != ".msg" && entry.path().filename().string().rfind("msg_", 0) != 0))
      continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string raw((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const std::string name = fs::relative(entry.path(), folder).string();
    const std::string differs = difference(by_us(raw), by_gmime(raw));
    ++count;
    suite.begin();
    if (const auto exception = exceptions().find(name); exception != exceptions().end()) {
      EXPECT_FALSE(differs.empty()) << name << " no longer differs: take its line out of oracle_exceptions.inc";
      suite.except();
    } else {
      EXPECT_EQ(differs, "") << name;
    }
  }
  EXPECT_GT(count, 200U);
}

}  // namespace
}  // namespace doorward::mime
