// Fingerprints of real mails and of near duplicates made from them, for fuzzy_compare.py, and what they cost.
//
//   fuzzy_compare cost INDEX…             CPU per mail, by size
//   fuzzy_compare dump FILE INDEX…        a line a mail: kind, number of the original, domain, bins of the text's and
//   of
//                                         the structure's sketch, counts of shingles, visible text and HTML in hex
//   fuzzy_compare table DIRECTORY         a table of ten million entries: memory, CPU a mail, time to write and read it
// An INDEX has "spam|ham PATH" a line.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzzy_variants.h"
#include "mime/message.h"
#include "trust/fingerprint.h"
#include "trust/fingerprint_shingles.h"
#include "trust/sightings.h"

namespace doorward::bench {
namespace {

struct Mail {
  bool spam = false;
  std::string path, raw;
};

std::vector<Mail> read_indexes(int count, char** names, size_t most) {
  std::vector<Mail> mails;
  for (int at = 0; at < count; ++at) {
    std::ifstream index(names[at]);
    if (!index) throw std::runtime_error(fmt::format("cannot read {}", names[at]));
    std::string label, path;
    while (index >> label && std::getline(index >> std::ws, path)) mails.push_back({label == "spam", path, {}});
  }
  std::mt19937 random(41);
  std::shuffle(mails.begin(), mails.end(), random);
  mails.resize(std::min(mails.size(), most));
  for (Mail& mail : mails) {
    std::ifstream in(mail.path, std::ios::binary);
    mail.raw.assign(std::istreambuf_iterator<char>(in), {});
  }
  return mails;
}

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void cost(const std::vector<Mail>& mails) {
  constexpr size_t kLimits[] = {2000, 4000, 6000, 12000, 40000, SIZE_MAX};
  constexpr int kTimes = 20;
  size_t from = 0;
  for (const size_t limit : kLimits) {
    size_t count = 0, octets = 0;
    double seconds = 0, parsing = 0;
    uint64_t used = 0;
    for (const Mail& mail : mails) {
      if (mail.raw.size() < from || mail.raw.size() >= limit || count == 500) continue;
      const double start = cpu_seconds();
      const mime::Message message = mime::Message::parse(mail.raw);
      const double parsed = cpu_seconds();
      for (int time = 0; time < kTimes; ++time) used += trust::fingerprint_of(message).has_text;
      seconds += (cpu_seconds() - parsed) / kTimes;
      parsing += parsed - start;
      octets += mail.raw.size();
      ++count;
    }
    if (count > 0) {
      const auto mean = [&](double sum) { return sum / static_cast<double>(count); };
      fmt::print("{:>6} mails of {:>6.1f} kB: {:6.1f} us a fingerprint ({:.0f} us the parser), {:.0f} % with text\n",
                 count, mean(static_cast<double>(octets)) / 1000, 1e6 * mean(seconds), 1e6 * mean(parsing),
                 100 * mean(static_cast<double>(used)) / kTimes);
    }
    from = limit;
  }
}

std::string hex(std::string_view text) {
  std::string made;
  for (const char c : text) fmt::format_to(std::back_inserter(made), "{:02x}", static_cast<unsigned char>(c));
  return made;
}

std::string domain_of(const mime::Message& message) {
  for (const char* field : {"Return-Path", "From"}) {
    const std::string value = message.headers().unfolded(field);
    const size_t at = value.rfind('@');
    if (at == std::string::npos) continue;
    const size_t end = value.find_first_of(" >)\"\t,;", at);
    std::string domain = value.substr(at + 1, end == std::string::npos ? end : end - at - 1);
    std::ranges::transform(domain, domain.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; });
    if (!domain.empty()) return domain;
  }
  return "none";
}

const mime::Part* text_part(const mime::Message& message) {
  const mime::Part* plain = nullptr;
  for (const mime::Part& part : message.parts()) {
    if (!part.is_text() || part.alternative_reading || part.is_attachment()) continue;
    if (part.subtype == "html") return &part;
    if (plain == nullptr) plain = &part;
  }
  return plain;
}

void dump_one(std::FILE* out, std::string_view kind, size_t number, const std::string& domain,
              const mime::Message& message) {
  const auto text = trust::text_sketch_of(message);
  const auto structure = trust::structure_sketch_of(message);
  std::string visible, html;
  for (const mime::Text& each : message.texts()) visible += each.visible;
  if (const mime::Part* part = text_part(message); part != nullptr && part->subtype == "html") {
    html = message.decoded(*part, 65536);
  }
  fmt::print(out, "{} {} {} ", kind, number, domain);
  for (size_t bin = 0; bin < trust::kTextBins; ++bin) fmt::print(out, "{}{}", bin == 0 ? "" : ",", text.bin(bin));
  fmt::print(out, " ");
  for (size_t bin = 0; bin < trust::kStructureBins; ++bin)
    fmt::print(out, "{}{}", bin == 0 ? "" : ",", structure.bin(bin));
  fmt::print(out, " {} {} x{} x{}\n", text.added(), structure.added(), hex(std::string_view(visible).substr(0, 20000)),
             hex(std::string_view(html).substr(0, 30000)));
}

void dump(const char* name, const std::vector<Mail>& mails) {
  std::FILE* out = std::fopen(name, "w");
  if (out == nullptr) throw std::runtime_error(fmt::format("cannot write {}", name));
  size_t varied = 0;
  for (size_t number = 0; number < mails.size(); ++number) {
    const mime::Message message = mime::Message::parse(mails[number].raw);
    const std::string domain = domain_of(message);
    dump_one(out, mails[number].spam ? "spam" : "ham", number, domain, message);
    const mime::Part* part = text_part(message);
    if (!mails[number].spam || part == nullptr || varied >= 800) continue;
    ++varied;
    const bool is_html = part->subtype == "html";
    const std::string body = message.decoded(*part, 200000);
    for (const Change change : {Change::light, Change::medium, Change::heavy}) {
      const std::string raw = fmt::format(
          "From: x@{0}.example\r\nContent-Type: text/{1}; charset={2}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{3}",
          number, is_html ? "html" : "plain", part->charset.empty() ? "utf-8" : part->charset,
          changed(body, is_html, change, number));
      constexpr const char* kKinds[] = {"light", "medium", "heavy"};
      dump_one(out, kKinds[static_cast<size_t>(change)], number, "variant", mime::Message::parse(raw));
    }
  }
  std::fclose(out);
}

double resident_megabytes() {
  std::ifstream status("/proc/self/statm");
  double all = 0, resident = 0;
  status >> all >> resident;
  return resident * 4096 / 1e6;
}

trust::Fingerprint made_fingerprint(uint64_t number) {
  trust::Fingerprint print{};
  print.has_text = print.has_structure = true;
  for (size_t band = 0; band < trust::kTextBands; ++band) print.text_bands[band] = trust::mixed(number * 16 + band + 1);
  for (size_t band = 0; band < trust::kStructureBands; ++band) {
    print.structure_bands[band] = trust::mixed(number * 16 + band + 11);
  }
  return print;
}

void table(const std::string& directory) {
  constexpr size_t kEntries = 10'000'000, kMails = 700'000, kAsked = 200'000;
  const SystemTime now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23);
  const auto wall = [] { return std::chrono::steady_clock::now(); };
  const auto seconds = [](auto span) { return std::chrono::duration<double>(span).count(); };
  const double before = resident_megabytes();
  {
    auto opened = trust::Sightings::open({.entries = kEntries, .directory = directory});
    if (!opened) throw std::runtime_error(opened.error().text());
    trust::Sightings& sightings = **opened;
    double counting = 0, slowest = 0;
    for (size_t mail = 0; mail < kMails; ++mail) {
      const double start = cpu_seconds();
      sightings.count(made_fingerprint(mail), {mail * 0x9E3779B97F4A7C15ull | 1}, now);
      counting += cpu_seconds() - start;
      if (mail % 1000 != 999) continue;
      const auto began = wall();
      if (auto flushed = sightings.flush(); !flushed) throw std::runtime_error(flushed.error().text());
      slowest = std::max(slowest, seconds(wall() - began));
    }
    const auto fill = sightings.fill();
    fmt::print(
        "{} mails counted: {:.2f} us each; {} of {} entries used, {} gave way; {:.0f} MB; slowest flush {:.2f} s\n",
        kMails, 1e6 * counting / kMails, fill.used, fill.entries, fill.evicted, resident_megabytes() - before, slowest);
    for (const size_t first : {size_t{0}, kMails * 2}) {
      const double start = cpu_seconds();
      double others = 0;
      for (size_t mail = 0; mail < kAsked; ++mail) {
        others += sightings.look_up(made_fingerprint(first + trust::mixed(mail) % kMails), {1}, now)[0].others;
      }
      fmt::print("looked up, {}: {:.2f} us each (sum {:.0f})\n", first == 0 ? "known" : "unknown",
                 1e6 * (cpu_seconds() - start) / kAsked, others);
    }
  }
  const auto began = wall();
  const auto opened = trust::Sightings::open({.entries = kEntries, .directory = directory});
  if (!opened) throw std::runtime_error(opened.error().text());
  fmt::print("read again in {:.2f} s, {} entries\n", seconds(wall() - began), (*opened)->fill().used);
}

}  // namespace
}  // namespace doorward::bench

int main(int count, char** arguments) {
  using namespace doorward::bench;
  try {
    const std::string command = count > 2 ? arguments[1] : "";
    if (command == "cost") {
      cost(read_indexes(count - 2, arguments + 2, SIZE_MAX));
    } else if (command == "table") {
      table(arguments[2]);
    } else if (command == "dump" && count > 3) {
      dump(arguments[2], read_indexes(count - 3, arguments + 3, 6000));
    } else {
      fmt::print(stderr, "usage: fuzzy_compare cost INDEX... | dump FILE INDEX... | table DIRECTORY\n");
      return 2;
    }
  } catch (const std::exception& problem) {
    fmt::print(stderr, "{}\n", problem.what());
    return 1;
  }
}
