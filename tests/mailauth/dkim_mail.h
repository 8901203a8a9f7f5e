// Mails and keys of the suites, and what we make of them.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "delivery/core_runner.h"
#include "mailauth/arc.h"
#include "mailauth/dkim.h"
#include "net/fake_resolver.h"

namespace doorward::mailauth::test {

namespace fs = std::filesystem;

inline std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Line ends as on the wire, whatever the file has.
inline std::string crlf(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

inline SystemTime at(long long seconds) { return SystemTime(std::chrono::seconds(seconds)); }
inline constexpr long long kNow = 1'790'000'000;

class Verifier {
 public:
  net::test::FakeResolver zone;

  DkimOutcome dkim(std::string_view raw, long long now = kNow) {
    SignedMail mail(raw);
    DkimOutcome outcome;
    DkimOptions options;
    options.now = at(now);
    options.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    options.cache = &cache_;
    runner_.run([&]() -> Task<void> { outcome = co_await verify_dkim(runner_.core(), zone, mail, options); });
    return outcome;
  }
  ArcOutcome arc(std::string_view raw, long long now = kNow) {
    SignedMail mail(raw);
    ArcOutcome outcome;
    ArcOptions options;
    options.now = at(now);
    options.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    options.cache = &cache_;
    runner_.run([&]() -> Task<void> { outcome = co_await verify_arc(runner_.core(), zone, mail, options); });
    for (ArcSealer& sealer : outcome.sealers) sealer.results = {};  // views into `raw`
    return outcome;
  }
  net::Core& core() { return runner_.core(); }
  doorward::test::CoreRunner& runner() { return runner_; }

 private:
  doorward::test::CoreRunner runner_;
  PublicKeyCache cache_;
};

// "pass fail": the results of all signatures in order.
inline std::string words(const DkimOutcome& outcome) {
  std::string all;
  for (const DkimSignature& one : outcome.signatures) {
    all += (all.empty() ? "" : " ") + std::string(text(one.result));
  }
  return all.empty() ? "none" : all;
}
inline std::string reasons(const DkimOutcome& outcome) {
  std::string all;
  for (const DkimSignature& one : outcome.signatures) all += "[" + one.reason + "]";
  return all;
}

// The folder of what may not be shipped, or empty with a word on stderr.
inline fs::path material(const char* what) {
  const char* given = std::getenv("DOORWARD_MATERIAL");
  const fs::path folder =
      (given != nullptr ? fs::path(given) : fs::path(TEST_DATA) / "../../../shared/material") / what;
  if (fs::exists(folder)) return folder;
  std::fprintf(stderr, "SKIPPED: no %s; set DOORWARD_MATERIAL to the folder of the test material\n", folder.c_str());
  return {};
}

// {"name": "record", …} as the packs have it, a line each.
inline void load_zone(net::test::FakeResolver& zone, const fs::path& json) {
  std::ifstream in(json);
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> strings;
    for (size_t from = line.find('"'); from != std::string::npos; from = line.find('"', from)) {
      const size_t to = line.find('"', from + 1);
      if (to == std::string::npos) break;
      strings.push_back(line.substr(from + 1, to - from - 1));
      from = to + 1;
    }
    if (strings.size() == 2) zone.txt(strings[0], strings[1]);
  }
}

// Rows of a tab-separated file, by their first column, without the head.
inline std::map<std::string, std::vector<std::string>> load_table(const fs::path& tsv) {
  std::map<std::string, std::vector<std::string>> rows;
  std::ifstream in(tsv);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::vector<std::string> cells(1);
    for (const char c : line) {
      if (c == '\t') {
        cells.emplace_back();
      } else {
        cells.back() += c;
      }
    }
    rows[cells.front()] = cells;
  }
  return rows;
}

}  // namespace doorward::mailauth::test
