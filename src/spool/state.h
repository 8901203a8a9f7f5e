// What the files of this room share: the spool's state under its lock.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <unordered_map>

#include "journal/journal.h"
#include "spool/form.h"
#include "spool/lanes.h"
#include "spool/spool.h"
#include "spool/table.h"

namespace doorward::spool {

struct Spool::State {
  // A mail whose content is kept in memory until it was tried once.
  struct Fresh {
    std::shared_ptr<const Mail> mail;
    std::shared_ptr<const Content> content;
    size_t octets = 0;
    size_t untried = 0;  // parts
  };
  // In the order in which the mails came, so that the next one to grow too old stands in front.
  struct Aging {
    uint32_t slot = 0, serial = 0;
  };

  Options options;
  const Clock& clock;
  std::unique_ptr<journal::File> process_lock;
  std::unique_ptr<journal::Journal> journal;
  std::function<void(net::Core*)> wake;

  mutable std::mutex lock;  // of everything below; never held while the disk is waited for
  Table table;
  Lanes lanes{options};
  std::unordered_map<uint32_t, Fresh> fresh;  // by slot
  size_t fresh_octets = 0;
  std::deque<Aging> fresh_order;
  std::deque<Aging> expiring, warning;
  std::deque<Due> special;  // parts that are handed out whatever their lane says: expired, to be returned, to be warned
  std::minstd_rand dice{std::random_device{}()};
  std::vector<Key> unsaved;  // of whose present state the disk did not take the record: it is written again
  uint64_t recipients = 0, held = 0, stranded = 0;
  std::vector<journal::Place> garbage;  // found while the journal was being opened
  size_t unknown = 0;                   // records of another release

  std::condition_variable cleaner_wakes;
  bool stopping = false;
  std::thread cleaner;

  State(Options given, const Clock& time) : options(std::move(given)), clock(time) {}

  int64_t now() const { return clock.now().time_since_epoch().count(); }

  // What follows is called with the lock held.

  void insert(const Mail& mail, const journal::Place& place);
  void apply(const Progress& progress, const journal::Place& place);
  void erase(uint32_t slot);
  Part& add_part(Entry& entry, const Destination& destination, uint16_t version);
  void remove_part(Entry& entry, size_t part);
  void schedule(uint32_t slot, Part& part, int64_t at);
  void set_fate(Entry& entry, uint32_t recipient, Fate fate);
  void drop_fresh(uint32_t slot);
  bool make_room(size_t octets);  // in memory; false: there is none
  void age(int64_t now);
  int64_t retry_after(const Part& part);
  Progress progress_of(const Entry& entry) const;
  void save_progress(uint32_t slot);  // to the journal, lazily
  void save_done(uint32_t slot);      // likewise; the entry goes
  void write_done(const Key& key);    // the record alone
  // Ends what has nothing waiting: the mail is done, or stranded and kept.
  void settle(uint32_t slot);
  // A part that is to be handed out, with everything that the job needs from memory; kNone: stale.
  struct Handed {
    uint32_t slot = Table::kNone;
    size_t part = 0;
  };
  Handed find(const Due& due);
  Job job_of(uint32_t slot, size_t part, uint32_t lane);
  std::optional<Job> next(For whom, Key& key);
  void take_outcomes(Entry& entry, Part& part, std::vector<Outcome> outcomes, int64_t now);
  void set_unreadable(const Key& key, const Job& job);
  void replay(const journal::Found& found);
  void retire(const journal::Place& place);
  bool matches(const Filter& filter, const Entry& entry) const;
  bool unstrand(uint32_t slot);

  // These wait for the disk, and are called without the lock.

  std::shared_ptr<const Mail> read_mail(const Key& key);
  std::vector<Key> matching(const Filter& filter, size_t most);
  size_t each(const Filter& filter, const std::function<bool(uint32_t slot)>& act);
  void save_again();
  void clean();
  void clean_segment(uint64_t segment);
  uint64_t move(const Key& key, uint64_t out_of);
  void rest(SteadyTime::duration after);

  // What `read` makes of the place of that mail's record. The cleaner may move the record and drop its file in between:
  // then it is read where it is now.
  template <class T, class Read>
  Result<T> at_its_place(const Key& key, const Read& read) {
    for (;;) {
      std::optional<journal::Place> place = place_of(key);
      if (!place) return fail("the mail is no longer in the spool", id_of(key));
      Result<T> found = read(*place);
      if (found || place_of(key) == place) return found;
    }
  }
  std::optional<journal::Place> place_of(const Key& key) {
    const std::lock_guard guard(lock);
    const Entry* entry = table.find(key);
    return entry == nullptr ? std::nullopt : std::optional<journal::Place>(entry->mail);
  }
};

}  // namespace doorward::spool
