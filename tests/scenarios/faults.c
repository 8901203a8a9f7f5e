// A disk that fills up and fails, for one folder of a program under test (LD_PRELOAD): what its journal writes, syncs and
// creates below FAULTS_UNDER goes wrong as the four numbers in the file FAULTS_CONTROL say.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct control {
  int64_t room;    // octets that the folder holds at most; < 0: no bound
  int64_t writes;  // of 1,000 writes so many fail, after half was written
  int64_t syncs;   // of 1,000 syncs so many fail; what was written since the last one is gone then, as Linux drops it
  int64_t failed;  // counted here
};
static volatile struct control* control;
static const char* under;

// What was written to a file since its last sync.
enum { kFiles = 1024, kRanges = 64 };
static struct {
  ino_t inode;
  int count;
  struct {
    off_t offset, octets;
  } ranges[kRanges];
} unsynced[kFiles];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void start(void) {
  under = getenv("FAULTS_UNDER");
  const char* path = getenv("FAULTS_CONTROL");
  if (under == NULL || path == NULL) return;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) abort();
  void* const mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) abort();
  control = mapped;
}

static int concerns(int file) {
  if (control == NULL || file < 0 || file >= kFiles) return 0;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, under, strlen(under)) == 0;
}

static int strikes(int64_t of_thousand) {
  if (random() % 1000 >= of_thousand) return 0;
  __atomic_add_fetch(&control->failed, 1, __ATOMIC_RELAXED);
  return 1;
}

static int64_t used(void) {
  int64_t octets = 0;
  DIR* const folder = opendir(under);
  if (folder == NULL) return 0;
  for (struct dirent* entry; (entry = readdir(folder)) != NULL;) {
    struct stat status;
    if (fstatat(dirfd(folder), entry->d_name, &status, 0) == 0 && S_ISREG(status.st_mode)) octets += status.st_size;
  }
  closedir(folder);
  return octets;
}

static int is_full(int64_t grows) {
  if (control == NULL || control->room < 0 || grows <= 0 || used() + grows <= control->room) return 0;
  __atomic_add_fetch(&control->failed, 1, __ATOMIC_RELAXED);
  return 1;
}

typedef ssize_t (*Writer)(int, const struct iovec*, int, off_t);

static ssize_t write_part(Writer writer, int file, const struct iovec* pieces, int count, off_t offset) {
  const int half = count / 2;
  if (half > 0) writer(file, pieces, half, offset);
  return -1;
}

static ssize_t faulty_write(Writer writer, int file, const struct iovec* pieces, int count, off_t offset) {
  if (!concerns(file)) return writer(file, pieces, count, offset);
  off_t octets = 0;
  for (int i = 0; i < count; ++i) octets += (off_t)pieces[i].iov_len;
  struct stat status;
  if (fstat(file, &status) != 0) return -1;
  if (is_full(offset + octets - status.st_size)) {
    write_part(writer, file, pieces, count, offset);
    errno = ENOSPC;
    return -1;
  }
  if (strikes(control->writes)) {
    write_part(writer, file, pieces, count, offset);
    errno = EIO;
    return -1;
  }
  pthread_mutex_lock(&lock);
  if (unsynced[file].inode != status.st_ino) unsynced[file].count = 0;  // the number was another file's
  unsynced[file].inode = status.st_ino;
  if (unsynced[file].count < kRanges) {
    unsynced[file].ranges[unsynced[file].count].offset = offset;
    unsynced[file].ranges[unsynced[file].count++].octets = octets;
  }
  pthread_mutex_unlock(&lock);
  return writer(file, pieces, count, offset);
}

ssize_t pwritev(int file, const struct iovec* pieces, int count, off_t offset) {
  return faulty_write((Writer)dlsym(RTLD_NEXT, "pwritev"), file, pieces, count, offset);
}
ssize_t pwritev64(int file, const struct iovec* pieces, int count, off64_t offset) {
  return faulty_write((Writer)dlsym(RTLD_NEXT, "pwritev64"), file, pieces, count, offset);
}

int fdatasync(int file) {
  int (*const real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  if (!concerns(file)) return real(file);
  static const char zeros[1 << 16];
  const int fails = strikes(control->syncs);
  struct stat status;
  if (fstat(file, &status) != 0) return -1;
  pthread_mutex_lock(&lock);
  if (unsynced[file].inode != status.st_ino) unsynced[file].count = 0;
  for (int i = 0; fails && i < unsynced[file].count; ++i) {
    off_t offset = unsynced[file].ranges[i].offset, left = unsynced[file].ranges[i].octets;
    while (left > 0) {
      const ssize_t done = pwrite(file, zeros, (size_t)(left < (off_t)sizeof zeros ? left : (off_t)sizeof zeros), offset);
      if (done <= 0) break;
      offset += done;
      left -= done;
    }
  }
  unsynced[file].count = 0;
  pthread_mutex_unlock(&lock);
  if (!fails) return real(file);
  errno = EIO;
  return -1;
}
