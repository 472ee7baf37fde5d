// Three processes of which only this one exists; the others hold the same values.
#include <espalier_plugin.h>
#include <string.h>

#ifndef RANK
#define RANK 1
#endif

static int32_t init(uint32_t *rank, uint32_t *size, esp_error *error) {
#ifdef INIT_FAILS
  return esp_fail(error, ESP_TIMEOUT, "process 2 does not answer");
#endif
  (void)error;
  *rank = RANK;
  *size = 3;
  return ESP_OK;
}

static int32_t broadcast(void *data, uint64_t bytes, uint32_t root, esp_error *error) {
  if (root >= 3) return esp_fail(error, ESP_INVALID_ARGUMENT, "no such process");
  memset(data, (int)root + 7, bytes);
  return ESP_OK;
}

static int32_t all_reduce(float *data, uint64_t count, int32_t reduce, esp_error *error) {
  (void)error;
  for (uint64_t i = 0; i < count && reduce == ESP_REDUCE_SUM; i++) data[i] *= 3;
  return ESP_OK;
}

static int32_t barrier(esp_error *error) { return esp_fail(error, ESP_IO, "process 0 is gone"); }
static void finalize(void) {}

static const esp_communicator_api api = {sizeof api, 0, init, broadcast, all_reduce, barrier, finalize};

static const esp_plugin plugin = {
  sizeof plugin, ESP_ABI_MAJOR, ESP_ABI_MINOR, 0, ESP_KIND_COMMUNICATOR, 0, "three", "0.1", "For tests.", &api, NULL,
};

int32_t espalier_plugin_entry(const esp_host *host, uint32_t index, const esp_plugin **out, esp_error *error) {
  (void)host;
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "no more plugins");
  *out = &plugin;
  return ESP_OK;
}
