// The thread pool of the process: one loop at a time, the caller takes part.
//
// A loop is published as one 64-bit word, generation << 32 | next slice << 16 | slices. Whoever wants a
// slice advances the word by compare-and-swap, so a late worker cannot take work of a newer loop: the
// generation differs. Whoever holds a slice may read the loop's fields, because the loop cannot end
// before that slice is done. Idle workers spin for a moment, then sleep on a futex.
#define _GNU_SOURCE
#include "espalier_runtime.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 1024
#define SLICES_PER_THREAD 4
#define SPIN_NANOSECONDS 20000

static struct {
  pthread_mutex_t leader; // held by the one who runs a loop or changes the number of threads
  pthread_t workers[MAX_THREADS];
  atomic_uint threads; // with the caller; 0: not started
  int64_t spin_nanoseconds;

  _Alignas(64) atomic_uint_fast64_t claim;
  _Alignas(64) atomic_uint signal; // changes when there is something to do; workers sleep on it
  atomic_uint sleepers;
  atomic_bool stopping;
  _Alignas(64) atomic_uint remaining; // slices not done; the leader sleeps on it
  atomic_bool leader_sleeps;

  // The loop; written by the leader before `claim`, read by holders of a slice.
  espalier_pool_body body;
  void *argument;
  int64_t count;
} pool = {.leader = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local bool inside_loop;
static _Thread_local uint32_t current_worker;

static void futex_wait(atomic_uint *word, unsigned value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(atomic_uint *word, int how_many) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, how_many, NULL, NULL, 0);
}

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void pause_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Spins while `word` has this value, for the pool's spin time at most.
static void spin_while(atomic_uint *word, unsigned value) {
  if (pool.spin_nanoseconds == 0) return;
  int64_t end = nanoseconds() + pool.spin_nanoseconds;
  do {
    for (int i = 0; i < 64; i++) {
      if (atomic_load_explicit(word, memory_order_acquire) != value) return;
      pause_cpu();
    }
  } while (nanoseconds() < end);
}

static int64_t slice_begin(int64_t count, int64_t slices, int64_t slice) {
  int64_t base = count / slices, rest = count % slices;
  return slice * base + (slice < rest ? slice : rest);
}

static void finish_slice(void) {
  if (atomic_fetch_sub(&pool.remaining, 1) == 1 && atomic_load(&pool.leader_sleeps))
    futex_wake(&pool.remaining, 1);
}

// Takes slices of the current loop until none is left.
static void work(uint32_t worker) {
  uint_fast64_t claim = atomic_load_explicit(&pool.claim, memory_order_acquire);
  for (;;) {
    int64_t slices = (int64_t)(claim & 0xffff), slice = (int64_t)(claim >> 16 & 0xffff);
    if (slice >= slices) return;
    if (!atomic_compare_exchange_weak(&pool.claim, &claim, claim + 0x10000)) continue;
    int64_t begin = slice_begin(pool.count, slices, slice);
    int64_t end = slice_begin(pool.count, slices, slice + 1);
    pool.body(pool.argument, begin, end, worker);
    finish_slice();
    claim = atomic_load_explicit(&pool.claim, memory_order_acquire);
  }
}

static void *worker_main(void *argument) {
  current_worker = (uint32_t)(uintptr_t)argument;
  inside_loop = true; // a loop inside a body runs serially
  for (;;) {
    unsigned seen = atomic_load(&pool.signal);
    if (atomic_load(&pool.stopping)) return NULL;
    work(current_worker);
    spin_while(&pool.signal, seen);
    if (atomic_load(&pool.signal) != seen) continue;
    atomic_fetch_add(&pool.sleepers, 1);
    futex_wait(&pool.signal, seen); // returns at once if the signal has changed
    atomic_fetch_sub(&pool.sleepers, 1);
  }
}

static void wake_workers(int how_many) {
  atomic_fetch_add(&pool.signal, 1);
  if (atomic_load(&pool.sleepers) > 0) futex_wake(&pool.signal, how_many);
}

uint32_t espalier_available_cores(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
    return (uint32_t)CPU_COUNT(&set);
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (uint32_t)online : 1;
}

static uint32_t default_threads(void) {
  const char *text = getenv("ESPALIER_NUM_THREADS");
  if (text && *text) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno == 0 && *end == 0 && value >= 1 && value <= MAX_THREADS) return (uint32_t)value;
  }
  uint32_t cores = espalier_available_cores();
  return cores < MAX_THREADS ? cores : MAX_THREADS;
}

// Ends all workers; the caller holds `leader`.
static void stop_workers(void) {
  uint32_t threads = atomic_load(&pool.threads);
  atomic_store(&pool.stopping, true);
  wake_workers(MAX_THREADS);
  for (uint32_t i = 1; i < threads; i++) pthread_join(pool.workers[i], NULL);
  atomic_store(&pool.stopping, false);
  atomic_store(&pool.threads, 0);
}

// Starts the workers; the caller holds `leader`.
static void start_workers(uint32_t threads) {
  pool.spin_nanoseconds = threads > espalier_available_cores() ? 0 : SPIN_NANOSECONDS;
  // Signals belong to the threads of the program, not to the workers.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  uint32_t started = 1;
  while (started < threads
         && pthread_create(&pool.workers[started], NULL, worker_main, (void *)(uintptr_t)started) == 0) {
    pthread_setname_np(pool.workers[started], "espalier-pool");
    started++;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  atomic_store(&pool.threads, started);
}

uint32_t espalier_pool_start(uint32_t threads) {
  if (inside_loop) return atomic_load(&pool.threads);
  if (threads > MAX_THREADS) threads = MAX_THREADS;
  if (threads == 0) threads = default_threads();
  pthread_mutex_lock(&pool.leader);
  if (atomic_load(&pool.threads) != threads) {
    stop_workers();
    start_workers(threads);
  }
  uint32_t result = atomic_load(&pool.threads);
  pthread_mutex_unlock(&pool.leader);
  return result;
}

uint32_t espalier_pool_threads(void) {
  uint32_t threads = atomic_load(&pool.threads);
  if (threads > 0) return threads;
  if (inside_loop) return 1;
  pthread_mutex_lock(&pool.leader);
  if (atomic_load(&pool.threads) == 0) start_workers(default_threads());
  threads = atomic_load(&pool.threads);
  pthread_mutex_unlock(&pool.leader);
  return threads;
}

int64_t espalier_pool_slices(int64_t count, int64_t grain, uint32_t threads) {
  if (count <= 0) return 0;
  if (threads <= 1) return 1;
  int64_t most = count / (grain > 0 ? grain : 1);
  int64_t limit = (int64_t)threads * SLICES_PER_THREAD;
  if (most > limit) most = limit;
  return most > 1 ? most : 1;
}

// Publishes the loop, takes part and waits until all is done; the caller holds `leader`.
static void run_loop(int64_t count, int64_t slices, espalier_pool_body body, void *argument) {
  pool.body = body;
  pool.argument = argument;
  pool.count = count;
  atomic_store(&pool.remaining, (unsigned)slices);
  uint_fast64_t generation = (atomic_load(&pool.claim) >> 32) + 1;
  atomic_store(&pool.claim, generation << 32 | (uint_fast64_t)slices);
  wake_workers((int)slices - 1);
  work(0);
  for (;;) {
    unsigned remaining = atomic_load(&pool.remaining);
    if (remaining == 0) return;
    spin_while(&pool.remaining, remaining);
    if (atomic_load(&pool.remaining) != remaining) continue;
    atomic_store(&pool.leader_sleeps, true);
    futex_wait(&pool.remaining, remaining); // returns at once if the number has changed
    atomic_store(&pool.leader_sleeps, false);
  }
}

void espalier_pool_for(int64_t count, int64_t grain, espalier_pool_body body, void *argument) {
  if (count <= 0) return;
  if (inside_loop) {
    body(argument, 0, count, current_worker);
    return;
  }
  espalier_pool_threads(); // starts the pool if nobody has
  pthread_mutex_lock(&pool.leader);
  int64_t slices = espalier_pool_slices(count, grain, atomic_load(&pool.threads));
  inside_loop = true;
  current_worker = 0;
  if (slices == 1) {
    body(argument, 0, count, 0);
  } else {
    run_loop(count, slices, body, argument);
  }
  inside_loop = false;
  pthread_mutex_unlock(&pool.leader);
}
