#include "mails.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string_view>

namespace doorward::bench {
namespace {

constexpr size_t kLargest = 1'000'000;
constexpr size_t kLongestLine = 990;  // RFC 5321 §4.5.3.1.6 allows 998; folding keeps every peer on its ordinary path

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
         });
}

bool is_field(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  return std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return c > ' ' && c < 127; });
}

void append_line(std::string& wire, std::string_view line) {
  do {
    const std::string_view piece = line.substr(0, kLongestLine);
    if (!piece.empty() && piece.front() == '.') wire += '.';
    for (const char c : piece) {
      if (c != '\r' && c != '\0') wire += c;
    }
    wire += "\r\n";
    line.remove_prefix(piece.size());
  } while (!line.empty());
}

std::vector<std::string> paths_of(const std::string& folder_or_index) {
  std::vector<std::string> paths;
  if (std::filesystem::is_directory(folder_or_index)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_or_index)) {
      if (entry.is_regular_file()) paths.push_back(entry.path().string());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }
  std::ifstream in(folder_or_index);
  if (!in) throw std::runtime_error("cannot open " + folder_or_index);
  for (std::string line; std::getline(in, line);) {
    for (const std::string_view label : {"spam ", "ham "}) {
      if (line.starts_with(label)) line.erase(0, label.size());
    }
    if (!line.empty()) paths.push_back(line);
  }
  return paths;
}

}  // namespace

PreparedMail prepare(const std::string& raw) {
  PreparedMail mail;
  mail.wire.reserve(raw.size() + raw.size() / 32 + 64);
  std::string_view rest = raw;
  bool header = true, dropping = false, first = true;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (first && line.starts_with("From ")) continue;  // an mbox separator
    first = false;
    if (header) {
      const bool continued = line.starts_with(' ') || line.starts_with('\t');
      if (!continued) dropping = starts_with_ignoring_case(line, "message-id:");
      if (dropping && !line.empty()) continue;
      if (starts_with_ignoring_case(line, "content-transfer-encoding:") &&
          line.find("ase64") != std::string_view::npos) {
        mail.token_in_body = false;
      }
      if (line.empty() || (!continued && !is_field(line))) {
        header = false;
        mail.split = mail.wire.size();
        if (!line.empty()) mail.wire += "\r\n";  // a body that began without an empty line
      }
    }
    append_line(mail.wire, line);
  }
  if (header) {
    mail.split = mail.wire.size();
    mail.wire += "\r\n";
  }
  mail.eight_bit = std::any_of(mail.wire.begin(), mail.wire.end(), [](char c) { return (c & 0x80) != 0; });
  return mail;
}

std::vector<PreparedMail> load_mails(const std::string& folder_or_index, size_t limit) {
  std::vector<std::string> paths = paths_of(folder_or_index);
  std::mt19937_64 order(20020831);  // any number, as long as every run of every peer has the same
  std::shuffle(paths.begin(), paths.end(), order);
  std::vector<PreparedMail> mails;
  for (const std::string& path : paths) {
    if (mails.size() == limit) break;
    std::ifstream in(path, std::ios::binary);
    const std::string raw((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (!raw.empty() && raw.size() <= kLargest) mails.push_back(prepare(raw));
  }
  if (mails.empty()) throw std::runtime_error("no mails in " + folder_or_index);
  return mails;
}

std::vector<PreparedMail> load_ready(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::vector<PreparedMail> mails;
  size_t octets = 0;
  char bits = 0;
  for (PreparedMail mail; in >> mail.sender >> octets >> bits && in.get() == '\n'; mail = PreparedMail()) {
    mail.wire.resize(octets);
    mail.eight_bit = bits == '8';
    if (!in.read(mail.wire.data(), static_cast<std::streamsize>(octets))) break;
    mails.push_back(std::move(mail));
  }
  if (mails.empty() || !in.eof()) throw std::runtime_error("no mails, or not whole, in " + file);
  return mails;
}

}  // namespace doorward::bench
