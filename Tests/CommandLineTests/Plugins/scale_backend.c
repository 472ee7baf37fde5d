// A backend that offers one operation, scale in f32. Macros make it wrong in one way each.
#include <espalier_plugin.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct esp_device {
  int unused;
};
struct esp_buffer {
  uint64_t bytes;
  unsigned char *memory;
};
struct esp_executable {
  uint32_t count;
  struct {
    int32_t from, to;
    int64_t elements;
    double factor, summand;
  } nodes[4];
  const unsigned char *places[8]; /* by tensor, of temporaries */
};

static struct esp_device the_device;

static int32_t device_count(uint32_t *count, esp_error *error) {
  (void)error;
  *count = 1;
  return ESP_OK;
}

static int32_t device_info(uint32_t index, esp_device_info *info, esp_error *error) {
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "no such device");
  info->device_class = ESP_DEVICE_CPU;
  info->max_buffer_bytes = 1 << 28;
  info->alignment = 64;
  info->activation_dtypes = info->weight_dtypes = 1u << ESP_DTYPE_F32;
  strcpy(info->name, "Abacus");
  return ESP_OK;
}

static int32_t device_open(uint32_t index, const esp_option *options, size_t count, esp_device **out,
                           esp_error *error) {
  (void)index, (void)options, (void)count, (void)error;
#ifdef HAS_OPTION
  if (count > 0 && strcmp(options[0].value, "glass") == 0)
    return esp_fail(error, ESP_INVALID_ARGUMENT, "glass beads break");
#endif
#ifdef CRASHES_AT_START
  abort();
#endif
  *out = &the_device;
  return ESP_OK;
}

static void device_close(esp_device *device) { (void)device; }

static int32_t device_wait(esp_device *device, esp_error *error) {
  (void)device, (void)error;
  return ESP_OK;
}

static int32_t buffer_create(esp_device *device, uint64_t bytes, int32_t usage, esp_buffer **out,
                             esp_error *error) {
  (void)device, (void)usage;
  esp_buffer *buffer = malloc(sizeof *buffer);
  if (buffer) *buffer = (esp_buffer){bytes, malloc(bytes)};
  if (!buffer || !buffer->memory) return esp_fail(error, ESP_OUT_OF_MEMORY, "no memory");
  *out = buffer;
  return ESP_OK;
}

static void buffer_destroy(esp_buffer *buffer) {
  free(buffer->memory);
  free(buffer);
}

static int32_t buffer_write(esp_buffer *buffer, uint64_t offset, const void *source, uint64_t bytes,
                            esp_error *error) {
  if (offset > buffer->bytes || bytes > buffer->bytes - offset)
    return esp_fail(error, ESP_INVALID_ARGUMENT, "outside the buffer");
  memcpy(buffer->memory + offset, source, bytes);
  return ESP_OK;
}

static int32_t buffer_read(esp_buffer *buffer, uint64_t offset, void *target, uint64_t bytes,
                           esp_error *error) {
  if (offset > buffer->bytes || bytes > buffer->bytes - offset)
    return esp_fail(error, ESP_INVALID_ARGUMENT, "outside the buffer");
  memcpy(target, buffer->memory + offset, bytes);
  return ESP_OK;
}

static int32_t graph_analyze(esp_device *device, const esp_graph *graph, esp_analysis *analysis,
                             esp_error *error) {
  (void)device, (void)error;
  for (uint32_t n = 0; n < graph->node_count; n++) {
    const esp_node *node = &graph->nodes[n];
    analysis->node_supported[n] = node->op == ESP_OP_SCALE;
#ifdef HUGE_WORKSPACE
    analysis->node_workspace[n] = UINT64_MAX;
#endif
  }
  return ESP_OK;
}

static int32_t graph_compile(esp_device *device, const esp_graph *graph, const esp_memory_plan *plan,
                             esp_executable **out, esp_error *error) {
  (void)device;
  esp_executable *made = calloc(1, sizeof *made);
  if (!made || graph->node_count > 4 || graph->tensor_count > 8)
    return esp_fail(error, ESP_UNIMPLEMENTED, "too large for an abacus");
  made->count = graph->node_count;
  for (uint32_t n = 0; n < graph->node_count; n++) {
    const esp_node *node = &graph->nodes[n];
    const esp_tensor *y = &graph->tensors[node->outputs[0]];
    int64_t elements = 1;
    for (int32_t axis = 0; axis < y->rank; axis++) elements *= y->dims[axis];
    made->nodes[n].from = node->inputs[0];
    made->nodes[n].to = node->outputs[0];
    made->nodes[n].elements = elements;
    made->nodes[n].factor = node->f[0];
    made->nodes[n].summand = node->f[1];
  }
  for (uint32_t t = 0; t < graph->tensor_count; t++) {
    const esp_placement place = plan->tensors[t];
    if (place.arena >= 0) made->places[t] = plan->arenas[place.arena]->memory + place.offset;
  }
  *out = made;
#ifdef NO_EXECUTABLE
  *out = NULL;
#endif
  return ESP_OK;
}

static void executable_destroy(esp_executable *executable) { free(executable); }

static int32_t execute(esp_executable *executable, const esp_binding *bindings, size_t count,
                       const esp_run_options *options, esp_error *error) {
  (void)options, (void)error;
  const unsigned char *places[8];
  memcpy(places, executable->places, sizeof places);
  for (size_t k = 0; k < count; k++)
    places[bindings[k].tensor] = bindings[k].buffer->memory + bindings[k].offset;
  for (uint32_t n = 0; n < executable->count; n++) {
    const float *x = (const float *)places[executable->nodes[n].from];
    float *y = (float *)places[executable->nodes[n].to];
    int64_t elements = executable->nodes[n].elements;
    (void)elements;
#ifdef LEAVES_THE_LAST
    elements--;
#endif
#ifdef WRITES_BESIDE
    y[elements] = 1;
#endif
#ifdef CRASHES
    if (elements > 1000) abort();
#endif
#ifdef HANGS
    if (elements > 1000) sleep(1000);
#endif
    static float drift = 0;
#ifdef DRIFTS
    drift += 1e-8f;
#endif
    for (int64_t k = 0; k < elements; k++)
      y[k] = (float)(executable->nodes[n].factor * (double)x[k] + executable->nodes[n].summand) + drift;
#ifdef OFF_BY
    y[elements / 2] += OFF_BY;
#endif
#ifdef SPOILS_ITS_INPUT
    ((float *)x)[0] = 7;
#endif
  }
  return ESP_OK;
}

static const esp_backend_api api = {
  .struct_size = sizeof api,
  .device_count = device_count,
  .device_info = device_info,
  .device_open = device_open,
  .device_close = device_close,
  .buffer_create = buffer_create,
  .buffer_destroy = buffer_destroy,
  .buffer_write = buffer_write,
  .buffer_read = buffer_read,
  .graph_analyze = graph_analyze,
  .graph_compile = graph_compile,
  .execute = execute,
  .executable_destroy = executable_destroy,
  .device_wait = device_wait,
};

#ifdef HAS_OPTION
static const esp_option_description beads = {sizeof beads, ESP_OPTION_STRING, "beads", "What of.", "wood", NULL};
static const esp_option_description *const described[] = {&beads};
#endif

static const esp_plugin plugin = {
  .struct_size = sizeof plugin,
  .abi_major = ESP_ABI_MAJOR,
  .abi_minor = ESP_ABI_MINOR,
  .kind = ESP_KIND_BACKEND,
  .name = "abacus",
  .version = "0.1",
  .summary = "Scales, for tests.",
  .api = &api,
#ifdef HAS_OPTION
  .options = described,
  .option_count = 1,
#endif
};

int32_t espalier_plugin_entry(const esp_host *host, uint32_t index, const esp_plugin **out,
                              esp_error *error) {
  (void)host;
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "no more plugins");
  *out = &plugin;
  return ESP_OK;
}
