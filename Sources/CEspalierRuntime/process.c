// The process-wide stop flag, and what the loader needs that Swift's Glibc module hides.
#define _GNU_SOURCE
#include "espalier_runtime.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>

static atomic_int cancelled;

void espalier_cancel(int32_t value) { atomic_store(&cancelled, value); }

int32_t espalier_cancelled(void) { return atomic_load_explicit(&cancelled, memory_order_relaxed); }

void *espalier_library_open(const char *file) {
  return dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

const char *espalier_symbol_file(const void *symbol) {
  Dl_info info;
  return dladdr(symbol, &info) ? info.dli_fname : NULL;
}

void espalier_start_writing(int32_t descriptor, int64_t position, int64_t count) {
  /* A wish: what fails here is found when the file is synced. */
  sync_file_range(descriptor, position, count, SYNC_FILE_RANGE_WRITE);
}
