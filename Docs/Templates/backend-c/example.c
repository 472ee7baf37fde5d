/* A compute backend for Espalier with three operations on f32: ADD of equal shapes, SCALE and UNARY.
 * It is meant to grow: an operation that is missing is named by its layer before anything runs. */
#include "espalier_plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What a user may set with --backend_option KEY=VALUE. ---------------------------------------- */

static const esp_option_description threads_option = {
  sizeof threads_option, ESP_OPTION_CHOICE, "threads", "Whose threads compute: the host's, or none but the caller's",
  "host", "host,none"};
static const esp_option_description *const options[] = {&threads_option};

/* ---- Devices. ------------------------------------------------------------------------------------ */

static const esp_host *host;

struct esp_device {
  int is_serial;
  uint64_t bytes, peak;
};

struct esp_buffer {
  esp_device *device;
  uint64_t bytes;
  unsigned char *memory;
};

enum { ALIGNMENT = 64 };

static int32_t device_count(uint32_t *count, esp_error *error) {
  (void)error;
  *count = 1;
  return ESP_OK;
}

static int32_t device_info(uint32_t index, esp_device_info *info, esp_error *error) {
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "example: there is one device, 0");
  info->device_class = ESP_DEVICE_CPU;
  info->max_buffer_bytes = (uint64_t)1 << 36;
  info->alignment = ALIGNMENT;
  info->activation_dtypes = info->weight_dtypes = 1u << ESP_DTYPE_F32;
  snprintf(info->name, sizeof info->name, "example CPU");
  return ESP_OK;
}

static int32_t device_open(uint32_t index, const esp_option *settings, size_t count, esp_device **out,
                           esp_error *error) {
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "example: there is one device, 0");
  esp_device *device = calloc(1, sizeof *device);
  if (!device) return esp_fail(error, ESP_OUT_OF_MEMORY, "example: no memory for a device");
  for (size_t k = 0; k < count; k++) { /* the host has checked them against `options` */
    if (strcmp(settings[k].name, "threads") == 0) device->is_serial = strcmp(settings[k].value, "none") == 0;
  }
  *out = device;
  return ESP_OK;
}

static void device_close(esp_device *device) { free(device); }

/* Everything is done when `execute` returns. */
static int32_t device_wait(esp_device *device, esp_error *error) {
  (void)device, (void)error;
  return ESP_OK;
}

static int32_t device_memory(esp_device *device, uint64_t *now, uint64_t *peak, esp_error *error) {
  (void)error;
  *now = device->bytes;
  *peak = device->peak;
  return ESP_OK;
}

/* ---- Buffers. ------------------------------------------------------------------------------------ */

static int32_t buffer_create(esp_device *device, uint64_t bytes, int32_t usage, esp_buffer **out, esp_error *error) {
  (void)usage; /* a backend with memory of its own places buffers by it */
  esp_buffer *buffer = malloc(sizeof *buffer);
  void *memory = NULL;
  if (!buffer || posix_memalign(&memory, ALIGNMENT, bytes ? bytes : 1)) {
    free(buffer);
    return esp_fail(error, ESP_OUT_OF_MEMORY, "example: no memory for a buffer");
  }
  *buffer = (esp_buffer){device, bytes, memory};
  device->bytes += bytes;
  if (device->bytes > device->peak) device->peak = device->bytes;
  *out = buffer;
  return ESP_OK;
}

static void buffer_destroy(esp_buffer *buffer) {
  buffer->device->bytes -= buffer->bytes;
  free(buffer->memory);
  free(buffer);
}

static int is_inside(const esp_buffer *buffer, uint64_t offset, uint64_t bytes) {
  return offset <= buffer->bytes && bytes <= buffer->bytes - offset;
}

static int32_t buffer_write(esp_buffer *buffer, uint64_t offset, const void *source, uint64_t bytes, esp_error *error) {
  if (!is_inside(buffer, offset, bytes)) return esp_fail(error, ESP_INVALID_ARGUMENT, "example: outside the buffer");
  memcpy(buffer->memory + offset, source, bytes);
  return ESP_OK;
}

static int32_t buffer_read(esp_buffer *buffer, uint64_t offset, void *destination, uint64_t bytes, esp_error *error) {
  if (!is_inside(buffer, offset, bytes)) return esp_fail(error, ESP_INVALID_ARGUMENT, "example: outside the buffer");
  memcpy(destination, buffer->memory + offset, bytes);
  return ESP_OK;
}

/* ---- Graphs. ------------------------------------------------------------------------------------- */

/* What a node needs when it runs; tensors by index. */
struct operation {
  int32_t op, activation;
  int32_t a, b, y; /* b: -1 where there is none */
  int64_t elements;
  float factor, summand;
};

struct esp_executable {
  esp_device *device;
  uint32_t node_count, tensor_count;
  struct operation *operations;
  float **fixed;  /* by tensor: where it is in every execution, or null */
  float **places; /* by tensor: where it is in this one */
  int32_t *roots; /* by tensor: the one in whose place it stands */
};

static int is_same(const esp_tensor *a, const esp_tensor *b) {
  return a->dtype == ESP_DTYPE_F32 && b->dtype == ESP_DTYPE_F32 && a->rank == b->rank &&
         memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

/* Whether this backend can run a node, whatever it is: new operations come with newer hosts. */
static int can_run(const esp_graph *graph, const esp_node *node) {
  uint32_t inputs = node->op == ESP_OP_ADD ? 2 : 1;
  if (node->op != ESP_OP_ADD && node->op != ESP_OP_SCALE && node->op != ESP_OP_UNARY) return 0;
  if (node->input_count != inputs || node->output_count != 1 || node->outputs[0] < 0) return 0;
  for (uint32_t k = 0; k < inputs; k++) {
    if (node->inputs[k] < 0) return 0;
    if (!is_same(&graph->tensors[node->inputs[k]], &graph->tensors[node->outputs[0]])) return 0;
  }
  if (node->op == ESP_OP_ADD) return node->i[0] == 0;
  return node->op != ESP_OP_UNARY || (node->i[0] >= ESP_ACT_NONE && node->i[0] <= ESP_ACT_SIGMOID);
}

static int32_t graph_analyze(esp_device *device, const esp_graph *graph, esp_analysis *analysis, esp_error *error) {
  (void)device, (void)error;
  /* All arrays arrive zeroed: no scratch, nothing fused, and an output may take the place of any input, which is right
   * for what is computed element by element. */
  for (uint32_t n = 0; n < graph->node_count; n++) analysis->node_supported[n] = (uint8_t)can_run(graph, &graph->nodes[n]);
  return ESP_OK;
}

static void executable_destroy(esp_executable *executable) {
  free(executable->operations);
  free(executable->fixed);
  free(executable->places);
  free(executable->roots);
  free(executable);
}

static float *at(const esp_buffer *buffer, uint64_t offset) { return (float *)(void *)(buffer->memory + offset); }

static int32_t graph_compile(esp_device *device, const esp_graph *graph, const esp_memory_plan *plan,
                             esp_executable **out, esp_error *error) {
  for (uint32_t n = 0; n < graph->node_count; n++) {
    if (can_run(graph, &graph->nodes[n])) continue;
    int32_t code = esp_fail(error, ESP_UNIMPLEMENTED, "example: a node that was not offered");
    error->node = (int32_t)n;
    return code;
  }
  esp_executable *made = calloc(1, sizeof *made);
  if (!made) return esp_fail(error, ESP_OUT_OF_MEMORY, "example: no memory for a graph");
  made->device = device;
  made->node_count = graph->node_count;
  made->tensor_count = graph->tensor_count;
  made->operations = calloc(graph->node_count + 1u, sizeof *made->operations);
  made->fixed = calloc(graph->tensor_count + 1u, sizeof *made->fixed);
  made->places = calloc(graph->tensor_count + 1u, sizeof *made->places);
  made->roots = calloc(graph->tensor_count + 1u, sizeof *made->roots);
  if (!made->operations || !made->fixed || !made->places || !made->roots) {
    executable_destroy(made);
    return esp_fail(error, ESP_OUT_OF_MEMORY, "example: no memory for a graph");
  }
  for (uint32_t n = 0; n < graph->node_count; n++) {
    const esp_node *node = &graph->nodes[n];
    const esp_tensor *y = &graph->tensors[node->outputs[0]];
    int64_t elements = 1;
    for (int32_t axis = 0; axis < y->rank; axis++) elements *= y->dims[axis];
    made->operations[n] = (struct operation){
      node->op, (int32_t)node->i[0], node->inputs[0], node->op == ESP_OP_ADD ? node->inputs[1] : -1, node->outputs[0],
      elements, (float)node->f[0], (float)node->f[1]};
  }
  for (uint32_t t = 0; t < graph->tensor_count; t++) {
    const esp_placement place = plan->tensors[t];
    if (place.arena >= 0) made->fixed[t] = at(plan->arenas[place.arena], place.offset);
    int32_t root = (int32_t)t;
    while (graph->tensors[root].alias_of >= 0) root = graph->tensors[root].alias_of;
    made->roots[t] = root;
  }
  for (uint32_t k = 0; k < plan->weight_count; k++) {
    made->fixed[plan->weights[k].tensor] = at(plan->weights[k].buffer, plan->weights[k].offset);
  }
  *out = made;
  return ESP_OK;
}

/* ---- Kernels. ------------------------------------------------------------------------------------ */

static float activation(int32_t kind, float x) {
  switch (kind) {
    case ESP_ACT_SILU: return x / (1 + expf(-x));
    case ESP_ACT_RELU: return x < 0 ? 0 : x; /* a NaN stays one */
    case ESP_ACT_GELU: return 0.5f * x * (1 + erff(x * 0.70710678f));
    case ESP_ACT_QUICK_GELU: return x / (1 + expf(-1.702f * x));
    case ESP_ACT_SIGMOID: return 1 / (1 + expf(-x));
    default: return x;
  }
}

struct loop {
  const struct operation *operation;
  const float *a, *b;
  float *y;
};

/* Elements [begin, end) of one operation; `y` may be `a` or `b`. */
static void run_slice(void *argument, int64_t begin, int64_t end, uint32_t worker) {
  (void)worker;
  const struct loop *loop = argument;
  const struct operation *op = loop->operation;
  switch (op->op) {
    case ESP_OP_ADD:
      for (int64_t k = begin; k < end; k++) loop->y[k] = loop->a[k] + loop->b[k];
      break;
    case ESP_OP_SCALE:
      for (int64_t k = begin; k < end; k++) loop->y[k] = op->factor * loop->a[k] + op->summand;
      break;
    case ESP_OP_UNARY:
      for (int64_t k = begin; k < end; k++) loop->y[k] = activation(op->activation, loop->a[k]);
      break;
  }
}

static int32_t execute(esp_executable *executable, const esp_binding *bindings, size_t binding_count,
                       const esp_run_options *run, esp_error *error) {
  (void)run; /* the times of nodes are optional */
  float **places = executable->places;
  memcpy(places, executable->fixed, executable->tensor_count * sizeof *places);
  for (size_t k = 0; k < binding_count; k++) {
    places[bindings[k].tensor] = at(bindings[k].buffer, bindings[k].offset);
  }
  for (uint32_t n = 0; n < executable->node_count; n++) {
    if (host->cancelled(host->context)) return esp_fail(error, ESP_CANCELLED, "example: stopped");
    const struct operation *op = &executable->operations[n];
    struct loop loop = {
      op, places[executable->roots[op->a]], op->b < 0 ? NULL : places[executable->roots[op->b]],
      places[executable->roots[op->y]]};
    if (executable->device->is_serial) {
      run_slice(&loop, 0, op->elements, 0);
    } else {
      host->parallel_for(host->context, op->elements, 16384, run_slice, &loop);
    }
  }
  return ESP_OK;
}

/* ---- What the library offers. -------------------------------------------------------------------- */

/* Functions that are not named here are null: not offered. */
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
  .device_memory = device_memory,
};

static const esp_plugin plugin = {
  .struct_size = sizeof plugin,
  .abi_major = ESP_ABI_MAJOR,
  .abi_minor = ESP_ABI_MINOR,
  .kind = ESP_KIND_BACKEND,
  .name = "example", /* as in the file name */
  .version = "0.1.0",
  .summary = "Three operations on the CPU, to start from",
  .api = &api,
  .options = options,
  .option_count = sizeof options / sizeof *options,
};

int32_t espalier_plugin_entry(const esp_host *table, uint32_t index, const esp_plugin **out, esp_error *error) {
  if (table->abi_major != ESP_ABI_MAJOR) return esp_fail(error, ESP_VERSION, "example: built for plugin boundary 1");
  if (index > 0) return esp_fail(error, ESP_NOT_FOUND, "no more plugins");
  host = table;
  *out = &plugin;
  return ESP_OK;
}
