/* A noise scheduler for Espalier: deterministic DDIM for models that predict the noise.
 * Song et al. 2020, "Denoising Diffusion Implicit Models", equation 12 with sigma = 0. */
#include "espalier_plugin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- What a user may set: keys of scheduler_config.json, and of --scheduler_option. ------------- */

static const esp_option_description train_timesteps = {
  sizeof train_timesteps, ESP_OPTION_INT, "num_train_timesteps", "Timesteps of the training", "1000", NULL};
static const esp_option_description beta_start = {
  sizeof beta_start, ESP_OPTION_NUMBER, "beta_start", "First beta of the scaled-linear schedule", "0.00085", NULL};
static const esp_option_description beta_end = {
  sizeof beta_end, ESP_OPTION_NUMBER, "beta_end", "Last beta of the scaled-linear schedule", "0.012", NULL};
static const esp_option_description steps_offset = {
  sizeof steps_offset, ESP_OPTION_INT, "steps_offset", "Added to every timestep", "1", NULL};

static const esp_option_description *const options[] = {&train_timesteps, &beta_start, &beta_end, &steps_offset};

/* The number behind a key of a flat JSON object, else the option's default. A scheduler with lists or texts among its
 * keys is better off with a JSON library. */
static double number(const char *config, const esp_option_description *option) {
  size_t length = strlen(option->name);
  for (const char *place = config; (place = strstr(place, option->name)); place += length) {
    const char *value = place + length;
    if (place == config || place[-1] != '"' || *value++ != '"') continue;
    value += strspn(value, " \t\r\n");
    if (*value++ != ':') continue;
    value += strspn(value, " \t\r\n");
    char *end;
    double found = strtod(value, &end);
    if (end != value) return found;
  }
  return strtod(option->default_value, NULL);
}

/* ---- The scheduler. ------------------------------------------------------------------------------ */

struct esp_scheduler {
  double *alphas_cumprod; /* the part of the signal's power left at each training timestep */
  int32_t train_timesteps;
  int32_t offset;
  int32_t *timesteps; /* of the schedule, falling */
  uint32_t steps;
};

static void destroy(esp_scheduler *scheduler) {
  free(scheduler->alphas_cumprod);
  free(scheduler->timesteps);
  free(scheduler);
}

static int32_t create(const char *class_name, const char *config, esp_scheduler **out, esp_error *error) {
  (void)class_name; /* there is one */
  double count = number(config, &train_timesteps), offset = number(config, &steps_offset);
  double start = number(config, &beta_start), end = number(config, &beta_end);
  if (!(count >= 2 && count <= 1e6) || count != floor(count))
    return esp_fail(error, ESP_INVALID_ARGUMENT, "example: num_train_timesteps; allowed: whole numbers from 2 to 1000000");
  if (!(start > 0 && start < 1 && end > 0 && end < 1))
    return esp_fail(error, ESP_INVALID_ARGUMENT, "example: beta_start, beta_end; allowed: numbers between 0 and 1");
  if (!(offset >= 0 && offset <= 1000) || offset != floor(offset))
    return esp_fail(error, ESP_INVALID_ARGUMENT, "example: steps_offset; allowed: whole numbers from 0 to 1000");
  esp_scheduler *made = calloc(1, sizeof *made);
  double *alphas = malloc((size_t)count * sizeof *alphas);
  if (!made || !alphas) {
    free(made);
    free(alphas);
    return esp_fail(error, ESP_OUT_OF_MEMORY, "example: no memory for a scheduler");
  }
  made->alphas_cumprod = alphas;
  made->train_timesteps = (int32_t)count;
  made->offset = (int32_t)offset;
  double first = sqrt(start), last = sqrt(end), product = 1;
  for (int32_t t = 0; t < made->train_timesteps; t++) {
    double root = first + (last - first) * t / (made->train_timesteps - 1);
    product *= 1 - root * root;
    alphas[t] = product;
  }
  *out = made;
  return ESP_OK;
}

static int32_t set_timesteps(esp_scheduler *scheduler, int32_t inference_steps, esp_error *error) {
  if (inference_steps < 1 || inference_steps > scheduler->train_timesteps)
    return esp_fail(error, ESP_INVALID_ARGUMENT, "example: num_inference_steps; allowed: 1 to num_train_timesteps");
  int32_t *timesteps = malloc((size_t)inference_steps * sizeof *timesteps);
  if (!timesteps) return esp_fail(error, ESP_OUT_OF_MEMORY, "example: no memory for a schedule");
  int32_t spacing = scheduler->train_timesteps / inference_steps;
  for (int32_t k = 0; k < inference_steps; k++) {
    int32_t t = (inference_steps - 1 - k) * spacing + scheduler->offset;
    timesteps[k] = t < scheduler->train_timesteps ? t : scheduler->train_timesteps - 1;
  }
  free(scheduler->timesteps);
  scheduler->timesteps = timesteps;
  scheduler->steps = (uint32_t)inference_steps;
  return ESP_OK;
}

static uint32_t call_count(esp_scheduler *scheduler) { return scheduler->steps; }

static double timestep(esp_scheduler *scheduler, uint32_t call) {
  return call < scheduler->steps ? scheduler->timesteps[call] : NAN;
}

static double init_noise_sigma(esp_scheduler *scheduler) {
  (void)scheduler;
  return 1;
}

static int32_t scale_model_input(esp_scheduler *scheduler, uint32_t call, const float *sample, float *out, size_t count,
                                 esp_error *error) {
  (void)scheduler, (void)call, (void)error;
  memcpy(out, sample, count * sizeof *out);
  return ESP_OK;
}

static int32_t needs_noise(esp_scheduler *scheduler, uint32_t call) {
  (void)scheduler, (void)call;
  return 0;
}

/* x0 = (x - sqrt(1 - a) e) / sqrt(a), then x' = sqrt(a') x0 + sqrt(1 - a') e. */
static int32_t step(esp_scheduler *scheduler, uint32_t call, const float *model_output, const float *sample,
                    const float *noise, float *previous_sample, float *predicted_original, size_t count,
                    esp_error *error) {
  (void)noise;
  if (call >= scheduler->steps) return esp_fail(error, ESP_INVALID_ARGUMENT, "example: step outside the schedule");
  double now = scheduler->alphas_cumprod[scheduler->timesteps[call]];
  double next = scheduler->alphas_cumprod[call + 1 < scheduler->steps ? scheduler->timesteps[call + 1] : 0];
  float signal = (float)sqrt(now), rest = (float)sqrt(1 - now);
  float next_signal = (float)sqrt(next), next_rest = (float)sqrt(1 - next);
  for (size_t i = 0; i < count; i++) {
    float original = (sample[i] - rest * model_output[i]) / signal;
    previous_sample[i] = next_signal * original + next_rest * model_output[i];
    if (predicted_original) predicted_original[i] = original;
  }
  return ESP_OK;
}

static int32_t add_noise(esp_scheduler *scheduler, const double *timesteps, size_t batch, size_t count,
                         const float *original, const float *noise, float *noisy, esp_error *error) {
  for (size_t b = 0; b < batch; b++) {
    if (!(timesteps[b] >= 0 && timesteps[b] < scheduler->train_timesteps))
      return esp_fail(error, ESP_INVALID_ARGUMENT, "example: a timestep outside the training schedule");
    double alpha = scheduler->alphas_cumprod[(int32_t)timesteps[b]];
    float signal = (float)sqrt(alpha), rest = (float)sqrt(1 - alpha);
    for (size_t i = b * count; i < (b + 1) * count; i++) noisy[i] = signal * original[i] + rest * noise[i];
  }
  return ESP_OK;
}

/* ---- What the library offers. -------------------------------------------------------------------- */

static const esp_scheduler_class the_class = {
  .struct_size = sizeof the_class,
  .class_name = "ExampleScheduler",
  .short_name = "example",
  .summary = "Deterministic DDIM",
  .options = options,
  .option_count = sizeof options / sizeof *options,
};

static uint32_t class_count(void) { return 1; }
static const esp_scheduler_class *class_at(uint32_t index) { return index == 0 ? &the_class : NULL; }

/* Functions that are not named here are null: not offered. */
static const esp_scheduler_api api = {
  .struct_size = sizeof api,
  .class_count = class_count,
  .class_at = class_at,
  .create = create,
  .destroy = destroy,
  .set_timesteps = set_timesteps,
  .call_count = call_count,
  .timestep = timestep,
  .init_noise_sigma = init_noise_sigma,
  .scale_model_input = scale_model_input,
  .needs_noise = needs_noise,
  .step = step,
  .add_noise = add_noise,
};

static const esp_plugin plugin = {
  .struct_size = sizeof plugin,
  .abi_major = ESP_ABI_MAJOR,
  .abi_minor = ESP_ABI_MINOR,
  .kind = ESP_KIND_SCHEDULER,
  .name = "example", /* as in the file name */
  .version = "0.1.0",
  .summary = "Deterministic DDIM",
  .api = &api,
};

int32_t espalier_plugin_entry(const esp_host *host, uint32_t index, const esp_plugin **out, esp_error *error) {
  if (host->abi_major != ESP_ABI_MAJOR) return esp_fail(error, ESP_VERSION, "example: built for plugin boundary 1");
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "no more plugins");
  *out = &plugin;
  return ESP_OK;
}
