// A scheduler that knows nothing but the header. Macros make it wrong in one way each.
#include <espalier_plugin.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef CALLS
#define CALLS s->steps
#endif
#ifndef CLASS_NAME
#define CLASS_NAME "ThirdPartyScheduler"
#endif
#ifndef OPTION_TYPE
#define OPTION_TYPE ESP_OPTION_NUMBER
#endif

struct esp_scheduler {
  uint32_t steps;
};

static const esp_option_description shrink = {
  sizeof shrink, OPTION_TYPE, "shrink", "What is left of a sample", "0.9", NULL};
static const esp_option_description *const options[] = {&shrink};
static const esp_scheduler_class the_class = {
  sizeof the_class, 0, CLASS_NAME, "third", "Shrinks the sample.", options, 1, NULL};

static uint32_t class_count(void) { return 1; }
static const esp_scheduler_class *class_at(uint32_t index) { return index ? NULL : &the_class; }

static int32_t create(const char *name, const char *config, esp_scheduler **out, esp_error *error) {
  (void)name, (void)config, (void)error;
#ifdef CREATE_FAILS
  return esp_fail(error, ESP_INVALID_ARGUMENT, "shrink is 7; allowed: a number below 1");
#elif !defined CREATES_NOTHING
  *out = calloc(1, sizeof **out);
#endif
  return ESP_OK;
}

static void destroy(esp_scheduler *s) { free(s); }

static int32_t set_timesteps(esp_scheduler *s, int32_t steps, esp_error *error) {
  (void)error;
  s->steps = (uint32_t)steps;
  return ESP_OK;
}

static uint32_t call_count(esp_scheduler *s) { return (void)s, CALLS; }
static double timestep(esp_scheduler *s, uint32_t call) { return (void)s, 900.0 / (call + 1); }
static double init_noise_sigma(esp_scheduler *s) { return (void)s, 1; }

static int32_t scale_model_input(
  esp_scheduler *s, uint32_t call, const float *sample, float *out, size_t count, esp_error *error) {
  (void)s, (void)call, (void)error;
  for (size_t i = 0; i < count; i++) out[i] = sample[i];
  return ESP_OK;
}

static int32_t needs_noise(esp_scheduler *s, uint32_t call) { return (void)s, (void)call, 0; }

static int32_t step(
  esp_scheduler *s, uint32_t call, const float *output, const float *sample, const float *noise, float *previous,
  float *original, size_t count, esp_error *error) {
  (void)output, (void)noise, (void)original;
#ifdef STEP_FAILS
  return esp_fail(error, ESP_OUT_OF_MEMORY, "12 MB are there, 40 MB are needed");
#elif defined STEP_FAILS_WITHOUT_WORDS
  (void)error;
  return 77;
#endif
  if (call >= s->steps) return esp_fail(error, ESP_INVALID_ARGUMENT, "there is no such call");
  for (size_t i = 0; i < count; i++) previous[i] = 0.9f * sample[i];
#ifdef RETURNS_NAN
  previous[count / 2] = NAN;
#endif
  return ESP_OK;
}

static int32_t add_noise(
  esp_scheduler *s, const double *timesteps, size_t batch, size_t count, const float *original, const float *noise,
  float *noisy, esp_error *error) {
  (void)s, (void)timesteps, (void)error;
  for (size_t i = 0; i < batch * count; i++) noisy[i] = original[i] + noise[i];
  return ESP_OK;
}

static void shutdown_plugin(void) {
#ifdef SLEEPS_ON_SHUTDOWN
  for (;;) sleep(60);
#endif
}

static const esp_scheduler_api api = {
  sizeof api, 0, class_count, class_at, create, destroy, set_timesteps, call_count, timestep,
  init_noise_sigma, scale_model_input, needs_noise, step, add_noise, NULL, NULL,
};

static const esp_plugin plugin = {
  .struct_size = sizeof plugin, .abi_major = ESP_ABI_MAJOR, .abi_minor = ESP_ABI_MINOR, .kind = ESP_KIND_SCHEDULER,
  .name = "third", .version = "3.0", .summary = "For tests.", .api = &api, .shutdown = shutdown_plugin,
};

int32_t espalier_plugin_entry(const esp_host *host, uint32_t index, const esp_plugin **out, esp_error *error) {
  (void)host;
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "no more plugins");
  *out = &plugin;
  return ESP_OK;
}
