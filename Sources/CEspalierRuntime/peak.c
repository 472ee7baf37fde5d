// What the processors can do at most: multiply-adds in registers, on all threads of the pool.
#include "espalier_runtime.h"

#include <time.h>

typedef float line __attribute__((vector_size(64)));

enum { steps = 1 << 20, rounds = 60, widest = 12 };

// Independent chains of multiply-adds; `chains` is constant where this is inlined. More chains hide more latency, fewer
// fit into the registers.
static inline __attribute__((always_inline)) float run_chains(int chains) {
#pragma clang fp contract(fast)
  line sum[widest];
  const float factor = 0.999f, term = 0.001f;
#pragma clang loop unroll(full)
  for (int c = 0; c < chains; c++) sum[c] = (line){0} + (float)c;
  for (int k = 0; k < steps; k++) {
#pragma clang loop unroll(full)
    for (int c = 0; c < chains; c++) sum[c] = sum[c] * factor + term;
  }
  float total = 0;
#pragma clang loop unroll(full)
  for (int c = 0; c < chains; c++) total += sum[c][0];
  return total;
}

#if defined(__x86_64__)
#define TARGET(name) __attribute__((target(name), min_vector_width(512)))
TARGET("arch=x86-64-v4") static float six_512(void) { return run_chains(6); }
TARGET("arch=x86-64-v4") static float twelve_512(void) { return run_chains(widest); }
TARGET("arch=x86-64-v3") static float six_256(void) { return run_chains(6); }
#endif
static float six(void) { return run_chains(6); }

typedef float (*loop)(void);

static volatile float sink; // so that the chains are computed

static void body(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  for (int64_t k = begin; k < end; k++) sink = (*(loop *)argument)();
}

static double fastest(loop loop, int chains) {
  const int64_t pieces = espalier_pool_threads();
  double best = 0;
  for (int round = 0; round < rounds; round++) {
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    espalier_pool_for(pieces, 1, body, &loop);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    double rate = 2.0 * 16 * steps * chains * (double)pieces / seconds;
    if (rate > best) best = rate;
  }
  return best;
}

double espalier_multiply_add_peak(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) {
    double a = fastest(six_512, 6), b = fastest(twelve_512, widest);
    return a > b ? a : b;
  }
  if (__builtin_cpu_supports("x86-64-v3")) return fastest(six_256, 6);
#endif
  return fastest(six, 6);
}
