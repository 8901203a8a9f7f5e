#include "trust/kept_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "base/log.h"
#include "trust/file.h"

namespace doorward::trust {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kFormat = 1;
constexpr size_t kBlock = 64;                        // buckets of a snapshot block
constexpr uint64_t kLeastLog = 64ull * 1024 * 1024;  // octets after which a snapshot is due, or half of the table
constexpr size_t kMostBuckets = size_t{1} << 28;     // places are 32 bits
constexpr uint32_t kMostRows = 1u << 22;             // of a record

// Both files are the machine's own, never carried to one of another byte order.
static_assert(std::endian::native == std::endian::little);

struct SnapshotHeader {
  char magic[8];
  char name[16];  // of what is kept
  uint32_t format, version, parameter, unused;
  uint64_t buckets, number, blocks;
  uint64_t checksum;  // of all before
};
struct RecordHeader {
  char magic[4];
  uint32_t rows;
  uint64_t checksum;  // of the rows
};
struct LoggedRow {
  uint64_t head, second, third, place;
};
constexpr char kSnapshotMagic[8] = {'D', 'W', 'K', 'E', 'P', 'T', '1', '\0'};
constexpr char kRecordMagic[4] = {'D', 'W', 'K', 'R'};

std::unexpected<Error> failed(const std::string& path) { return fail(std::strerror(errno), path, Blame::environment); }

uint64_t checksum_of(const SnapshotHeader& header) { return XXH3_64bits(&header, offsetof(SnapshotHeader, checksum)); }

size_t cells_of_block(size_t buckets) { return std::min(kBlock, buckets) * KeptTable::kCells; }

}  // namespace

struct KeptStore::State {
  std::string directory;
  Shape shape;
  File lock, log;
  uint64_t number = 0;  // of the snapshot and its log
  uint64_t log_size = 0;
  bool is_new = true;

  std::string path(std::string_view what) const { return fmt::format("{}/{}.{}", directory, shape.name, what); }
  std::string log_path() const { return path(fmt::format("{}.log", number)); }

  Result<void> take_lock();
  Result<void> read_snapshot(std::unique_ptr<KeptTable>& table);
  Result<void> read_blocks(const File& file, const SnapshotHeader& header, KeptTable& table) const;
  Result<void> set_aside();
  Result<void> replay(KeptTable& table);
  Result<void> start_log(int how);
  Result<void> write_snapshot(const KeptTable& table);
  Result<void> sync_directory() const;
  void remove_old_logs() const;
};

Result<void> KeptStore::State::take_lock() {
  lock = File(::open(path("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return failed(path("lock"));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(fmt::format("another process writes the {} here (a running gateway?): stop it first", shape.name),
                directory);
  }
  return {};
}

Result<void> KeptStore::State::read_snapshot(std::unique_ptr<KeptTable>& table) {
  const std::string name = path("snapshot");
  const File file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno != ENOENT) return failed(name);
  table = std::make_unique<KeptTable>(shape.buckets);
  if (!file) return {};
  SnapshotHeader header{};
  if (!file.read(&header, sizeof header) || std::memcmp(header.magic, kSnapshotMagic, 8) != 0 ||
      checksum_of(header) != header.checksum || header.buckets == 0 || header.buckets > kMostBuckets) {
    return fail(fmt::format("no snapshot of {}, or damaged; move the file away to begin anew", shape.name), name,
                Blame::environment);
  }
  number = header.number;
  if (header.format != kFormat ||
      std::string_view(header.name, ::strnlen(header.name, sizeof header.name)) != shape.name ||
      header.version != shape.version || header.parameter != shape.parameter) {
    return set_aside();
  }
  is_new = false;
  table = std::make_unique<KeptTable>(header.buckets);
  return read_blocks(file, header, *table);
}

Result<void> KeptStore::State::read_blocks(const File& file, const SnapshotHeader& header, KeptTable& table) const {
  const size_t cells = cells_of_block(header.buckets);
  std::vector<uint64_t> block(cells + 2);  // which, its cells, checksum
  for (uint64_t count = 0; count < header.blocks; ++count) {
    if (!file.read(block.data(), block.size() * 8) ||
        XXH3_64bits(block.data(), (block.size() - 1) * 8) != block.back() || block[0] > header.buckets / kBlock) {
      return fail("damaged; move the file away to begin anew", path("snapshot"), Blame::environment);
    }
    const size_t first = block[0] * kBlock * KeptTable::kCells;
    const size_t end = std::min(cells, header.buckets * KeptTable::kCells - first);
    for (size_t at = 0; at < end; ++at) {
      if (block[at + 1] != 0) table.put_cell(first + at, block[at + 1]);
    }
  }
  return {};
}

// Mail is judged without it, and nobody's start fails over it; the file stays for whoever goes back.
Result<void> KeptStore::State::set_aside() {
  const std::string name = path("snapshot"), kept = name + ".old";
  if (!shape.read_only && ::rename(name.c_str(), kept.c_str()) != 0) return failed(name);
  log::warning("kept.begin_anew", {{"what", shape.name},
                                   {"reason", "written by another version, or with other settings"},
                                   {"kept", shape.read_only ? name : kept}});
  return {};
}

Result<void> KeptStore::State::replay(KeptTable& table) {
  if (is_new) return {};
  const File file(::open(log_path().c_str(), (shape.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC));
  if (!file) return errno == ENOENT ? Result<void>{} : failed(log_path());
  std::vector<LoggedRow> rows;
  for (;;) {
    RecordHeader header{};
    if (!file.read(&header, sizeof header) || std::memcmp(header.magic, kRecordMagic, 4) != 0) break;
    if (header.rows > kMostRows) break;
    rows.resize(header.rows);
    const size_t size = rows.size() * sizeof(LoggedRow);
    if (!file.read(rows.data(), size) || XXH3_64bits_withSeed(rows.data(), size, header.rows) != header.checksum) break;
    for (const LoggedRow& row : rows) {
      if (row.place >= table.buckets() * KeptTable::kBucket) continue;
      table.put(row.place, {row.head, row.second, row.third});
    }
    log_size += sizeof header + size;
  }
  // What lies behind the last whole record was being written when the process or the machine died.
  if (!shape.read_only && ::ftruncate(file.get(), static_cast<off_t>(log_size)) != 0) return failed(log_path());
  return {};
}

Result<void> KeptStore::State::start_log(int how) {
  log = File(::open(log_path().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600));
  if (!log) return failed(log_path());
  return sync_directory();
}

Result<void> KeptStore::State::sync_directory() const {
  const File folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return failed(directory);
  return {};
}

void KeptStore::State::remove_old_logs() const {
  std::error_code ignored;
  for (fs::directory_iterator entry(directory, ignored), end; !ignored && entry != end; entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(shape.name + ".") && name.ends_with(".log") && entry->path() != log_path()) {
      fs::remove(entry->path(), ignored);
    }
  }
}

Result<void> KeptStore::State::write_snapshot(const KeptTable& table) {
  const std::string fresh = path("snapshot.new");
  const File file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  SnapshotHeader header{.magic = {},
                        .name = {},
                        .format = kFormat,
                        .version = shape.version,
                        .parameter = shape.parameter,
                        .unused = 0,
                        .buckets = table.buckets(),
                        .number = number + 1,
                        .blocks = 0,
                        .checksum = 0};
  std::memcpy(header.magic, kSnapshotMagic, 8);
  std::memcpy(header.name, shape.name.data(), std::min(shape.name.size(), sizeof header.name));
  if (!file || !file.write(&header, sizeof header)) return failed(fresh);
  const size_t cells = cells_of_block(table.buckets());
  const size_t all = table.buckets() * KeptTable::kCells;
  std::vector<uint64_t> block(cells + 2);
  for (size_t first = 0; first < all; first += cells) {
    block[0] = first / cells;
    uint64_t any = 0;
    for (size_t at = 0; at < cells; ++at) any |= block[at + 1] = first + at < all ? table.cell(first + at) : 0;
    if (any == 0) continue;
    block.back() = XXH3_64bits(block.data(), (block.size() - 1) * 8);
    if (!file.write(block.data(), block.size() * 8)) return failed(fresh);
    ++header.blocks;
  }
  header.checksum = checksum_of(header);
  if (::lseek(file.get(), 0, SEEK_SET) != 0 || !file.write(&header, sizeof header) || ::fsync(file.get()) != 0) {
    return failed(fresh);
  }
  // From the rename on the old log is of no use: the new snapshot names the next one.
  if (::rename(fresh.c_str(), path("snapshot").c_str()) != 0) return failed(fresh);
  ++number;
  log_size = 0;
  is_new = false;
  if (auto begun = start_log(O_APPEND | O_TRUNC); !begun) return begun;
  remove_old_logs();
  return {};
}

Result<std::unique_ptr<KeptStore>> KeptStore::open(const std::string& directory, const Shape& shape,
                                                   std::unique_ptr<KeptTable>& table) {
  auto state = std::make_unique<State>();
  state->directory = directory;
  state->shape = shape;
  if (!shape.read_only) {
    std::error_code problem;
    fs::create_directories(directory, problem);
    if (problem) return fail(problem.message(), directory, Blame::environment);
    if (auto locked = state->take_lock(); !locked) return std::unexpected(locked.error());
  }
  if (auto read = state->read_snapshot(table); !read) return std::unexpected(read.error());
  if (auto replayed = state->replay(*table); !replayed) return std::unexpected(replayed.error());
  if (!shape.read_only) {
    // The table's size is in the snapshot alone, so a new table begins with one.
    if (auto begun = state->is_new ? state->write_snapshot(*table) : state->start_log(O_APPEND); !begun) {
      return std::unexpected(begun.error());
    }
    state->remove_old_logs();
  }
  return std::unique_ptr<KeptStore>(new KeptStore(std::move(state)));
}

KeptStore::KeptStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
KeptStore::~KeptStore() = default;

Result<void> KeptStore::append(const KeptTable& table, std::span<const uint32_t> places) {
  State& state = *state_;
  if (state.shape.read_only) return fail("opened for reading only", state.directory);
  const uint64_t size = sizeof(RecordHeader) + places.size() * sizeof(LoggedRow);
  const uint64_t most = state.shape.log != 0
                            ? state.shape.log
                            : std::max<uint64_t>(kLeastLog, table.buckets() * KeptTable::kCells * 8 / 2);
  // A snapshot takes its time: what is new is written first, unless snapshots have failed for long.
  const bool too_long = places.size() > kMostRows || state.log_size + size > 2 * most;
  if (!state.log || too_long) return state.write_snapshot(table);
  std::vector<LoggedRow> rows;
  rows.reserve(places.size());
  for (const uint32_t place : places) {
    const Cells cells = table.at(place);
    rows.push_back({cells.head, cells.second, cells.third, place});
  }
  RecordHeader header{.magic = {}, .rows = static_cast<uint32_t>(rows.size()), .checksum = 0};
  std::memcpy(header.magic, kRecordMagic, 4);
  header.checksum = XXH3_64bits_withSeed(rows.data(), rows.size() * sizeof(LoggedRow), header.rows);
  std::string record(reinterpret_cast<const char*>(&header), sizeof header);
  record.append(reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(LoggedRow));
  if (!state.log.write(record.data(), record.size()) || ::fdatasync(state.log.get()) != 0) {
    const auto problem = failed(state.log_path());
    // What follows a half-written record could never be read again; the next flush writes a snapshot.
    state.log = File();
    return problem;
  }
  state.log_size += record.size();
  return state.log_size > most ? state.write_snapshot(table) : Result<void>();
}

}  // namespace doorward::trust
