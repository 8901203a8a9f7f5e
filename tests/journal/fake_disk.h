// A disk in memory that remembers what was made durable: it can lose its power at any moment, fill up, and fail.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "journal/disk.h"

namespace doorward::journal {

class FakeDisk final : public Disk {
 public:
  static constexpr size_t kBlock = 512;  // what a disk writes wholly or not at all

  struct Write {
    uint64_t offset = 0;
    std::string bytes;
    bool is_truncation = false;  // to `offset`
    uint64_t number = 0;         // in the order in which they came, over all files
  };
  struct Inode {
    std::string durable;          // what survives
    std::vector<Write> unsynced;  // what may survive, block by block
    std::string now;              // what a reader sees
  };

  // What may be set at any time.
  std::atomic<uint64_t> capacity = UINT64_MAX;  // octets of all files; beyond it writes fail
  std::atomic<bool> writes_fail = false, syncs_fail = false, removes_fail = false;
  std::atomic<bool> syncs_do_nothing = false;  // of files: as if their writer were killed before each
  std::atomic<size_t> removes{0};
  std::atomic<int> good_syncs = -1;  // that still succeed, then they fail; < 0: all do
  std::atomic<size_t> syncs = 0;
  mutable std::atomic<uint64_t> octets_read = 0;
  std::atomic<uint64_t> largest_write = 0;                 // octets
  std::function<void(const std::string& path)> on_open{};  // before a file is opened to be read
  std::function<void()> on_change{};                       // before and after each operation that changes the disk

  // The disk after a power cut at this moment: of what was not synced, each block and each name survives by chance.
  // `chance` 0: nothing does; 1: everything.
  std::unique_ptr<FakeDisk> after_power_cut(std::mt19937_64& dice, double chance) const {
    const std::lock_guard held(lock_);
    auto cut = std::make_unique<FakeDisk>();
    std::bernoulli_distribution survives(chance);
    auto names = durable_names_;
    for (const auto& [name, inode] : names_) {
      if (!names.contains(name) && survives(dice)) names[name] = inode;
    }
    for (auto it = names.begin(); it != names.end();) {
      const auto now = names_.find(it->first);
      const bool unchanged = now != names_.end() && now->second == it->second;
      if (!unchanged && survives(dice)) {
        if (now == names_.end()) {
          it = names.erase(it);
          continue;
        }
        it->second = now->second;
      }
      ++it;
    }
    for (const auto& [name, inode] : names) {
      auto kept = std::make_shared<Inode>();
      kept->durable = inode->durable;
      for (const auto& write : inode->unsynced) apply(kept->durable, write, dice, survives);
      kept->now = kept->durable;
      cut->names_[name] = cut->durable_names_[name] = std::move(kept);
    }
    return cut;
  }

  // The disk after a power cut that let the first `blocks` blocks through of what was not synced, in the order in which
  // they were written, and every name: each prefix of the writes, the last one torn at each block.
  std::unique_ptr<FakeDisk> after_prefix(size_t blocks) const {
    const std::lock_guard held(lock_);
    auto cut = std::make_unique<FakeDisk>();
    std::vector<std::pair<const Write*, Inode*>> writes;
    for (const auto& [name, inode] : names_) {
      auto kept = std::make_shared<Inode>();
      kept->durable = inode->durable;
      for (const auto& write : inode->unsynced) writes.emplace_back(&write, kept.get());
      cut->names_[name] = cut->durable_names_[name] = std::move(kept);
    }
    std::ranges::sort(writes, {}, [](const auto& each) { return each.first->number; });
    for (const auto& [write, inode] : writes) apply_front(inode->durable, *write, blocks);
    for (const auto& [name, inode] : cut->names_) inode->now = inode->durable;
    return cut;
  }
  size_t unsynced_blocks() const {
    const std::lock_guard held(lock_);
    size_t blocks = 0;
    for (const auto& [name, inode] : names_)
      for (const auto& write : inode->unsynced) blocks += blocks_of(write);
    return blocks;
  }

  uint64_t octets() const {
    const std::lock_guard held(lock_);
    return used();
  }
  std::string& contents(const std::string& path) { return names_.at(path)->now; }
  bool has(const std::string& path) const {
    const std::lock_guard held(lock_);
    return names_.contains(path);
  }
  std::vector<std::string> names() const {
    const std::lock_guard held(lock_);
    std::vector<std::string> all;
    for (const auto& [name, inode] : names_) all.push_back(name);
    return all;
  }

  Result<void> make_directory(const std::string&) override { return {}; }
  Result<std::unique_ptr<File>> create(const std::string& path) override {
    const Change change(*this);
    const std::lock_guard held(lock_);
    if (writes_fail) return fail("cannot create", path);
    auto [place, fresh] = names_.emplace(path, std::make_shared<Inode>());
    if (!fresh) return fail("is there already", path);
    return std::make_unique<FakeFile>(*this, place->second, path);
  }
  Result<std::unique_ptr<File>> open(const std::string& path) const override {
    if (on_open) on_open(path);
    const std::lock_guard held(lock_);
    const auto found = names_.find(path);
    if (found == names_.end()) return fail("is not there", path);
    return std::make_unique<FakeFile>(const_cast<FakeDisk&>(*this), found->second, path);
  }
  Result<std::vector<std::string>> list(const std::string& directory) const override {
    const std::lock_guard held(lock_);
    std::vector<std::string> found;
    for (const auto& [name, inode] : names_) {
      if (name.starts_with(directory + "/")) found.push_back(name.substr(directory.size() + 1));
    }
    return found;
  }
  Result<void> remove(const std::string& path) override {
    const Change change(*this);
    const std::lock_guard held(lock_);
    ++removes;
    if (removes_fail) return fail("input/output error", path);
    if (names_.erase(path) == 0) return fail("is not there", path);
    return {};
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    const Change change(*this);
    const std::lock_guard held(lock_);
    const auto found = names_.find(from);
    if (found == names_.end()) return fail("is not there", from);
    names_[to] = found->second;
    names_.erase(from);
    return {};
  }
  Result<void> sync_directory(const std::string&) override {
    const Change change(*this);
    const std::lock_guard held(lock_);
    if (syncs_fail || is_used_up()) return fail("cannot sync", "directory");
    durable_names_ = names_;
    return {};
  }
  Result<std::unique_ptr<File>> lock(const std::string& path) override {
    return std::make_unique<FakeFile>(*this, std::make_shared<Inode>(), path);
  }
  uint64_t free_octets(const std::string&) const override {
    const std::lock_guard held(lock_);
    const uint64_t most = capacity;
    return most - std::min(most, used());
  }

 private:
  class Change {
   public:
    explicit Change(FakeDisk& disk) : disk_(disk) {
      if (disk_.on_change) disk_.on_change();
    }
    ~Change() {
      if (disk_.on_change) disk_.on_change();
    }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    FakeDisk& disk_;
  };
  class FakeFile final : public File {
   public:
    FakeFile(FakeDisk& disk, std::shared_ptr<Inode> inode, std::string path)
        : disk_(disk), inode_(std::move(inode)), path_(std::move(path)) {}

    Result<void> write(uint64_t offset, std::span<const std::string_view> pieces) override {
      const Change change(disk_);
      const std::lock_guard held(disk_.lock_);
      std::string bytes;
      for (const auto piece : pieces) bytes += piece;
      disk_.largest_write = std::max<uint64_t>(disk_.largest_write.load(), bytes.size());
      const uint64_t end = offset + bytes.size();
      const uint64_t grows = end - std::min<uint64_t>(end, inode_->now.size());
      const bool full = disk_.used() + grows > disk_.capacity;
      if (full || disk_.writes_fail) bytes.resize(bytes.size() / 2);  // a part may be there
      if (inode_->now.size() < offset + bytes.size()) inode_->now.resize(offset + bytes.size());
      inode_->now.replace(offset, bytes.size(), bytes);
      inode_->unsynced.push_back({offset, std::move(bytes), false, disk_.writes_++});
      if (full) return fail("no space left on device", path_);
      if (disk_.writes_fail) return fail("input/output error", path_);
      return {};
    }
    Result<void> sync() override {
      const Change change(disk_);
      const std::lock_guard held(disk_.lock_);
      ++disk_.syncs;
      if (disk_.syncs_do_nothing) return {};
      if (disk_.syncs_fail || disk_.is_used_up()) {
        // As Linux does it: the pages are dropped, and a second call would say that all is well.
        inode_->unsynced.clear();
        inode_->now = inode_->durable;
        return fail("input/output error", path_);
      }
      inode_->durable = inode_->now;
      inode_->unsynced.clear();
      return {};
    }
    Result<void> truncate(uint64_t size) override {
      const Change change(disk_);
      const std::lock_guard held(disk_.lock_);
      inode_->now.resize(size);
      inode_->unsynced.push_back({size, "", true, disk_.writes_++});
      return {};
    }
    Result<std::string> read(uint64_t offset, size_t octets) const override {
      const std::lock_guard held(disk_.lock_);
      if (offset >= inode_->now.size()) return std::string();
      std::string bytes = inode_->now.substr(offset, octets);
      disk_.octets_read += bytes.size();
      return bytes;
    }
    Result<uint64_t> size() const override {
      const std::lock_guard held(disk_.lock_);
      return inode_->now.size();
    }

   private:
    FakeDisk& disk_;
    std::shared_ptr<Inode> inode_;
    std::string path_;
  };

  static void apply(std::string& to, const Write& write, std::mt19937_64& dice, std::bernoulli_distribution& survives) {
    if (write.is_truncation) {
      if (survives(dice)) to.resize(std::min<size_t>(to.size(), write.offset));
      return;
    }
    for (size_t at = 0; at < write.bytes.size();) {
      const uint64_t place = write.offset + at;
      const size_t octets = std::min<size_t>(kBlock - place % kBlock, write.bytes.size() - at);
      if (survives(dice)) {
        if (to.size() < place + octets) to.resize(place + octets);
        to.replace(place, octets, write.bytes, at, octets);
      }
      at += octets;
    }
  }

  static size_t blocks_of(const Write& write) {
    if (write.is_truncation || write.bytes.empty()) return 1;
    return (write.offset + write.bytes.size() - 1) / kBlock - write.offset / kBlock + 1;
  }
  // As much of it as `blocks` has left, from its beginning on; takes them off.
  static void apply_front(std::string& to, const Write& write, size_t& blocks) {
    const size_t taken = std::min(blocks, blocks_of(write));
    blocks -= taken;
    if (taken == 0) return;
    if (write.is_truncation) return to.resize(std::min<size_t>(to.size(), write.offset));
    const size_t octets = std::min<size_t>(write.bytes.size(), taken * kBlock - write.offset % kBlock);
    if (to.size() < write.offset + octets) to.resize(write.offset + octets);
    to.replace(write.offset, octets, write.bytes, 0, octets);
  }
  bool is_used_up() {
    if (good_syncs < 0) return false;
    if (good_syncs == 0) return true;
    --good_syncs;
    return false;
  }
  uint64_t used() const {
    uint64_t octets = 0;
    for (const auto& [name, inode] : names_) octets += inode->now.size();
    return octets;
  }

  mutable std::recursive_mutex lock_;
  std::map<std::string, std::shared_ptr<Inode>> names_, durable_names_;
  uint64_t writes_ = 0;
};

}  // namespace doorward::journal
