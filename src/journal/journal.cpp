#include "journal/journal.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/metrics.h"

namespace doorward::journal {
namespace {

constexpr std::chrono::seconds kCareful{2};             // has_room() says no for so long after a failed write
constexpr std::chrono::milliseconds kFreeIsFresh{500};  // the file system is asked that often at most

metrics::Histogram& group_records() {
  static auto& made = metrics::histogram("doorward_journal_group_records", "Records that were made durable together.",
                                         {1, 2, 4, 8, 16, 32, 64, 128, 256, 512});
  return made;
}
metrics::Histogram& sync_seconds() {
  static auto& made = metrics::histogram("doorward_journal_sync_seconds", "Time that making a group durable took.",
                                         {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10});
  return made;
}
metrics::Counter& failures() {
  static auto& made =
      metrics::counter("doorward_journal_failures_total", "Groups of records that could not be written.");
  return made;
}

uint64_t drawn() {
  uint64_t value = 0;
  randombytes_buf(&value, sizeof value);
  return value;
}

struct Waiting {
  Record record;
  Done done;  // may be none
};

// The file that is being appended to; only the journal's thread uses it.
struct Current {
  std::shared_ptr<File> file;
  SegmentHeader header;
  uint64_t end = 0;  // durable up to here
  std::string index;
};

struct SegmentState {
  uint64_t size = 0;
  uint64_t live = 0;  // octets of records that were not retired
  bool sealed = true;
  bool unlinked = false;  // its file is gone, perhaps not durably yet
};

}  // namespace

struct Journal::State {
  Options options;
  Disk& disk;
  std::vector<Damage> damage;
  std::set<uint64_t> damaged;  // segments
  std::optional<Current> current;
  uint64_t next_number = 1;

  mutable std::mutex lock;  // of everything below
  std::condition_variable wake, idle;
  std::deque<Waiting> waiting;
  uint64_t waiting_octets = 0;
  bool urgent = false, stopping = false, busy = false;
  uint64_t appended = 0, finished = 0;  // records so far
  size_t awaited = 0;                   // of those that wait: records whose writers wait
  size_t last_group = 0;                // how many there were in the group before
  std::map<uint64_t, SegmentState> segments;
  uint64_t disk_octets = 0, live_octets = 0;
  std::shared_ptr<const File> current_file;  // for reading
  uint64_t current_number = 0;
  std::chrono::steady_clock::time_point careful_until{};
  mutable std::chrono::steady_clock::time_point free_asked{};
  mutable uint64_t free_octets = 0;

  std::thread thread;

  State(Options given, Disk& on) : options(std::move(given)), disk(on) {}

  std::string path(const std::string& name) const { return options.directory + "/" + name; }

  Result<void> recover(const Replay& replay);
  void run();
  void write(std::deque<Waiting>& group);
  Result<void> begin_segment();
  void discard(uint64_t number);
  void seal();
  Result<void> put(std::deque<Waiting>& group, std::vector<Place>& places);
  void succeeded(std::deque<Waiting>& group, const std::vector<Place>& places);
  void failed(std::deque<Waiting>& group, const Error& error);
  Result<std::shared_ptr<const File>> file_of(uint64_t segment) const;
  Result<std::pair<std::string, SegmentHeader>> header_of(const File& file, const Place& place) const;
};

Result<void> Journal::State::recover(const Replay& replay) {
  if (auto made = disk.make_directory(options.directory); !made) return made;
  auto names = disk.list(options.directory);
  if (!names) return std::unexpected(names.error());
  std::vector<uint64_t> numbers;
  for (const auto& name : *names) {
    if (const uint64_t number = number_of(name); number != 0) numbers.push_back(number);
    if (name.ends_with(".tmp")) static_cast<void>(disk.remove(path(name)));
  }
  std::ranges::sort(numbers);
  const Replay counted = [&](const Found& found) {
    segments[found.place.segment].live += found.place.octets();
    live_octets += found.place.octets();
    replay(found);
  };
  for (const uint64_t number : numbers) {
    auto& segment = segments[number];
    const auto file = disk.open(path(segment_name(number)));
    if (!file) return std::unexpected(file.error());
    const auto size = (*file)->size();
    if (!size) return std::unexpected(size.error());
    segment.size = *size;
    disk_octets += *size;
    SegmentHeader header;
    if (read_index(disk, options.directory, number, *size, counted, header)) continue;
    // A process that was killed may have written what it did not live to sync. What is replayed counts from now on, and
    // older places of the same mails are dropped for it: it must be durable first, or a power cut would take both.
    if (auto synced = (*file)->sync(); !synced) return synced;
    auto scanned = scan_segment(disk, path(segment_name(number)), number, counted);
    if (!scanned) return std::unexpected(scanned.error());
    for (auto& found : scanned->damage) {
      found.is_torn_end = found.is_torn_end && number == numbers.back();
      if (found.is_torn_end) {
        log::warning("journal.torn_end", {{"what", found.text()}});
      } else {
        log::error("journal.damaged", {{"what", found.text()}, {"mend", "doorward spool fsck says what it means"}});
        damaged.insert(number);
      }
      damage.push_back(std::move(found));
    }
    // What was scanned once need not be scanned again; damage is told at every start.
    if (scanned->damage.empty()) {
      static_cast<void>(write_index(disk, options.directory, scanned->header, scanned->index));
    }
  }
  if (!numbers.empty()) next_number = numbers.back() + 1;
  return {};
}

Result<void> Journal::State::begin_segment() {
  Current made;
  made.header = {next_number, drawn()};
  auto file = disk.create(path(segment_name(next_number)));
  if (!file) return std::unexpected(file.error());
  made.file = std::move(*file);
  ++next_number;  // a name is never used twice, whatever becomes of the file
  {
    const std::lock_guard held(lock);
    segments[made.header.number] = {.size = kSegmentHeader, .live = 0, .sealed = false};
    disk_octets += kSegmentHeader;
  }
  const auto header = encode(made.header);
  const std::string_view bytes(header.data(), header.size());
  auto done = made.file->write(0, {&bytes, 1});
  if (done) done = made.file->sync();
  if (done) done = disk.sync_directory(options.directory);
  if (!done) {
    discard(made.header.number);
    return done;
  }
  made.end = kSegmentHeader;
  const std::lock_guard held(lock);
  current_file = made.file;
  current_number = made.header.number;
  current = std::move(made);
  return {};
}

// The file of a segment in which nothing is durable, and into which nothing will go: a disk that fails for long must
// not be littered with one a group. Where it cannot be removed it is sealed, or no newer segment could ever be dropped.
void Journal::State::discard(uint64_t number) {
  const bool gone = disk.remove(path(segment_name(number))).has_value();
  const std::lock_guard held(lock);
  auto& segment = segments[number];
  if (!gone) {
    segment.sealed = true;
    return;
  }
  disk_octets -= std::min(disk_octets, segment.size);
  segments.erase(number);
}

// No more goes into the present segment.
void Journal::State::seal() {
  if (!current) return;
  if (const auto done = write_index(disk, options.directory, current->header, current->index); !done) {
    log::warning("journal.no_index", {{"error", done.error().text()}, {"effect", "the next start reads the segment"}});
  }
  const std::lock_guard held(lock);
  segments[current->header.number].sealed = true;
  current_file.reset();
  current_number = 0;
  current.reset();
}

// Writes and syncs; places get where each record stands.
Result<void> Journal::State::put(std::deque<Waiting>& group, std::vector<Place>& places) {
  if (current && current->end >= options.segment) seal();
  if (!current) {
    if (auto begun = begin_segment(); !begun) return begun;
  }
  static constexpr std::array<char, kAlignment> kZeros{};
  std::vector<std::array<char, kRecordHeader>> headers(group.size());
  std::vector<std::string_view> pieces;
  pieces.reserve(group.size() * 4);
  uint64_t offset = current->end;
  for (size_t i = 0; i < group.size(); ++i) {
    const Record& record = group[i].record;
    BodySum sum(current->header.seed, offset);
    RecordHeader fields{record.kind, static_cast<uint32_t>(record.head.size()), 0, 0};
    for (const auto piece : record.body) {
      sum.add(piece);
      fields.body += piece.size();
    }
    if (fields.body > 0) fields.body_sum = sum.value();
    headers[i] = encode(fields, current->header.seed, offset, record.head);
    pieces.emplace_back(headers[i].data(), headers[i].size());
    pieces.emplace_back(record.head);
    pieces.insert(pieces.end(), record.body.begin(), record.body.end());
    places.push_back({current->header.number, offset, fields.head, fields.body});
    const uint64_t plain = kRecordHeader + fields.head + fields.body;
    const uint64_t octets = places.back().octets();
    if (octets > plain) pieces.emplace_back(kZeros.data(), static_cast<size_t>(octets - plain));
    offset += octets;
  }
  if (auto written = current->file->write(current->end, pieces); !written) return written;
  const auto begun = std::chrono::steady_clock::now();
  if (auto synced = current->file->sync(); !synced) return synced;
  sync_seconds().observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  for (size_t i = 0; i < group.size(); ++i)
    add_to_index(current->index, {places[i], group[i].record.kind, group[i].record.head});
  current->end = offset;
  return {};
}

void Journal::State::succeeded(std::deque<Waiting>& group, const std::vector<Place>& places) {
  {
    const std::lock_guard held(lock);
    auto& segment = segments[current->header.number];
    for (const Place& place : places) {
      segment.live += place.octets();
      live_octets += place.octets();
    }
    disk_octets += current->end - segment.size;
    segment.size = current->end;
  }
  group_records().observe(static_cast<double>(group.size()));
  for (size_t i = 0; i < group.size(); ++i) {
    if (group[i].done) group[i].done(places[i]);
  }
}

// Nothing is known of the file's pages now: it is cut back to what was durable, and the next group begins a new one.
void Journal::State::failed(std::deque<Waiting>& group, const Error& error) {
  failures().add();
  log::error("journal.write_failed", {{"error", error.text()}, {"records", group.size()}});
  if (current && current->end == kSegmentHeader) {
    const uint64_t number = current->header.number;
    {
      const std::lock_guard held(lock);
      current_file.reset();
      current_number = 0;
      current.reset();
    }
    discard(number);
  } else if (current) {
    if (const auto cut = current->file->truncate(current->end); !cut) {
      log::error("journal.not_cut_back", {{"error", cut.error().text()}});
    }
    seal();
  }
  {
    const std::lock_guard held(lock);
    careful_until = std::chrono::steady_clock::now() + kCareful;
  }
  for (auto& each : group) {
    if (each.done) each.done(std::unexpected(error));
  }
}

void Journal::State::write(std::deque<Waiting>& group) {
  std::vector<Place> places;
  places.reserve(group.size());
  if (const auto done = put(group, places); done) {
    succeeded(group, places);
  } else {
    failed(group, done.error());
  }
}

void Journal::State::run() {
  std::unique_lock held(lock);
  for (;;) {
    while (!urgent && !stopping) {
      if (waiting.empty()) {
        wake.wait(held);
      } else if (wake.wait_for(held, options.lazy) == std::cv_status::timeout) {
        break;
      }
    }
    if (waiting.empty() && stopping) return;
    if (last_group > 1 && !stopping) {
      busy = true;  // nobody need wake this thread
      held.unlock();
      std::this_thread::sleep_for(options.gather);
      held.lock();
    }
    std::deque<Waiting> group;
    group.swap(waiting);
    last_group = std::exchange(awaited, 0);
    const uint64_t octets = std::exchange(waiting_octets, 0);
    urgent = false;
    busy = true;
    disk_octets += octets;  // until it is known what it really took
    held.unlock();
    const size_t count = group.size();
    if (!group.empty()) write(group);
    group.clear();
    held.lock();
    disk_octets -= octets;
    finished += count;
    busy = false;
    idle.notify_all();
  }
}

Result<std::shared_ptr<const File>> Journal::State::file_of(uint64_t segment) const {
  {
    const std::lock_guard held(lock);
    if (segment == current_number && current_file) return current_file;
  }
  auto file = disk.open(path(segment_name(segment)));
  if (!file) return std::unexpected(file.error());
  return std::shared_ptr<const File>(std::move(*file));
}

Journal::Journal(std::unique_ptr<State> state) : state_(std::move(state)) {}

Journal::~Journal() {
  {
    const std::lock_guard held(state_->lock);
    state_->stopping = true;
  }
  state_->wake.notify_one();
  if (state_->thread.joinable()) state_->thread.join();
  state_->seal();
}

Result<std::unique_ptr<Journal>> Journal::open(Options options, Disk& disk, const Replay& replay) {
  auto state = std::make_unique<State>(std::move(options), disk);
  if (auto recovered = state->recover(replay); !recovered) return std::unexpected(recovered.error());
  std::unique_ptr<Journal> journal(new Journal(std::move(state)));
  journal->state_->thread = std::thread([state = journal->state_.get()] { state->run(); });
  return journal;
}

const std::vector<Damage>& Journal::damage() const { return state_->damage; }

void Journal::append(Record record, Done done) {
  uint64_t octets = record_octets(record.head.size(), 0);
  for (const auto piece : record.body) octets += piece.size();
  bool first = false;
  {
    const std::lock_guard held(state_->lock);
    state_->waiting.push_back({std::move(record), std::move(done)});
    state_->waiting_octets += octets;
    ++state_->awaited;
    ++state_->appended;
    first = !std::exchange(state_->urgent, true) && !state_->busy;
  }
  if (first) state_->wake.notify_one();
}

void Journal::append_lazily(Record record, Done done) {
  bool first = false;
  {
    const std::lock_guard held(state_->lock);
    first = state_->waiting.empty() && !state_->busy;
    state_->waiting_octets += record_octets(record.head.size(), 0);
    state_->waiting.push_back({std::move(record), std::move(done)});
    ++state_->appended;
  }
  if (first) state_->wake.notify_one();
}

void Journal::flush() {
  std::unique_lock held(state_->lock);
  if (!state_->waiting.empty()) {
    state_->urgent = true;
    state_->wake.notify_one();
  }
  const uint64_t all = state_->appended;  // what others append meanwhile is not waited for: it might never end
  state_->idle.wait(held, [this, all] { return state_->finished >= all; });
}

bool Journal::has_room(uint64_t octets) const {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard held(state_->lock);
  if (now < state_->careful_until) return false;
  if (now >= state_->free_asked + kFreeIsFresh) {
    state_->free_octets = state_->disk.free_octets(state_->options.directory);
    state_->free_asked = now;
  }
  const uint64_t coming = state_->waiting_octets + octets;
  // A segment's worth is kept back for what must be written even then: the ends of mails, and what cleaning copies.
  return state_->disk_octets + coming + std::min(state_->options.segment, state_->options.budget / 4) <=
             state_->options.budget &&
         state_->free_octets >= state_->options.reserve + coming;
}

uint64_t Journal::disk_octets() const {
  const std::lock_guard held(state_->lock);
  return state_->disk_octets;
}

Result<std::string> Journal::read_head(const Place& place) const {
  auto file = state_->file_of(place.segment);
  if (!file) return std::unexpected(file.error());
  auto head = (*file)->read(place.offset + kRecordHeader, place.head);
  if (!head) return head;
  auto checked = state_->header_of(**file, place);
  if (!checked) return std::unexpected(checked.error());
  if (head->size() != place.head || !is_sound(checked->first, checked->second.seed, place.offset, *head)) {
    return fail("the record's checksum does not hold", state_->path(segment_name(place.segment)), Blame::environment);
  }
  return head;
}

Result<std::pair<std::string, SegmentHeader>> Journal::State::header_of(const File& file, const Place& place) const {
  const auto top = file.read(0, kSegmentHeader);
  if (!top) return std::unexpected(top.error());
  auto header = file.read(place.offset, kRecordHeader);
  if (!header) return std::unexpected(header.error());
  const auto segment = decode_segment(*top);
  if (!segment || header->size() != kRecordHeader) {
    return fail("the file is not what it was", path(segment_name(place.segment)), Blame::environment);
  }
  return std::pair(std::move(*header), *segment);
}

Result<std::string> Journal::read_body(const Place& place) const {
  auto file = state_->file_of(place.segment);
  if (!file) return std::unexpected(file.error());
  const auto header = state_->header_of(**file, place);
  if (!header) return std::unexpected(header.error());
  auto body = (*file)->read(place.offset + kRecordHeader + place.head, static_cast<size_t>(place.body));
  if (!body) return body;
  const auto fields = decode_record(header->first);
  BodySum sum(header->second.seed, place.offset);
  sum.add(*body);
  if (!fields || body->size() != place.body || (place.body > 0 && sum.value() != fields->body_sum)) {
    return fail("the record's checksum does not hold", state_->path(segment_name(place.segment)), Blame::environment);
  }
  return body;
}

void Journal::retire(const Place& place) {
  const std::lock_guard held(state_->lock);
  const auto segment = state_->segments.find(place.segment);
  if (segment == state_->segments.end()) return;
  const uint64_t octets = std::min(place.octets(), segment->second.live);
  segment->second.live -= octets;
  state_->live_octets -= octets;
}

std::optional<uint64_t> Journal::to_clean() const {
  const std::lock_guard held(state_->lock);
  if (state_->segments.empty()) return std::nullopt;
  const auto& [number, oldest] = *state_->segments.begin();
  if (!oldest.sealed) return std::nullopt;
  const uint64_t garbage = state_->disk_octets - std::min(state_->live_octets, state_->disk_octets);
  const bool cheap = oldest.live <= oldest.size / 4;
  const bool pays = garbage > state_->live_octets + state_->options.segment;
  const bool tight = state_->disk_octets > state_->options.budget / 5 * 4 && garbage > state_->disk_octets / 10;
  if (cheap || pays || tight) return number;
  return std::nullopt;
}

bool Journal::is_empty(uint64_t segment) const {
  const std::lock_guard held(state_->lock);
  const auto known = state_->segments.find(segment);
  return known == state_->segments.end() || known->second.live == 0;
}

void Journal::set_aside(uint64_t segment) {
  const std::lock_guard held(state_->lock);
  state_->damaged.insert(segment);
}

Result<void> Journal::drop(uint64_t segment) {
  const std::string file = state_->path(segment_name(segment));
  bool unlinked = false, is_damaged = false;
  {
    const std::lock_guard held(state_->lock);
    // What is damaged is kept for whoever wants to look for more in it than we find.
    is_damaged = state_->damaged.contains(segment);
    const auto known = state_->segments.find(segment);
    unlinked = known != state_->segments.end() && known->second.unlinked;
  }
  if (!unlinked) {
    if (auto gone = is_damaged ? state_->disk.rename(file, file + ".damaged") : state_->disk.remove(file); !gone) {
      return gone;
    }
    const std::lock_guard held(state_->lock);
    if (const auto known = state_->segments.find(segment); known != state_->segments.end()) {
      known->second.unlinked = true;  // should the next step fail, it is tried again from there
    }
  }
  static_cast<void>(state_->disk.remove(state_->path(index_name(segment))));
  // Before anything newer is dropped: or a crash could bring back this one, and not the records that cancel its mails.
  if (auto done = state_->disk.sync_directory(state_->options.directory); !done) return done;
  const std::lock_guard held(state_->lock);
  const auto known = state_->segments.find(segment);
  if (known == state_->segments.end()) return {};
  state_->disk_octets -= std::min(state_->disk_octets, known->second.size);
  state_->live_octets -= std::min(state_->live_octets, known->second.live);
  state_->segments.erase(known);
  return {};
}

}  // namespace doorward::journal
