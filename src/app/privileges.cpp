#include "app/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"

namespace doorward::app {

Result<void> drop_root(const std::string& user, const std::string& group, bool may_stay_root) {
  if (geteuid() != 0) return {};
  if (user.empty()) {
    if (!may_stay_root)
      return fail("started as root without a user to change to; set user = \"doorward\"", "doorward.toml");
    log::warning("serve.runs_as_root", {{"mend", "set user in doorward.toml"}});
    return {};
  }
  const passwd* account = getpwnam(user.c_str());
  if (account == nullptr)
    return fail("there is no user \"" + user + "\"; make one, or set user otherwise", "doorward.toml");
  const uid_t uid = account->pw_uid;
  gid_t gid = account->pw_gid;
  if (!group.empty()) {
    const struct group* named = getgrnam(group.c_str());
    if (named == nullptr) return fail("there is no group \"" + group + "\"", "doorward.toml");
    gid = named->gr_gid;
  }
  if (setgroups(0, nullptr) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) {
    return fail(std::string("cannot give up root: ") + std::strerror(errno));
  }
  // Nothing that is executed later may get more rights than we have.
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (uid != 0 && setuid(0) == 0) return fail("root could be taken back after it was given up");
  return {};
}

}  // namespace doorward::app
