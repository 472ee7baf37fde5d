// A backend with three devices that computes nothing. Macros make it wrong in one way each.
#include <espalier_plugin.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "good"
#endif
#ifndef KIND
#define KIND ESP_KIND_BACKEND
#endif
#ifndef MAJOR
#define MAJOR ESP_ABI_MAJOR
#endif
#ifndef NEEDED_MINOR
#define NEEDED_MINOR 0
#endif
#ifndef PLUGIN_BYTES
#define PLUGIN_BYTES sizeof(esp_plugin)
#endif
#ifndef TABLE_BYTES
#define TABLE_BYTES sizeof(esp_backend_api)
#endif
#ifndef DEVICES
#define DEVICES 3
#endif
#ifndef FIRST_CLASS
#define FIRST_CLASS ESP_DEVICE_CPU
#endif
#ifndef SECOND_CLASS
#define SECOND_CLASS ESP_DEVICE_SOFTWARE_GPU
#endif
#ifndef SECOND_NAME
#define SECOND_NAME "Radeon Pretend 7"
#endif
#ifndef MINOR
#define MINOR ESP_ABI_MINOR
#endif
#ifndef SHUTDOWN_FILE
#define SHUTDOWN_FILE "test_shutdown_file"
#endif
#ifndef ALIGNMENT
#define ALIGNMENT 64
#endif

static int32_t device_count(uint32_t *count, esp_error *error) {
#ifdef COUNT_FAILS
  return esp_fail(error, ESP_IO, "the bus is on fire");
#else
  (void)error;
  *count = DEVICES;
  return ESP_OK;
#endif
}

static int32_t device_info(uint32_t index, esp_device_info *info, esp_error *error) {
  static const char *const names[] = {"First Device", SECOND_NAME, "Second Device"};
  static const int32_t classes[] = {FIRST_CLASS, SECOND_CLASS, FIRST_CLASS};
  if (index >= DEVICES) return esp_fail(error, ESP_NOT_FOUND, "no such device");
  info->device_class = classes[index];
  info->memory_bytes = 1 << 30;
  info->max_buffer_bytes = 1 << 28;
  info->alignment = ALIGNMENT;
  info->activation_dtypes = 1u << ESP_DTYPE_F32;
  info->weight_dtypes = 1u << ESP_DTYPE_F32 | 1u << ESP_DTYPE_F16;
  for (size_t i = 0; (info->name[i] = names[index][i]); i++) {}
#ifdef DETAILS
  strncpy(info->details, DETAILS, sizeof info->details);
#endif
#ifdef INFO_BYTES
  info->struct_size = INFO_BYTES;
#endif
  return ESP_OK;
}

static int32_t device_open(uint32_t index, const esp_option *options, size_t count, esp_device **out, esp_error *error) {
  (void)index, (void)options, (void)count, (void)out;
  error->native_code = -4;
  return esp_fail(error, ESP_OUT_OF_MEMORY, "the device has 12 MB, 40 MB are needed");
}

static void nothing(void) {}
static int32_t unimplemented(void) { return ESP_UNIMPLEMENTED; }
#define FN(field) .field = (__typeof__(((esp_backend_api *)0)->field))

static const esp_backend_api api = {
  .struct_size = TABLE_BYTES,
  .device_count = device_count,
  .device_info = device_info,
  .device_open = device_open,
  FN(device_close) nothing,
  FN(buffer_create) unimplemented,
  FN(buffer_destroy) nothing,
  FN(buffer_write) unimplemented,
  FN(buffer_read) unimplemented,
#ifndef WITHOUT_ANALYZE
  FN(graph_analyze) unimplemented,
#endif
  FN(graph_compile) unimplemented,
  FN(execute) unimplemented,
  FN(executable_destroy) nothing,
  FN(device_wait) unimplemented,
  FN(buffer_import) unimplemented,
  FN(device_memory) unimplemented,
};

// Appends the name to the file that the host's setting names, to show in which order plugins end.
static const esp_host *host_table;
static void shutdown(void) {
#ifdef SHUTDOWN_HANGS
  for (;;) sleep(60);
#endif
  const char *path = host_table->config(host_table->context, SHUTDOWN_FILE);
  FILE *file = path ? fopen(path, "a") : NULL;
  if (!file) return;
  fprintf(file, "%s\n", NAME);
  fclose(file);
}

static const esp_plugin plugin = {
  .struct_size = PLUGIN_BYTES,
  .abi_major = MAJOR,
  .abi_minor = MINOR,
  .min_host_minor = NEEDED_MINOR,
  .kind = KIND,
#ifndef WITHOUT_NAME
  .name = NAME,
#endif
  .version = "1.2.3",
  .summary = "A backend for tests.",
  .api = &api,
  .shutdown = shutdown,
};

#ifdef NEEDS_LIBRARY
int gone(void);
#endif

#ifndef WITHOUT_ENTRY
int32_t espalier_plugin_entry(const esp_host *host, uint32_t index, const esp_plugin **out, esp_error *error) {
  host_table = host;
#ifdef NEEDS_LIBRARY
  if (gone() != 0) return esp_fail(error, ESP_INTERNAL, "never called");
#endif
#ifdef ENTRY_FAILS
  error->native_code = 13;
  return esp_fail(error, ESP_IO, "no driver is installed");
#elif defined ENTRY_HANDS_OUT_NOTHING
  (void)index, (void)out, (void)error;
  return ESP_OK;
#elif defined OFFERS_NONE
  (void)index, (void)out;
  return esp_fail(error, ESP_NOT_FOUND, "empty");
#elif defined NEVER_ENDS
  (void)index, (void)error;
  *out = &plugin;
  return ESP_OK;
#else
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "no more plugins");
  *out = &plugin;
  return ESP_OK;
#endif
}
#endif
