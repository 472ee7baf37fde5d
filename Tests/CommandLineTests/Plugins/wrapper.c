// A backend around another one (the plugin file LIBRARY) that lies about its device or fails at one execution.
//
// NAME            its own name
// CLASS           ESP_DEVICE_…; the device's kind
// MEMORY_BYTES, FREE_BYTES, MAX_BUFFER_BYTES
//                 what the device has; free 0: unknown
// EXECUTION, CODE the execution, counted from 1, that fails with this code
// AFTER           1: it computes before it fails
// LATE            1: it reports success, and the next read or wait fails in its stead
// BEFORE_COPIES   1: the plugin inside sees a host of boundary 1.2, which keeps no copies of weights
// DEAD            1: every call after the failure fails as well
#include <dlfcn.h>
#include <espalier_plugin.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#ifndef EXECUTION
#define EXECUTION 0
#define CODE ESP_INTERNAL
#endif
#ifndef AFTER
#define AFTER 0
#endif
#ifndef LATE
#define LATE 0
#endif
#ifndef BEFORE_COPIES
#define BEFORE_COPIES 0
#endif
#ifndef DEAD
#define DEAD 0
#endif

static esp_backend_api inner, api;
static esp_plugin plugin;
static atomic_int executions;
static atomic_int pending; // a failure that the next waiting call reports
static atomic_int dead;

static int32_t fail(esp_error *error) {
  if (DEAD) dead = 1;
  pending = 0;
  error->native_code = -4;
  return esp_fail(error, CODE, "the test pulled the plug");
}

static int32_t device_info(uint32_t index, esp_device_info *info, esp_error *error) {
  int32_t status = inner.device_info(index, info, error);
#ifdef CLASS
  info->device_class = CLASS;
#endif
#ifdef MEMORY_BYTES
  info->memory_bytes = MEMORY_BYTES;
#endif
#ifdef FREE_BYTES
  info->memory_free_bytes = FREE_BYTES;
#endif
#ifdef MAX_BUFFER_BYTES
  info->max_buffer_bytes = MAX_BUFFER_BYTES;
#endif
  return status;
}

static int32_t buffer_create(esp_device *device, uint64_t bytes, int32_t usage, esp_buffer **out, esp_error *error) {
  return dead ? fail(error) : inner.buffer_create(device, bytes, usage, out, error);
}

/* The host's struct, cut off where it ended in 1.2. */
static int32_t graph_analyze(esp_device *device, const esp_graph *graph, esp_analysis *analysis, esp_error *error) {
  esp_analysis *seen = analysis;
  _Alignas(esp_analysis) char memory[offsetof(esp_analysis, node_copies)];
  if (BEFORE_COPIES) {
    memcpy(memory, analysis, sizeof memory);
    seen = (esp_analysis *)memory;
    seen->struct_size = sizeof memory;
  }
  return inner.graph_analyze(device, graph, seen, error);
}

static int32_t graph_compile(esp_device *device, const esp_graph *graph, const esp_memory_plan *plan,
                             esp_executable **out, esp_error *error) {
  const esp_memory_plan *seen = plan;
  _Alignas(esp_memory_plan) char memory[offsetof(esp_memory_plan, copies)];
  if (BEFORE_COPIES) {
    memcpy(memory, plan, sizeof memory);
    ((esp_memory_plan *)memory)->struct_size = sizeof memory;
    seen = (const esp_memory_plan *)memory;
  }
  return inner.graph_compile(device, graph, seen, out, error);
}

static int32_t buffer_write(esp_buffer *buffer, uint64_t offset, const void *source, uint64_t bytes, esp_error *error) {
  return dead ? fail(error) : inner.buffer_write(buffer, offset, source, bytes, error);
}

static int32_t buffer_read(esp_buffer *buffer, uint64_t offset, void *destination, uint64_t bytes, esp_error *error) {
  return dead || pending ? fail(error) : inner.buffer_read(buffer, offset, destination, bytes, error);
}

static int32_t device_wait(esp_device *device, esp_error *error) {
  return dead || pending ? fail(error) : inner.device_wait(device, error);
}

static int32_t execute(esp_executable *executable, const esp_binding *bindings, size_t count,
                       const esp_run_options *options, esp_error *error) {
  if (dead) return fail(error);
  int fails = ++executions == EXECUTION;
  if (!fails || AFTER) {
    int32_t status = inner.execute(executable, bindings, count, options, error);
    if (!fails || status) return status;
  }
  if (!LATE) return fail(error);
  pending = 1;
  return ESP_OK;
}

int32_t espalier_plugin_entry(const esp_host *host, uint32_t index, const esp_plugin **out, esp_error *error) {
  void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (!library) return esp_fail(error, ESP_IO, dlerror());
  esp_plugin_entry_fn entry;
  *(void **)&entry = dlsym(library, ESP_ENTRY_SYMBOL);
  if (!entry) return esp_fail(error, ESP_IO, dlerror());
  const esp_plugin *original;
  int32_t status = entry(host, index, &original, error);
  if (status) return status;
  const esp_backend_api *table = original->api;
  memcpy(&inner, table, table->struct_size < sizeof inner ? table->struct_size : sizeof inner);
  api = inner;
  api.device_info = device_info;
  api.graph_analyze = graph_analyze;
  api.graph_compile = graph_compile;
  api.buffer_create = buffer_create;
  api.buffer_write = buffer_write;
  api.buffer_read = buffer_read;
  api.device_wait = device_wait;
  api.execute = execute;
  plugin = *original;
  plugin.struct_size = sizeof plugin;
  plugin.name = NAME;
  plugin.api = &api;
  *out = &plugin;
  return ESP_OK;
}
