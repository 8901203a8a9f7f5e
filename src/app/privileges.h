// Root is needed to bind port 25, and for nothing after that.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/error.h"

namespace doorward::app {

struct Account {
  uid_t user;
  gid_t group;
};

// Who to become: none when we are not root, or may stay root and no user is named.
Result<std::optional<Account>> account_to_become(const std::string& user, const std::string& group, bool may_stay_root);

// Whose the files are to be that a command writes: none when we are not root, or there is no such user (a trial).
std::optional<Account> owner_of_files(const std::string& user, const std::string& group);

// Makes the folder where it is missing and gives it to the account.
Result<void> make_folder_for(const std::string& path, const std::optional<Account>& account);

// Acts as the account for its lifetime, so that files made meanwhile are the account's and not root's.
class ActingAs {
 public:
  explicit ActingAs(const std::optional<Account>& account);
  ~ActingAs();
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;

 private:
  bool acting_;
};

// The same for the files of this thread alone: others go on reading as root.
class FilesAs {
 public:
  explicit FilesAs(const std::optional<Account>& account);
  ~FilesAs();
  FilesAs(const FilesAs&) = delete;
  FilesAs& operator=(const FilesAs&) = delete;

 private:
  bool acting_;
};

// Becomes the account (and nothing more) for good.
Result<void> drop_root(const std::optional<Account>& account);

}  // namespace doorward::app
