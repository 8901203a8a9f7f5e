#include "mime/content_reading.h"

#include "mime/chars.h"
#include "mime/encoded_word.h"
#include "mime/headers.h"
#include "mime/parameters.h"
#include "mime/transfer.h"

namespace doorward::mime {

namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMaxReadings = 4;
constexpr size_t kMaxBoundaries = 4;

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return !is_control(c) && c != ' ' && std::string_view("()<>@,;:\\\"/[]?=").find(c) == kNone && !is_8bit(c);
  });
}

void add_boundary(std::vector<std::string>& list, std::string_view boundary) {
  if (list.size() < kMaxBoundaries && std::ranges::find(list, boundary) == list.end()) list.emplace_back(boundary);
}

// RFC 2045 §5.2: what is missing or malformed is text/plain.
void read_type(const ContentField& field, ContentReading& reading, size_t part, Oddities& oddities) {
  const std::string& main = field.main;
  const size_t slash = main.find('/');
  const std::string_view type = std::string_view(main).substr(0, slash);
  const std::string_view subtype = slash == kNone ? std::string_view() : std::string_view(main).substr(slash + 1);
  if (is_token(type) && is_token(subtype)) {
    reading.type = type;
    reading.subtype = subtype;
    return;
  }
  oddities.add("malformed_content_type", part, main);
  if (type == "multipart") {
    reading.type = "multipart";
    reading.subtype = "mixed";
  } else if (type == "text" || type == "message" || type == "image" || type == "application") {
    if (type == "image" || type == "application") {
      reading.type = "application";
      reading.subtype = "octet-stream";
    }
  } else if (type == "html") {
    reading.subtype = "html";
  }
}

ContentReading read_one(std::string_view value, size_t part, Oddities& oddities) {
  const ContentField field = read_content_field(value);
  ContentReading reading;
  read_type(field, reading, part, oddities);
  if (field.malformed) oddities.add("malformed_content_parameters", part);
  for (const Parameter& parameter : field.parameters) {
    if (parameter.name == "charset" && reading.charset.empty()) {
      reading.charset = lowered(parameter.value.substr(0, parameter.value.find_first_of(" (\t")));
      std::erase_if(reading.charset, [](char c) { return c == '\'' || c == '"'; });
    } else if (parameter.name == "boundary" && reading.type == "multipart") {
      if (!reading.boundaries.empty()) oddities.add("duplicate_boundary", part, parameter.value);
      std::string_view boundary = parameter.value;
      while (!boundary.empty() && is_space(boundary.back())) boundary.remove_suffix(1);
      const size_t blank = boundary.find_first_of(" \t(");
      add_boundary(reading.boundaries, boundary);
      // Unquoted with a comment or a blank in it: some readers stop there.
      if (blank != kNone && blank != 0) add_boundary(reading.boundaries, boundary.substr(0, blank));
      if (boundary.empty()) oddities.add("empty_boundary", part);
      if (boundary.size() > 70) oddities.add("long_boundary", part);
    }
  }
  if (reading.type == "multipart" && reading.boundaries.empty()) oddities.add("missing_boundary", part);
  return reading;
}

bool same(const ContentReading& a, const ContentReading& b) {
  return a.type == b.type && a.subtype == b.subtype && a.boundaries == b.boundaries && a.encoding == b.encoding &&
         (a.type != "text" || a.charset == b.charset);
}

void add_reading(std::vector<ContentReading>& readings, ContentReading reading) {
  if (readings.size() >= kMaxReadings) return;
  if (std::ranges::none_of(readings, [&](const auto& known) { return same(known, reading); }))
    readings.push_back(std::move(reading));
}

}  // namespace

std::vector<ContentReading> read_content(const Headers& headers, bool in_digest, size_t part, Oddities& oddities) {
  std::vector<ContentReading> readings;
  std::vector<Encoding> encodings;
  size_t types = 0, transfers = 0;
  for (const Header& field : headers.fields()) {
    if (field.name.size() != 12 && field.name.size() != 25) continue;
    if (iequals(field.name, "content-type")) {
      if (++types > 1) oddities.add("duplicate_content_type", part);
      add_reading(readings, read_one(field.value, part, oddities));
    } else if (iequals(field.name, "content-transfer-encoding")) {
      if (++transfers > 1) oddities.add("duplicate_transfer_encoding", part);
      const std::string value = unfold(field.value);
      if (encoding_of(value) == Encoding::unknown) oddities.add("unknown_encoding", part, field.value);
      add_encodings(value, encodings);
    }
  }
  if (readings.empty()) {
    ContentReading reading;
    if (in_digest) {  // RFC 2046 §5.1.5
      reading.type = "message";
      reading.subtype = "rfc822";
    }
    readings.push_back(std::move(reading));
  }
  if (encodings.empty()) return readings;
  const size_t count = readings.size();
  for (ContentReading& reading : readings) reading.encoding = encodings.front();
  for (size_t e = 1; e < encodings.size(); ++e) {
    for (size_t i = 0; i < count; ++i) {
      ContentReading other = readings[i];
      other.encoding = encodings[e];
      add_reading(readings, std::move(other));
    }
  }
  return readings;
}

void read_names(Part& part, Oddities& oddities) {
  std::string from_type, from_disposition;
  size_t dispositions = 0;
  const auto name_in = [&](const ContentField& field, std::string_view key) {
    std::string name, other;
    for (const Parameter& parameter : field.parameters) {
      if (parameter.name != key) continue;
      std::string read = parameter.extended ? decode_words(parameter.value) : decode_words(parameter.value);
      if (name.empty()) {
        name = std::move(read);
      } else if (read != name) {
        oddities.add("duplicate_parameter", part.index, key);
        other = std::move(read);
      }
    }
    if (part.other_name.empty()) part.other_name = std::move(other);
    return name;
  };
  for (const Header& field : part.headers.fields()) {
    const size_t length = field.name.size();
    if (length == 12 && iequals(field.name, "content-type")) {
      if (ifind(field.value, "name") == kNone) continue;
      std::string name = name_in(read_content_field(field.value), "name");
      if (from_type.empty()) from_type = std::move(name);
    } else if (length == 19 && iequals(field.name, "content-disposition")) {
      if (++dispositions > 1) oddities.add("duplicate_content_disposition", part.index);
      const ContentField disposition = read_content_field(field.value);
      if (part.disposition.empty() && is_token(disposition.main)) part.disposition = disposition.main;
      std::string name = name_in(disposition, "filename");
      if (name.empty()) name = name_in(disposition, "name");
      if (from_disposition.empty()) from_disposition = std::move(name);
    } else if (length == 10 && iequals(field.name, "content-id") && part.content_id.empty()) {
      part.content_id = unfold(field.value);
      if (part.content_id.starts_with('<') && part.content_id.ends_with('>'))
        part.content_id = part.content_id.substr(1, part.content_id.size() - 2);
    }
  }
  part.file_name = from_disposition.empty() ? from_type : from_disposition;
  if (!from_type.empty() && from_type != part.file_name) part.other_name = from_type;
}

bool is_flowed(const Part& part, bool& delete_space) {
  const Header* field = part.headers.find("content-type");
  if (field == nullptr || ifind(field->value, "flowed") == kNone) return false;
  const ContentField content = read_content_field(field->value);
  const Parameter* format = content.find("format");
  const Parameter* space = content.find("delsp");
  delete_space = space != nullptr && iequals(space->value, "yes");
  return format != nullptr && iequals(format->value, "flowed");
}

}  // namespace doorward::mime
