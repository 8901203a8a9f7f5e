#include "app/start_memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace doorward::app {
namespace {

// Segments that nobody may write to hold what stands in the file and nothing else: dropping their pages loses nothing.
// (What the loader relocates, and protects only then, lies in writable segments.)
int drop_unwritable_pages(dl_phdr_info* loaded, size_t, void*) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (size_t at = 0; at < loaded->dlpi_phnum; ++at) {
    const auto& segment = loaded->dlpi_phdr[at];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const uintptr_t begin = loaded->dlpi_addr + segment.p_vaddr;
    const uintptr_t first = begin / page * page, end = (begin + segment.p_memsz + page - 1) / page * page;
    ::madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void give_back_start_memory() {
  ::malloc_trim(0);
  ::dl_iterate_phdr(drop_unwritable_pages, nullptr);
}

}  // namespace doorward::app
