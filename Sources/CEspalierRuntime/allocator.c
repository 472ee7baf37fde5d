/* Settings of the C library's allocator. */
#include <malloc.h>

#include "espalier_runtime.h"

void espalier_return_freed_memory(void) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 64 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
  mallopt(M_ARENA_MAX, 2);
#endif
}
