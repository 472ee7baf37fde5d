// Writes its calls as lines into the file that `run` names. Macros make it fail or hang.
#include <espalier_plugin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef NAME
#define NAME "lines"
#endif

struct esp_logger {
  FILE *file;
  int64_t last_step;
  pthread_t thread;
};

static int32_t open_logger(const char *run, esp_logger **out, esp_error *error) {
#ifdef OPEN_FAILS
  (void)run, (void)out;
  return esp_fail(error, ESP_IO, "the server refused the key");
#else
  esp_logger *logger = calloc(1, sizeof *logger);
  logger->file = fopen(run, "w");
  logger->thread = pthread_self();
  if (!logger->file) return esp_fail(error, ESP_IO, "cannot open the file");
  fprintf(logger->file, "open\n");
  *out = logger;
  return ESP_OK;
#endif
}

static int32_t scalars(
  esp_logger *logger, int64_t step, const char *const *names, const double *values, size_t count, esp_error *error) {
  if (!pthread_equal(logger->thread, pthread_self())) return esp_fail(error, ESP_INTERNAL, "another thread");
#ifdef SCALARS_FAIL
  if (step >= 2) return esp_fail(error, ESP_IO, "the disk is full");
#endif
#ifdef HANGS
  sleep(2);
#endif
  logger->last_step = step;
  fprintf(logger->file, "%lld", (long long)step);
  for (size_t i = 0; i < count; i++) fprintf(logger->file, " %s=%g", names[i], values[i]);
  fprintf(logger->file, "\n");
  return ESP_OK;
}

static int32_t image(
  esp_logger *logger, int64_t step, const char *tag, const char *caption, uint32_t width, uint32_t height,
  const uint8_t *rgb, esp_error *error) {
  (void)error;
  fprintf(logger->file, "%lld image %s '%s' %ux%u %d\n", (long long)step, tag, caption, width, height, rgb[3 * width * height - 1]);
  return ESP_OK;
}

static int32_t text(esp_logger *logger, int64_t step, const char *tag, const char *content, esp_error *error) {
  (void)error;
  fprintf(logger->file, "%lld text %s '%s'\n", (long long)step, tag, content);
  return ESP_OK;
}

static int32_t flush(esp_logger *logger, esp_error *error) {
  (void)error;
  fflush(logger->file);
  return ESP_OK;
}

static int32_t close_logger(esp_logger *logger, esp_error *error) {
  (void)error;
  fprintf(logger->file, "close\n");
  fclose(logger->file);
  free(logger);
  return ESP_OK;
}

#ifdef SINCE_1_2
static int32_t images(
  esp_logger *logger, int64_t step, const char *tag, const esp_image *images, size_t count, esp_error *error) {
  (void)error;
  fprintf(logger->file, "%lld images %s", (long long)step, tag);
  for (size_t i = 0; i < count; i++) {
    const esp_image image = images[i];
    fprintf(logger->file, " '%s' %ux%u %d", image.caption, image.width, image.height,
            image.rgb[3 * image.width * image.height - 1]);
  }
  fprintf(logger->file, "\n");
  return ESP_OK;
}

static int32_t console(esp_logger *logger, int32_t stream, const char *line, esp_error *error) {
  (void)error;
  fprintf(logger->file, "%d line %s\n", stream, line);
  return ESP_OK;
}

static int32_t finish(esp_logger *logger, int32_t exit_code, esp_error *error) {
  (void)error;
  fprintf(logger->file, "finish %d\n", exit_code);
  return ESP_OK;
}

static int32_t stop_requested(esp_logger *logger) { return logger->last_step == 7; }
#else
#define images NULL
#define console NULL
#define finish NULL
#define stop_requested NULL
#endif

static const esp_logger_api api = {
  sizeof api, 0, open_logger, scalars, close_logger, image, text, flush, images, console, finish, stop_requested,
};

static const esp_plugin plugin = {
  sizeof plugin, ESP_ABI_MAJOR, ESP_ABI_MINOR, 0, ESP_KIND_LOGGER, 0, NAME, "0.1", "A logger for tests.", &api, NULL,
};

int32_t espalier_plugin_entry(const esp_host *host, uint32_t index, const esp_plugin **out, esp_error *error) {
  (void)host;
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "no more plugins");
  *out = &plugin;
  return ESP_OK;
}
