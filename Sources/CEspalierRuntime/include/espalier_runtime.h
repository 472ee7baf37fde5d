/* What the host needs from C: vectorised conversions and the thread pool. */
#ifndef ESPALIER_RUNTIME_H
#define ESPALIER_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

/* Conversions of `count` elements between storage types; half-precision pointers may be unaligned. */
void espalier_f16_to_f32(const void *_Nonnull source, float *_Nonnull target, size_t count);
void espalier_bf16_to_f32(const void *_Nonnull source, float *_Nonnull target, size_t count);
void espalier_f32_to_f16(const float *_Nonnull source, void *_Nonnull target, size_t count);
void espalier_f32_to_bf16(const float *_Nonnull source, void *_Nonnull target, size_t count);

/* ---- Thread pool ---- */

/* One slice [begin, end) of a loop; `worker` is below espalier_pool_threads(), and no two bodies that run
 * at the same time have the same. */
typedef void (*espalier_pool_body)(void *_Nullable argument, int64_t begin, int64_t end, uint32_t worker);

/* Starts the pool with this many threads, the caller of a loop counted, or changes their number; 0: from
 * ESPALIER_NUM_THREADS or the affinity mask. Returns the number. Call it before plugins are opened: they
 * may size scratch memory by the number of threads. */
uint32_t espalier_pool_start(uint32_t threads);

/* The number of threads; starts the pool if nobody has. */
uint32_t espalier_pool_threads(void);

/* Runs body over [0, count) in slices of at least `grain` and returns when all is done. The slices depend
 * on count, grain and the number of threads only, never on time; which worker takes which slice does
 * depend on time. A loop inside a body runs as one slice; loops of other threads wait for each other. */
void espalier_pool_for(
  int64_t count, int64_t grain, espalier_pool_body _Nonnull body, void *_Nullable argument);

/* The number of slices of such a loop; slice k covers count/slices elements, the first count%slices
 * slices one more. */
int64_t espalier_pool_slices(int64_t count, int64_t grain, uint32_t threads);

/* f32 operations per second of multiply-adds in registers on all threads of the pool, a multiply-add counted as two:
 * the fastest of several short rounds, less than a second in all. */
double espalier_multiply_add_peak(void);

/* The number of cores that the process may use. */
uint32_t espalier_available_cores(void);

/* ---- Process ---- */

/* Sets or clears the flag that asks long calls to stop; may be called in a signal handler. */
void espalier_cancel(int32_t value);
int32_t espalier_cancelled(void);

/* Makes the allocator give freed blocks of 64 KiB and more back to the system at once. Images and tensors come
 * and go on several threads; without it, what fragments between them stays resident. Call it first in main. */
void espalier_return_freed_memory(void);

/* Starts counting SIGINT and SIGTERM instead of dying of them; the second one also sets the flag above. */
void espalier_catch_stop_signals(void);
int32_t espalier_stop_signals(void);
/* The last of them, 0 if there was none. */
int32_t espalier_last_stop_signal(void);

/* dlopen, resolving all symbols now, hiding them from others, never unloading; null: see dlerror. */
void *_Nullable espalier_library_open(const char *_Nonnull file);

/* The file that a symbol lies in, as the loader names it, or null. */
const char *_Nullable espalier_symbol_file(const void *_Nonnull symbol);

/* Lets the disk begin to write a part of a file that was just written to memory. */
void espalier_start_writing(int32_t descriptor, int64_t position, int64_t count);

#endif
