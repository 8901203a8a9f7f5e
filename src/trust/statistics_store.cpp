#include "trust/statistics_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "trust/features.h"
#include "trust/file.h"

namespace doorward::trust {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kFormat = 1;
constexpr size_t kBlock = 4096;  // entries of a snapshot block
constexpr uint64_t kMostRecord = 256ull * 1024 * 1024;
constexpr size_t kMostEntries = size_t{1} << 31;  // places are 32 bits

// Both files are the machine's own, never carried to one of another byte order.
static_assert(std::endian::native == std::endian::little);

struct SnapshotHeader {
  char magic[8];
  uint32_t format, features;
  uint64_t entries, generation, blocks, totals;
  uint64_t checksum;  // of all before
};
struct RecordHeader {
  char magic[4];
  uint32_t totals;
  uint64_t places;
  uint64_t checksum;  // of the record's content and both counts
};
constexpr char kSnapshotMagic[8] = {'D', 'W', 'W', 'O', 'R', 'D', 'S', '\0'};
constexpr char kRecordMagic[4] = {'D', 'W', 'W', 'R'};

std::unexpected<Error> failed(const std::string& path) { return fail(std::strerror(errno), path, Blame::environment); }

template <class T>
void append_to(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

uint64_t record_checksum(const RecordHeader& header, std::string_view content) {
  return XXH3_64bits_withSeed(content.data(), content.size(), header.places * 31 + header.totals + kFeatureVersion);
}

}  // namespace

struct StatisticsStore::State {
  std::string directory;
  bool read_only = false;
  uint64_t most_log = 0;
  File lock, log;
  uint64_t generation = 0;
  uint64_t log_size = 0;
  bool begins_anew = false;

  std::string path(std::string_view name) const { return fmt::format("{}/{}", directory, name); }
  std::string log_path(uint64_t number) const { return fmt::format("{}/words.{}.log", directory, number); }

  Result<void> take_lock();
  Result<void> read_snapshot(Loaded& loaded, size_t entries);
  Result<void> set_aside(uint32_t version);
  Result<void> replay(Loaded& loaded);
  Result<void> start_log(int how);
  Result<void> write_snapshot(const Loaded& loaded);
  Result<void> sync_directory() const;
  void remove_old_logs() const;
};

Result<void> StatisticsStore::State::take_lock() {
  lock = File(::open(path("words.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return failed(path("words.lock"));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail("another process is learning here (a running gateway?): stop it first, or let it learn", directory);
  }
  return {};
}

Result<void> StatisticsStore::State::read_snapshot(Loaded& loaded, size_t entries) {
  loaded.totals = std::make_unique<LearntTotals>();
  const std::string name = path("words.snapshot");
  const File file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno != ENOENT) return failed(name);
    loaded.table = std::make_unique<StatisticsTable>(entries);
    return {};
  }
  const auto damaged = [&](std::string_view what) {
    return fail(fmt::format("{}; move the file away to begin anew", what), name, Blame::environment);
  };
  SnapshotHeader header{};
  if (!file.read(&header, sizeof header) || std::memcmp(header.magic, kSnapshotMagic, 8) != 0 ||
      XXH3_64bits(&header, offsetof(SnapshotHeader, checksum)) != header.checksum) {
    return damaged("not a snapshot of word statistics, or damaged");
  }
  if (header.format != kFormat || header.features != kFeatureVersion) {
    loaded.table = std::make_unique<StatisticsTable>(entries);
    // The number goes on from there, so that the old log's name is not used again.
    generation = header.generation;
    return set_aside(header.features);
  }
  if (!std::has_single_bit(header.entries) || header.entries < StatisticsTable::kBucket ||
      header.entries > kMostEntries || header.totals > LearntTotals::kMostOwners + 1) {
    return damaged("damaged: an impossible size");
  }
  generation = header.generation;
  loaded.table = std::make_unique<StatisticsTable>(header.entries);
  const size_t in_block = std::min<size_t>(kBlock, header.entries);
  std::vector<uint64_t> block(in_block + 2);  // where, the entries, checksum
  for (uint64_t number = 0; number < header.blocks; ++number) {
    if (!file.read(block.data(), block.size() * 8) ||
        XXH3_64bits(block.data(), (block.size() - 1) * 8) != block.back() || block[0] >= header.entries / in_block) {
      return damaged("damaged");
    }
    for (size_t at = 0; at < in_block; ++at) {
      if (block[at + 1] != 0) loaded.table->put(block[0] * in_block + at, block[at + 1]);
    }
  }
  std::vector<LearntTotals::Totals> totals(header.totals);
  uint64_t checksum = 0;
  const size_t size = totals.size() * sizeof(LearntTotals::Totals);
  if (!file.read(totals.data(), size) || !file.read(&checksum, 8) || XXH3_64bits(totals.data(), size) != checksum) {
    return damaged("damaged");
  }
  for (const auto& each : totals) loaded.totals->put(each);
  return {};
}

// What another version learnt means nothing to this one. Mail is judged without it, and nobody's start fails over it;
// the file stays for whoever goes back.
Result<void> StatisticsStore::State::set_aside(uint32_t version) {
  begins_anew = true;
  const std::string name = path("words.snapshot"), kept = fmt::format("{}.version-{}", name, version);
  if (!read_only && ::rename(name.c_str(), kept.c_str()) != 0) return failed(name);
  log::warning("statistics.begin_anew", {{"reason", "written by another version of the program"},
                                         {"its_version", version},
                                         {"version", kFeatureVersion},
                                         {"kept", read_only ? name : kept},
                                         {"mend", "doorward learn"}});
  return {};
}

Result<void> StatisticsStore::State::replay(Loaded& loaded) {
  if (begins_anew) return {};

  const std::string name = log_path(generation);
  const File file(::open(name.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC));
  if (!file) return errno == ENOENT ? Result<void>{} : failed(name);
  std::string content;
  for (;;) {
    RecordHeader header{};
    if (!file.read(&header, sizeof header) || std::memcmp(header.magic, kRecordMagic, 4) != 0) break;
    const uint64_t size = header.places * 12 + header.totals * sizeof(LearntTotals::Totals);
    if (header.places > kMostRecord / 12 || header.totals > LearntTotals::kMostOwners + 1 || size > kMostRecord) break;
    content.resize(size);
    if (!file.read(content.data(), size) || record_checksum(header, content) != header.checksum) break;
    const char* at = content.data();
    for (uint64_t number = 0; number < header.places; ++number, at += 12) {
      uint32_t place = 0;
      uint64_t packed = 0;
      std::memcpy(&place, at, 4);
      std::memcpy(&packed, at + 4, 8);
      if (place < loaded.table->size()) loaded.table->put(place, packed);
    }
    for (uint32_t number = 0; number < header.totals; ++number, at += sizeof(LearntTotals::Totals)) {
      LearntTotals::Totals totals;
      std::memcpy(&totals, at, sizeof totals);
      loaded.totals->put(totals);
    }
    log_size += sizeof header + size;
  }
  // What lies behind the last whole record was being written when the process or the machine died.
  if (!read_only && ::ftruncate(file.get(), static_cast<off_t>(log_size)) != 0) return failed(name);
  return {};
}

// O_TRUNC: a log of that number that is there already belongs to a table that was set aside.
Result<void> StatisticsStore::State::start_log(int how) {
  const std::string name = log_path(generation);
  log = File(::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600));
  if (!log) return failed(name);
  return sync_directory();
}

Result<void> StatisticsStore::State::sync_directory() const {
  const File folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return failed(directory);
  return {};
}

void StatisticsStore::State::remove_old_logs() const {
  std::error_code ignored;
  for (fs::directory_iterator entry(directory, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("words.") && name.ends_with(".log") && entry->path() != log_path(generation)) {
      fs::remove(entry->path(), ignored);
    }
  }
}

Result<void> StatisticsStore::State::write_snapshot(const Loaded& loaded) {
  const std::string fresh = path("words.snapshot.new");
  const File file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return failed(fresh);
  SnapshotHeader header{.magic = {},
                        .format = kFormat,
                        .features = kFeatureVersion,
                        .entries = loaded.table->size(),
                        .generation = generation + 1,
                        .blocks = 0,
                        .totals = 0,
                        .checksum = 0};
  std::memcpy(header.magic, kSnapshotMagic, 8);
  if (!file.write(&header, sizeof header)) return failed(fresh);
  const size_t in_block = std::min(kBlock, loaded.table->size());
  std::vector<uint64_t> block(in_block + 2);
  for (size_t number = 0; number < loaded.table->size() / in_block; ++number) {
    block[0] = number;
    uint64_t any = 0;
    for (size_t at = 0; at < in_block; ++at) any |= block[at + 1] = loaded.table->packed(number * in_block + at);
    if (any == 0) continue;
    block.back() = XXH3_64bits(block.data(), (block.size() - 1) * 8);
    if (!file.write(block.data(), block.size() * 8)) return failed(fresh);
    ++header.blocks;
  }
  const auto totals = loaded.totals->all();
  const size_t size = totals.size() * sizeof(LearntTotals::Totals);
  const uint64_t checksum = XXH3_64bits(totals.data(), size);
  header.totals = totals.size();
  header.checksum = XXH3_64bits(&header, offsetof(SnapshotHeader, checksum));
  if (!file.write(totals.data(), size) || !file.write(&checksum, 8) || ::lseek(file.get(), 0, SEEK_SET) != 0 ||
      !file.write(&header, sizeof header) || ::fsync(file.get()) != 0) {
    return failed(fresh);
  }
  // From the rename on the old log is of no use: the new snapshot names the next one.
  if (::rename(fresh.c_str(), path("words.snapshot").c_str()) != 0) return failed(fresh);
  ++generation;
  log_size = 0;
  if (auto begun = start_log(O_APPEND | O_TRUNC); !begun) return begun;
  remove_old_logs();
  return {};
}

Result<std::unique_ptr<StatisticsStore>> StatisticsStore::open(const Options& options, Loaded& loaded) {
  const auto& [directory, entries, read_only, log] = options;
  auto state = std::make_unique<State>();
  state->directory = directory;
  state->read_only = read_only;
  state->most_log = log;
  if (!read_only) {
    std::error_code problem;
    fs::create_directories(directory, problem);
    if (problem) return fail(problem.message(), directory, Blame::environment);
    if (auto locked = state->take_lock(); !locked) return std::unexpected(locked.error());
  }
  if (auto read = state->read_snapshot(loaded, entries); !read) return std::unexpected(read.error());
  if (auto replayed = state->replay(loaded); !replayed) return std::unexpected(replayed.error());
  auto store = std::unique_ptr<StatisticsStore>(new StatisticsStore(std::move(state)));
  if (read_only) return store;
  // The table's size is in the snapshot alone, so a new table begins with one.
  const bool is_new = !fs::exists(store->state_->path("words.snapshot"));
  if (auto begun = is_new ? store->state_->write_snapshot(loaded) : store->state_->start_log(O_APPEND); !begun) {
    return std::unexpected(begun.error());
  }
  store->state_->remove_old_logs();
  return store;
}

StatisticsStore::StatisticsStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
StatisticsStore::~StatisticsStore() = default;

Result<void> StatisticsStore::append(const Loaded& loaded, std::span<const uint32_t> places,
                                     std::span<const LearntTotals::Totals> totals) {
  if (state_->read_only) return fail("opened for reading only", state_->directory);
  const uint64_t size = sizeof(RecordHeader) + places.size() * 12 + totals.size_bytes();
  // A snapshot takes its time: what is new is written first, unless snapshots have failed for long.
  if (!state_->log || state_->log_size + size > 2 * state_->most_log) return state_->write_snapshot(loaded);
  std::string record(sizeof(RecordHeader), '\0');
  record.reserve(size);
  for (const uint32_t place : places) {
    append_to(record, place);
    append_to(record, loaded.table->packed(place));
  }
  record.append(reinterpret_cast<const char*>(totals.data()), totals.size_bytes());
  RecordHeader header{
      .magic = {}, .totals = static_cast<uint32_t>(totals.size()), .places = places.size(), .checksum = 0};
  std::memcpy(header.magic, kRecordMagic, 4);
  header.checksum = record_checksum(header, std::string_view(record).substr(sizeof header));
  std::memcpy(record.data(), &header, sizeof header);
  if (!state_->log.write(record.data(), record.size()) || ::fdatasync(state_->log.get()) != 0) {
    const auto problem = failed(state_->log_path(state_->generation));
    // What follows a half-written record could never be read again; the next flush writes a snapshot.
    state_->log = File();
    return problem;
  }
  state_->log_size += record.size();
  return state_->log_size > state_->most_log ? state_->write_snapshot(loaded) : Result<void>();
}

}  // namespace doorward::trust
