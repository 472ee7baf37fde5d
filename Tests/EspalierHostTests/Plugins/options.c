// A logger that describes options, and writes what it gets of them into the file that `project` names. Macros make
// one description wrong.
#include <espalier_plugin.h>
#include <stdio.h>
#include <string.h>

#ifndef NAME
#define NAME "opts"
#endif
#ifndef MINOR
#define MINOR ESP_ABI_MINOR
#endif
#ifndef TYPE
#define TYPE ESP_OPTION_CHOICE
#endif
#ifndef OPTION_NAME
#define OPTION_NAME "mode"
#endif
#ifndef OPTION_BYTES
#define OPTION_BYTES sizeof(esp_option_description)
#endif
#ifndef DEFAULT
#define DEFAULT "plain"
#endif
#ifndef CHOICES
#define CHOICES "plain,fancy"
#endif
#ifndef LIST
#define LIST list
#endif
#ifndef COUNT
#define COUNT sizeof list / sizeof *list
#endif
#ifndef FIRST
#define FIRST &count
#endif
#ifndef SUMMARY
#define SUMMARY "Which way."
#endif

static const esp_option_description count = {sizeof count, ESP_OPTION_INT, "count", "How many.", "4", NULL};
static const esp_option_description mode = {OPTION_BYTES, TYPE, OPTION_NAME, SUMMARY, DEFAULT, CHOICES};
static const esp_option_description *const list[] = {FIRST, &mode};

static int32_t open_logger(const char *run, esp_logger **out, esp_error *error) {
  const char *start = strstr(run, "\"project\":\"");
  const char *options = strstr(run, "\"options\"");
  if (!start) return esp_fail(error, ESP_INVALID_ARGUMENT, "no project");
  char path[1024] = {0};
  sscanf(start + strlen("\"project\":\""), "%1023[^\"]", path);
  FILE *file = fopen(path, "w");
  if (!file) return esp_fail(error, ESP_IO, "cannot open the file");
  fputs(options ? options : "none", file);
  *out = (esp_logger *)file;
  return ESP_OK;
}

static int32_t scalars(
  esp_logger *logger, int64_t step, const char *const *names, const double *values, size_t n, esp_error *error) {
  (void)logger, (void)step, (void)names, (void)values, (void)n, (void)error;
  return ESP_OK;
}

static int32_t close_logger(esp_logger *logger, esp_error *error) {
  (void)error;
  fclose((FILE *)logger);
  return ESP_OK;
}

static const esp_logger_api api = {.struct_size = sizeof api, .open = open_logger, .scalars = scalars, .close = close_logger};

static const esp_plugin plugin = {
  .struct_size = sizeof plugin, .abi_major = ESP_ABI_MAJOR, .abi_minor = MINOR, .kind = ESP_KIND_LOGGER, .name = NAME,
  .version = "1", .summary = "Has options.", .api = &api, .options = LIST, .option_count = COUNT,
};

int32_t espalier_plugin_entry(const esp_host *host, uint32_t index, const esp_plugin **out, esp_error *error) {
  (void)host;
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "no more plugins");
  *out = &plugin;
  return ESP_OK;
}
