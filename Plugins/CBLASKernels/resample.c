/* UPSAMPLE_NEAREST, AVG_POOL2D and their backwards, over maps [B,H,W,C]; one row of pixels per index. */
#include "kernel_list.h"
#include "tensor_access.h"

#include <string.h>

typedef struct map_job {
  const float *source;
  float *target;
  int64_t height, width;               /* of the source */
  int64_t target_height, target_width; /* of the target */
  int64_t channels;
  bool stream; /* the target */
} map_job;

/* Targets of this size and more go past the caches: they are larger than what finds room there, and memory is then
 * written without being read first. */
enum { streamed_bytes = 64 << 20 };

static const char *maps_check(const bk_call *call) {
  const bk_tensor *x = bk_input(call, 0), *y = bk_output(call, 0);
  BK_REQUIRE(bk_is_f32(x) && bk_is_f32(y), "needs f32 operands");
  BK_REQUIRE(x->rank == 4 && y->rank == 4, "operands are not [B,H,W,C]");
  BK_REQUIRE(x->dims[0] == y->dims[0] && x->dims[3] == y->dims[3], "operands differ in batch or channels");
  return 0;
}

/* Runs `rows` over the target's rows of pixels. */
static void run_rows(const bk_call *call, esp_parallel_body rows) {
  const bk_tensor *x = bk_input(call, 0), *y = bk_output(call, 0);
  map_job job = {x->data, y->data, x->dims[1], x->dims[2], y->dims[1], y->dims[2], x->dims[3], false};
  job.stream = bk_count(y) * 4 >= streamed_bytes && y->dims[3] % 16 == 0 && (uintptr_t)y->data % 64 == 0;
  bk_parallel(call, y->dims[0] * y->dims[1], rows, &job);
}

BK_CLONES static void add_pixel(float *restrict target, const float *restrict source, int64_t channels,
                                float factor) {
  for (int64_t c = 0; c < channels; c++) target[c] += factor * source[c];
}

/* ---- UPSAMPLE_NEAREST --------------------------------------------------------------------------- */

typedef float vector16 __attribute__((ext_vector_type(16)));
typedef float unaligned16 __attribute__((ext_vector_type(16), aligned(4)));

/* `target` is aligned to 64 bytes, `channels` a multiple of 16. */
BK_CLONES static void stream_pixel(float *target, const float *source, int64_t channels) {
  for (int64_t c = 0; c < channels; c += 16) {
    const vector16 value = *(const unaligned16 *)(source + c);
    __builtin_nontemporal_store(value, (vector16 *)(target + c));
  }
}

/* Streamed stores are seen by others before the slice is reported as done. */
static void finish_stream(void) {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#else
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

static void upsample_rows(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const map_job *job = argument;
  const size_t bytes = (size_t)job->channels * 4;
  for (int64_t row = begin; row < end; row++) {
    const int64_t sample = row / job->target_height, y = row % job->target_height;
    const int64_t from = sample * job->height + y * job->height / job->target_height;
    const float *source = job->source + from * job->width * job->channels;
    float *target = job->target + row * job->target_width * job->channels;
    for (int64_t x = 0; x < job->target_width; x++) {
      const float *pixel = source + x * job->width / job->target_width * job->channels;
      if (job->stream)
        stream_pixel(target + x * job->channels, pixel, job->channels);
      else
        memcpy(target + x * job->channels, pixel, bytes);
    }
  }
  if (job->stream) finish_stream();
}

/* The first index of the large side whose source is `k`: ceil(k·large/small). */
static int64_t first_copy(int64_t k, int64_t small, int64_t large) { return (k * large + small - 1) / small; }

/* Here the source is dy and the target dx. */
static void upsample_backward_rows(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const map_job *job = argument;
  const int64_t channels = job->channels;
  for (int64_t row = begin; row < end; row++) {
    const int64_t sample = row / job->target_height, y = row % job->target_height;
    const int64_t top = first_copy(y, job->target_height, job->height);
    const int64_t bottom = first_copy(y + 1, job->target_height, job->height);
    float *target = job->target + row * job->target_width * channels;
    memset(target, 0, (size_t)(job->target_width * channels) * 4);
    for (int64_t from = top; from < bottom; from++) {
      const float *source = job->source + (sample * job->height + from) * job->width * channels;
      for (int64_t x = 0; x < job->target_width; x++) {
        const int64_t right = first_copy(x + 1, job->target_width, job->width);
        for (int64_t k = first_copy(x, job->target_width, job->width); k < right; k++)
          add_pixel(target + x * channels, source + k * channels, channels, 1.0f);
      }
    }
  }
}

static void upsample_run(const bk_call *call) { run_rows(call, upsample_rows); }
static void upsample_backward_run(const bk_call *call) { run_rows(call, upsample_backward_rows); }

/* ---- AVG_POOL2D --------------------------------------------------------------------------------- */

static void pool_rows(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const map_job *job = argument;
  const int64_t channels = job->channels;
  for (int64_t row = begin; row < end; row++) {
    const int64_t sample = row / job->target_height, y = 2 * (row % job->target_height);
    const int64_t bottom = bk_min(y + 2, job->height);
    float *target = job->target + row * job->target_width * channels;
    memset(target, 0, (size_t)(job->target_width * channels) * 4);
    for (int64_t x = 0; x < job->target_width; x++) {
      const int64_t right = bk_min(2 * x + 2, job->width);
      const float factor = 1.0f / (float)((bottom - y) * (right - 2 * x));
      for (int64_t from = y; from < bottom; from++) {
        const float *source = job->source + (sample * job->height + from) * job->width * channels;
        for (int64_t k = 2 * x; k < right; k++)
          add_pixel(target + x * channels, source + k * channels, channels, factor);
      }
    }
  }
}

/* Here the source is dy and the target dx. */
static void pool_backward_rows(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const map_job *job = argument;
  const int64_t channels = job->channels;
  for (int64_t row = begin; row < end; row++) {
    const int64_t sample = row / job->target_height, y = row % job->target_height / 2;
    const int64_t tall = bk_min(2, job->target_height - 2 * y);
    const float *source = job->source + (sample * job->height + y) * job->width * channels;
    float *target = job->target + row * job->target_width * channels;
    memset(target, 0, (size_t)(job->target_width * channels) * 4);
    for (int64_t x = 0; x < job->target_width; x++) {
      const int64_t wide = bk_min(2, job->target_width - x / 2 * 2);
      add_pixel(target + x * channels, source + x / 2 * channels, channels, 1.0f / (float)(tall * wide));
    }
  }
}

static const char *pool_sides_check(const bk_tensor *large, const bk_tensor *small) {
  for (int32_t k = 1; k <= 2; k++)
    BK_REQUIRE(small->dims[k] == (large->dims[k] + 1) / 2, "the small side is not half the large one, rounded up");
  return 0;
}

static const char *pool_check(const bk_call *call) {
  const char *reason = maps_check(call);
  return reason ? reason : pool_sides_check(bk_input(call, 0), bk_output(call, 0));
}

static const char *pool_backward_check(const bk_call *call) {
  const char *reason = maps_check(call);
  return reason ? reason : pool_sides_check(bk_output(call, 0), bk_input(call, 0));
}

static void pool_run(const bk_call *call) { run_rows(call, pool_rows); }
static void pool_backward_run(const bk_call *call) { run_rows(call, pool_backward_rows); }

const bk_kernel bk_upsample_nearest = {.op = ESP_OP_UPSAMPLE_NEAREST, .check = maps_check, .run = upsample_run};
const bk_kernel bk_upsample_nearest_backward = {
    .op = ESP_OP_UPSAMPLE_NEAREST_BACKWARD, .check = maps_check, .run = upsample_backward_run};
const bk_kernel bk_avg_pool2d = {.op = ESP_OP_AVG_POOL2D, .check = pool_check, .run = pool_run};
const bk_kernel bk_avg_pool2d_backward = {
    .op = ESP_OP_AVG_POOL2D_BACKWARD, .check = pool_backward_check, .run = pool_backward_run};
