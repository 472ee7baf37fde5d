// A logger that fails: macros say where.
#include <espalier_plugin.h>
#include <unistd.h>

struct esp_logger {
  int unused;
};

static esp_logger the_logger;

static int32_t open_logger(const char *run, esp_logger **out, esp_error *error) {
  (void)run;
#ifdef OPEN_FAILS
  (void)out;
  return esp_fail(error, ESP_IO, "there is no key");
#else
  (void)error;
  *out = &the_logger;
  return ESP_OK;
#endif
}

static int32_t scalars(
  esp_logger *logger, int64_t step, const char *const *names, const double *values, size_t count, esp_error *error) {
  (void)logger, (void)names, (void)values, (void)count, (void)step;
#ifdef FAILS_AT
  if (step == FAILS_AT) return esp_fail(error, ESP_IO, "the disk is full");
#endif
#ifdef SECONDS
  sleep(SECONDS);
#endif
  (void)error;
  return ESP_OK;
}

static int32_t close_logger(esp_logger *logger, esp_error *error) {
  (void)logger, (void)error;
  return ESP_OK;
}

static const esp_logger_api api = {
  .struct_size = sizeof api, .open = open_logger, .scalars = scalars, .close = close_logger};

static const esp_plugin plugin = {
  .struct_size = sizeof plugin,
  .abi_major = ESP_ABI_MAJOR,
  .abi_minor = ESP_ABI_MINOR,
  .kind = ESP_KIND_LOGGER,
  .name = NAME,
  .version = "1.0.0",
  .summary = "A logger that fails",
  .api = &api,
};

int32_t espalier_plugin_entry(const esp_host *host, uint32_t index, const esp_plugin **out, esp_error *error) {
  (void)host;
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "no more plugins");
  *out = &plugin;
  return ESP_OK;
}
