#include "app/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "base/log.h"

namespace doorward::app {

Result<std::optional<Account>> account_to_become(const std::string& user, const std::string& group,
                                                 bool may_stay_root) {
  if (geteuid() != 0) return std::nullopt;
  if (user.empty()) {
    if (!may_stay_root) {
      return fail("started as root without a user to change to; set user = \"doorward\"", "doorward.toml");
    }
    log::warning("serve.runs_as_root", {{"mend", "set user in doorward.toml"}});
    return std::nullopt;
  }
  const passwd* account = getpwnam(user.c_str());
  if (account == nullptr) {
    return fail("there is no user \"" + user + "\"; make one, or set user otherwise", "doorward.toml");
  }
  Account found{account->pw_uid, account->pw_gid};
  if (!group.empty()) {
    const struct group* named = getgrnam(group.c_str());
    if (named == nullptr) return fail("there is no group \"" + group + "\"", "doorward.toml");
    found.group = named->gr_gid;
  }
  return found;
}

std::optional<Account> owner_of_files(const std::string& user, const std::string& group) {
  if (user.empty() || geteuid() != 0 || getpwnam(user.c_str()) == nullptr) return std::nullopt;
  const auto account = account_to_become(user, group, true);
  return account ? *account : std::nullopt;
}

Result<void> make_folder_for(const std::string& path, const std::optional<Account>& account) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure) return fail("cannot make the folder: " + failure.message(), path);
  if (account && chown(path.c_str(), account->user, account->group) != 0) {
    return fail(std::string("cannot give the folder to the user: ") + std::strerror(errno), path);
  }
  return {};
}

ActingAs::ActingAs(const std::optional<Account>& account) : acting_(account.has_value()) {
  if (acting_ && (setegid(account->group) != 0 || seteuid(account->user) != 0)) {
    throw std::runtime_error(std::string("cannot act as the user to become: ") + std::strerror(errno));
  }
}

ActingAs::~ActingAs() {
  // Without root again, binding port 25 fails with a message of its own.
  if (acting_ && (seteuid(0) != 0 || setegid(0) != 0)) log::error("serve.root_not_back");
}

// Both calls tell no error, only what was before; a file that cannot be made then says so itself.
FilesAs::FilesAs(const std::optional<Account>& account) : acting_(account.has_value()) {
  if (!acting_) return;
  setfsgid(account->group);
  setfsuid(account->user);
}

FilesAs::~FilesAs() {
  if (!acting_) return;
  setfsuid(geteuid());
  setfsgid(getegid());
}

Result<void> drop_root(const std::optional<Account>& account) {
  if (!account) return {};
  if (setgroups(0, nullptr) != 0 || setresgid(account->group, account->group, account->group) != 0 ||
      setresuid(account->user, account->user, account->user) != 0) {
    return fail(std::string("cannot give up root: ") + std::strerror(errno));
  }
  // Nothing that is executed later may get more rights than we have.
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (account->user != 0 && setuid(0) == 0) return fail("root could be taken back after it was given up");
  return {};
}

}  // namespace doorward::app
