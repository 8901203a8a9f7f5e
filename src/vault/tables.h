// The vault's metadata and keys in the database. The bodies themselves lie in the journal.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "journal/recovery.h"
#include "store/database.h"
#include "vault/entry.h"

namespace doorward::vault {

// One sealed content in the journal, shared by the entries of one mail that get the same version of it.
struct Body {
  std::string id;
  journal::Place place;
};

// Used by one thread at a time.
class Tables {
 public:
  // Every commit is on stable storage; what is deleted is overwritten with zeros.
  static Result<std::unique_ptr<Tables>> open(const std::string& path);

  Result<void> transaction(const std::function<Result<void>()>& work) { return database_->transaction(work); }

  Result<std::vector<Body>> bodies();
  Result<std::vector<Body>> bodies_of_segment(uint64_t segment);
  Result<void> add_body(const Body& body);
  Result<void> move_body(const Body& body);
  // Bodies that no entry has a key to any more: their rows are gone after that.
  Result<std::vector<Body>> take_orphans();

  // The entry that stands for the recipient's copy already: of this very mail in any state, or of the same content as
  // long as it is kept.
  struct Same {
    std::string id;
    bool of_this_mail = false;
  };
  Result<std::optional<Same>> find_same(std::string_view mail, std::string_view recipient_key,
                                        std::string_view content);
  Result<void> keep_until(std::string_view id, SystemTime expires);  // if that is later than it says
  Result<void> stand_for_nothing(std::string_view id);  // no mail of the same content is known by it any more
  Result<void> add(const Entry& entry, std::string_view recipient_key, std::string_view domain_name,
                   std::string_view content, std::string_view body, std::string_view key);
  Result<std::optional<Entry>> find(std::string_view id);
  // Newest first, at most `most`.
  Result<std::vector<Entry>> list(const Filter& filter, size_t most);
  struct Key {
    Body body;
    std::string key;
  };
  Result<std::optional<Key>> key_of(std::string_view id);
  // False where the entry is not in state `from`.
  Result<bool> change(std::string_view id, State from, State to, SystemTime now);
  // Its key goes, and what it says of people; what is left keeps a repeated import from making it again.
  Result<bool> erase(std::string_view id, State to, SystemTime now);
  Result<std::vector<std::string>> due(SystemTime now, size_t most);
  Result<void> forget_ended(SystemTime before);
  // What was deleted leaves the write-ahead log as well.
  Result<void> settle();
  Result<uint64_t> count(State state);

 private:
  explicit Tables(std::unique_ptr<store::Database> database) : database_(std::move(database)) {}
  Result<std::vector<Body>> read_bodies(std::string_view sql, std::optional<uint64_t> segment);
  std::unique_ptr<store::Database> database_;
};

}  // namespace doorward::vault
