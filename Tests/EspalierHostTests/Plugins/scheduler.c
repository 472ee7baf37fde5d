// Two scheduler classes: `half` halves the sample at every step, `broken` returns NaN at call 1.
#include <espalier_plugin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef NAME
#define NAME "sample"
#endif
#ifndef FACTOR
#define FACTOR 0.5f
#endif

struct esp_scheduler {
  int broken, destroyed;
  uint32_t steps;
};

static const esp_option_description factor = {sizeof factor, ESP_OPTION_NUMBER, "factor", "A factor.", "1", NULL};
static const esp_option_description fast = {sizeof fast, ESP_OPTION_BOOL, "fast", "In a hurry.", NULL, NULL};
static const esp_option_description *const options[] = {&factor, &fast};

#ifndef PRESET
#define PRESET "{\"factor\": 3, \"fast\": true}"
#endif

static const esp_scheduler_class classes[] = {
  {sizeof(esp_scheduler_class), 0, "HalfScheduler", "half", "Halves the sample.", options, 2, NULL},
  {sizeof(esp_scheduler_class), 0, "BrokenScheduler", "broken", "Returns NaN.", NULL, 0, NULL},
#ifdef WITH_PRESET
  {sizeof(esp_scheduler_class), 0, "HalfScheduler", "half_fast", "In a hurry.", options, 2, PRESET},
#endif
};
#define CLASSES (sizeof classes / sizeof *classes)

static uint32_t class_count(void) { return CLASSES; }
static const esp_scheduler_class *class_at(uint32_t index) { return index < CLASSES ? &classes[index] : NULL; }

// The configuration of the last scheduler, for `sigmas` to hand out byte by byte.
static char created_with[256];

static int32_t create(const char *name, const char *config, esp_scheduler **out, esp_error *error) {
  if (strstr(config, "wrong")) return esp_fail(error, ESP_INVALID_ARGUMENT, "beta_schedule is 'wrong'");
  *out = calloc(1, sizeof **out);
  snprintf(created_with, sizeof created_with, "%s", config);
  (*out)->broken = strcmp(name, "BrokenScheduler") == 0;
  return ESP_OK;
}

static void destroy(esp_scheduler *s) { free(s); }

static int32_t set_timesteps(esp_scheduler *s, int32_t steps, esp_error *error) {
  if (steps < 1) return esp_fail(error, ESP_INVALID_ARGUMENT, "num_inference_steps must be 1 or more");
  s->steps = (uint32_t)steps;
  return ESP_OK;
}

#ifndef CALLS
#define CALLS s->steps
#endif
#ifndef TIMESTEP
#define TIMESTEP 10.0 * (s->steps - call)
#endif
static uint32_t call_count(esp_scheduler *s) { return s->steps ? CALLS : 0; }
static double timestep(esp_scheduler *s, uint32_t call) { return (void)s, (void)call, TIMESTEP; }
static double init_noise_sigma(esp_scheduler *s) { return s->broken ? 1 : 14.5; }

static int32_t scale_model_input(esp_scheduler *s, uint32_t call, const float *sample, float *out, size_t count, esp_error *error) {
  (void)s, (void)error;
  for (size_t i = 0; i < count; i++) out[i] = sample[i] / (float)(call + 1);
  return ESP_OK;
}

static int32_t needs_noise(esp_scheduler *s, uint32_t call) { return call + 1 < s->steps; }

static int32_t step(
  esp_scheduler *s, uint32_t call, const float *output, const float *sample, const float *noise, float *previous,
  float *original, size_t count, esp_error *error) {
  if (call >= s->steps) return esp_fail(error, ESP_INVALID_ARGUMENT, "no such call");
  for (size_t i = 0; i < count; i++) {
    previous[i] = FACTOR * sample[i] + output[i] + (noise ? noise[i] : 0);
    if (original) original[i] = sample[i] - output[i];
  }
  if (s->broken && call == 1) previous[2] = NAN;
  return ESP_OK;
}

static int32_t add_noise(
  esp_scheduler *s, const double *timesteps, size_t batch, size_t count, const float *original, const float *noise,
  float *noisy, esp_error *error) {
  (void)s, (void)error;
  for (size_t b = 0; b < batch; b++)
    for (size_t i = b * count; i < (b + 1) * count; i++) noisy[i] = original[i] + (float)timesteps[b] * noise[i];
  return ESP_OK;
}

static uint32_t sigmas(esp_scheduler *s, double *out, uint32_t capacity) {
#ifdef SPELLS_CONFIG
  (void)s;
  for (uint32_t i = 0; i < capacity && created_with[i]; i++) out[i] = created_with[i];
  return (uint32_t)strlen(created_with);
#endif
  for (uint32_t i = 0; i < capacity && i <= s->steps; i++) out[i] = s->steps - i;
  return s->steps + 1;
}

static const esp_scheduler_api api = {
  sizeof api, 0, class_count, class_at, create, destroy, set_timesteps, call_count, timestep,
  init_noise_sigma, scale_model_input, needs_noise, step, add_noise, NULL, sigmas,
};

static const esp_plugin plugin = {
  sizeof plugin, ESP_ABI_MAJOR, ESP_ABI_MINOR, 0, ESP_KIND_SCHEDULER, 0, NAME, "0.3", "Schedulers for tests.", &api, NULL,
};

int32_t espalier_plugin_entry(const esp_host *host, uint32_t index, const esp_plugin **out, esp_error *error) {
  (void)host;
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "no more plugins");
  *out = &plugin;
  return ESP_OK;
}
