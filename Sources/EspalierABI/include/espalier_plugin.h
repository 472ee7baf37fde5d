/* Espalier plugin boundary, version 1.3.
 *
 * The only thing that a plugin and the host share. Compiles alone as C11 and as C++; no code to link.
 * A plugin is a shared library `libespalier-KIND-NAME.so` (KIND: backend, scheduler, logger,
 * communicator) that exports one symbol, `espalier_plugin_entry`. See Docs/WritingAPlugin.md.
 *
 * Rules
 * - Versions. The major version must match. A minor version only appends: fields at the end of a
 *   struct, functions at the end of a table, operations and constants at the end of a list. Every
 *   struct that may grow starts with `struct_size`, set by the side that fills it; a reader uses a
 *   field only if `ESP_HAS(ptr, type, field)`. Sizes are never compared for equality.
 * - A function pointer that is null or beyond `struct_size` is not offered; the host has a default or
 *   says what is missing. Functions marked "required" must be present.
 * - Errors. A function that can fail returns 0 (ESP_OK) or a code, and then fills the caller's
 *   `esp_error`. Nothing is thrown, aborted or longjmp'ed across the boundary.
 * - Memory. Who allocates frees. Strings and arrays passed in are valid during the call only, unless
 *   said otherwise. Strings in tables live as long as the process.
 * - Threads. The host serialises calls on one object (device, executable, scheduler, logger). Calls on
 *   different objects may be concurrent. The host table may be used from any thread.
 * - Libraries are opened with RTLD_NOW | RTLD_LOCAL and never closed; `shutdown` is the last call.
 */
#ifndef ESPALIER_PLUGIN_H
#define ESPALIER_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#define ESP_SENDABLE __attribute__((swift_attr("@Sendable")))
#define ESP_NONNULL _Nonnull
#define ESP_NULLABLE _Nullable
#else
#define ESP_SENDABLE
#define ESP_NONNULL
#define ESP_NULLABLE
#endif

#define ESP_ABI_MAJOR 1u
#define ESP_ABI_MINOR 3u

/* True if `field` lies inside what the other side filled. */
#define ESP_HAS(ptr, type, field) \
  ((size_t)(ptr)->struct_size >= offsetof(type, field) + sizeof(((type *)0)->field))

/* ---- Errors ------------------------------------------------------------------------------------- */

#define ESP_OK 0
#define ESP_CANCELLED 1
#define ESP_INVALID_ARGUMENT 2
#define ESP_UNIMPLEMENTED 3
#define ESP_OUT_OF_MEMORY 4
#define ESP_DEVICE_LOST 5 /* sticky: the device must be closed */
#define ESP_TIMEOUT 6
#define ESP_IO 7
#define ESP_NOT_FOUND 8 /* also: no plugin with this index */
#define ESP_VERSION 9
#define ESP_INTERNAL 10

#define ESP_ERROR_MESSAGE_BYTES 1008

/* Owned by the caller, filled by the callee when it returns non-zero. */
typedef struct esp_error {
  uint32_t struct_size;
  int32_t code;        /* ESP_… */
  int32_t native_code; /* errno, VkResult, …; 0 if none */
  int32_t node;        /* the graph node that failed, or -1 */
  char message[ESP_ERROR_MESSAGE_BYTES]; /* UTF-8, zero-terminated: what failed, expected and found */
} esp_error;

/* Fills `error` (if not null) and returns `code`, so that a function can `return esp_fail(…)`. */
static inline int32_t esp_fail(esp_error *ESP_NULLABLE error, int32_t code, const char *ESP_NONNULL message) {
  if (error) {
    size_t n = 0;
    error->code = code;
    error->node = -1;
    while (message[n] && n < ESP_ERROR_MESSAGE_BYTES - 1) {
      error->message[n] = message[n];
      n++;
    }
    error->message[n] = 0;
  }
  return code;
}

/* The message of `error`, for languages that import fixed arrays badly. */
static inline const char *ESP_NONNULL esp_error_message(const esp_error *ESP_NONNULL error) {
  return error->message;
}

/* ---- The host's services ------------------------------------------------------------------------ */

#define ESP_LOG_DEBUG 0
#define ESP_LOG_INFO 1
#define ESP_LOG_WARNING 2
#define ESP_LOG_ERROR 3

/* One slice [begin, end) of a parallel loop. `worker` is below worker_count(). */
typedef void (*esp_parallel_body)(void *ESP_NULLABLE argument, int64_t begin, int64_t end, uint32_t worker);

typedef struct ESP_SENDABLE esp_host {
  uint32_t struct_size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t reserved;
  void *ESP_NULLABLE context; /* pass it back as the first argument */
  /* Any thread; never blocks on I/O for long. */
  void (*ESP_NONNULL log)(void *ESP_NULLABLE context, int32_t level, const char *ESP_NONNULL component,
                          const char *ESP_NONNULL message);
  /* Runs body over [0, count) in slices of at least `grain`; the caller takes part and returns when all
   * is done. One loop at a time: a loop inside a body runs serially. */
  void (*ESP_NONNULL parallel_for)(void *ESP_NULLABLE context, int64_t count, int64_t grain,
                                   esp_parallel_body ESP_NONNULL body, void *ESP_NULLABLE argument);
  uint32_t (*ESP_NONNULL worker_count)(void *ESP_NULLABLE context);
  /* Non-zero once the user asked to stop now; long calls poll it and return ESP_CANCELLED. */
  int32_t (*ESP_NONNULL cancelled)(void *ESP_NULLABLE context);
  /* A setting of the run by name (`cache_directory`, …), or null. Valid for the process. */
  const char *ESP_NULLABLE (*ESP_NONNULL config)(void *ESP_NULLABLE context, const char *ESP_NONNULL key);
} esp_host;

/* A named setting, UTF-8. */
typedef struct esp_option {
  const char *ESP_NONNULL name;
  const char *ESP_NONNULL value;
} esp_option;

/* How the text of an option is read. */
#define ESP_OPTION_STRING 0
#define ESP_OPTION_BOOL 1   /* true or false */
#define ESP_OPTION_INT 2
#define ESP_OPTION_NUMBER 3
#define ESP_OPTION_CHOICE 4 /* one of `choices` */
#define ESP_OPTION_JSON 5   /* any JSON value, as a list of numbers */

/* An option that a plugin takes: what `espalier plugins NAME` prints, and what the host checks a user's
 * words against. Lives as long as the process. */
typedef struct ESP_SENDABLE esp_option_description {
  uint32_t struct_size;
  int32_t type;                            /* ESP_OPTION_… */
  const char *ESP_NONNULL name;            /* as in a configuration: use_karras_sigmas */
  const char *ESP_NONNULL summary;         /* one line, for people */
  const char *ESP_NULLABLE default_value;  /* null: none, or told in the summary */
  const char *ESP_NULLABLE choices;        /* with commas between; ESP_OPTION_CHOICE only */
} esp_option_description;

typedef const esp_option_description *ESP_NONNULL esp_option_description_ref;

/* ---- Entry -------------------------------------------------------------------------------------- */

#define ESP_KIND_BACKEND 1
#define ESP_KIND_SCHEDULER 2
#define ESP_KIND_LOGGER 3
#define ESP_KIND_COMMUNICATOR 4

typedef struct ESP_SENDABLE esp_plugin {
  uint32_t struct_size;
  uint32_t abi_major;      /* ESP_ABI_MAJOR the plugin was compiled with */
  uint32_t abi_minor;      /* ESP_ABI_MINOR the plugin was compiled with */
  uint32_t min_host_minor; /* refuses hosts older than this */
  int32_t kind;            /* ESP_KIND_… */
  uint32_t reserved;
  const char *ESP_NONNULL name;    /* must match the file name */
  const char *ESP_NONNULL version; /* the plugin's own, for people */
  const char *ESP_NONNULL summary; /* one line, for people */
  const void *ESP_NONNULL api;     /* esp_backend_api, esp_scheduler_api, … by kind */
  /* Optional. Called once, in reverse order of loading, before the process exits; from any thread. The host waits
   * some seconds, then says that the plugin did not end, and ends without it. */
  void (*ESP_NULLABLE shutdown)(void);
  /* since 1.2: the options that it takes; null and 0: none. A user's other options are refused. A
   * scheduler plugin tells those of a class in esp_scheduler_class instead. */
  const esp_option_description_ref *ESP_NULLABLE options;
  size_t option_count;
} esp_plugin;

/* The exported symbol. Hands out the plugin with this index (0, 1, …) or ESP_NOT_FOUND. The table lives
 * as long as the process; `host` too. */
typedef int32_t (*esp_plugin_entry_fn)(const esp_host *ESP_NONNULL host, uint32_t index,
                                       const esp_plugin *ESP_NULLABLE *ESP_NONNULL out,
                                       esp_error *ESP_NONNULL error);
#define ESP_ENTRY_SYMBOL "espalier_plugin_entry"
int32_t espalier_plugin_entry(const esp_host *ESP_NONNULL host, uint32_t index,
                              const esp_plugin *ESP_NULLABLE *ESP_NONNULL out, esp_error *ESP_NONNULL error);

/* ---- Compute graphs ----------------------------------------------------------------------------- */

#define ESP_DTYPE_F32 0
#define ESP_DTYPE_F16 1
#define ESP_DTYPE_BF16 2
#define ESP_DTYPE_I32 3

#define ESP_ROLE_INPUT 0  /* bound at execute, read */
#define ESP_ROLE_WEIGHT 1 /* bound at compile, constant: a backend may pack it */
#define ESP_ROLE_STATE 2  /* bound at execute, read and written in place through an alias */
#define ESP_ROLE_TEMP 3   /* placed in the arena by the plan */
#define ESP_ROLE_OUTPUT 4 /* bound at execute, written */

#define ESP_MAX_RANK 6

/* A dense row-major tensor. Feature maps are NHWC, so a map is already the token matrix [B, H·W, C]. */
typedef struct esp_tensor {
  int32_t dtype;
  int32_t role;
  int32_t rank;
  int32_t alias_of; /* this tensor is the new value of that state or input tensor, in its place; -1 none */
  int64_t dims[ESP_MAX_RANK];
} esp_tensor;

#define ESP_MAX_INTS 16
#define ESP_MAX_FLOATS 8

typedef struct esp_node {
  int32_t op; /* ESP_OP_… */
  uint32_t input_count;
  uint32_t output_count;
  uint32_t reserved;
  const int32_t *ESP_NULLABLE inputs;  /* tensor indices; -1: optional input absent */
  const int32_t *ESP_NULLABLE outputs; /* tensor indices; -1: optional output not wanted */
  int64_t i[ESP_MAX_INTS];
  double f[ESP_MAX_FLOATS];
  const char *ESP_NONNULL label; /* layer path, for errors and profiles */
} esp_node;

/* Flat, single assignment, in execution order. Valid during the call; a backend copies what it keeps. */
typedef struct esp_graph {
  uint32_t struct_size;
  uint32_t tensor_count;
  uint32_t node_count;
  uint32_t reserved;
  const esp_tensor *ESP_NULLABLE tensors;
  const esp_node *ESP_NULLABLE nodes;
} esp_graph;

/* Activations that an operation may apply to its result. */
#define ESP_ACT_NONE 0
#define ESP_ACT_SILU 1
#define ESP_ACT_RELU 2
#define ESP_ACT_GELU 3       /* exact, with erf */
#define ESP_ACT_QUICK_GELU 4 /* x · sigmoid(1.702 x) */
#define ESP_ACT_SIGMOID 5

/* Operations. Letters: B batch, H W height and width, C channels, N K features, O output channels, L
 * tokens, … any number of middle axes. `?` marks what may be absent. Storage types are per tensor; results
 * are rounded once, when they are stored; products and sums accumulate in f32. Results repeat bit for bit
 * on one device.
 * - The activations of a node (x, y, residual, channel, q k v o, prediction, target and their cotangents)
 *   share one storage type, one of the device's activation_dtypes; CAST alone changes it. SUM_TO of f16
 *   or bf16 activations also makes f32, for gradients of parameters.
 * - Weights (w, bias, gamma, beta, table, and b of ADD and MUL) are of any of weight_dtypes as
 *   ESP_ROLE_WEIGHT, and f32 while they are trained.
 * - Statistics (mean, rstd, lse), the loss with its weights and cotangent, gradients of parameters (dw,
 *   dgamma, dbeta), sums of squares and the optimizer's tensors are f32; ids and indices are i32. */

/* x[…,K], w[N,K], bias[N]?, residual[…,N]? → act(x·wᵀ + bias) + residual.   i: {act} */
#define ESP_OP_LINEAR 1
/* dy[…,N], w[N,K], residual[…,K]? → dy·w + residual [… ,K] */
#define ESP_OP_LINEAR_DX 2
/* dy[…,N], x[…,K] → dyᵀ·x [N,K] */
#define ESP_OP_LINEAR_DW 3
/* x[B,H,W,C], w[O,C,kh,kw], bias[O]?, channel[B,O]?, residual[B,Ho,Wo,O]?
 * → act(conv(x,w) + bias + channel) + residual.   i: {act, stride, top, left, bottom, right (zero padding)} */
#define ESP_OP_CONV2D 4
/* dy[B,Ho,Wo,O], w[O,C,kh,kw], residual[B,H,W,C]? → dx + residual [B,H,W,C].   i: as CONV2D, act 0 */
#define ESP_OP_CONV2D_DX 5
/* dy[B,Ho,Wo,O], x[B,H,W,C] → dw[O,C,kh,kw].   i: as CONV2D, act 0 */
#define ESP_OP_CONV2D_DW 6
/* x → sum over the axes that the output lacks.
 * i: {mode}: 0 output shape right-aligned, axes of size 1 or missing are summed; 1 x[B,…,C] → [B,C] */
#define ESP_OP_SUM_TO 7
/* x[B,…,C], gamma[C], beta[C] → act(norm(x)·gamma + beta), mean[B,G]?, rstd[B,G]?   i: {act, groups}; f: {epsilon} */
#define ESP_OP_GROUP_NORM 8
/* dy, x, mean[B,G], rstd[B,G], gamma[C], beta[C], residual (as x)? → dx? (+ residual), dgamma[C]?, dbeta[C]?
 * i, f: as GROUP_NORM; dy is the cotangent after the activation */
#define ESP_OP_GROUP_NORM_BACKWARD 9
/* x[…,C], gamma[C], beta[C] → y, mean[…]?, rstd[…]?   f: {epsilon} */
#define ESP_OP_LAYER_NORM 10
/* dy, x, mean, rstd, gamma[C], residual (as x)? → dx? (+ residual), dgamma?, dbeta? */
#define ESP_OP_LAYER_NORM_BACKWARD 11
/* q[B,…,h·d], k[B,…,h·d], v[B,…,h·d] → o (as q), lse[B,h,Nq]? = log Σ exp(scale·q·k).
 * Middle axes are tokens. Never stores the scores.   i: {heads, causal}; f: {scale} */
#define ESP_OP_ATTENTION 12
/* do, q, k, v, o, lse → dq?, dk?, dv?   i, f: as ATTENTION */
#define ESP_OP_ATTENTION_BACKWARD 13
/* x[…,2F] → x[…,:F] · gelu(x[…,F:]) */
#define ESP_OP_GEGLU 14
/* dy[…,F], x[…,2F] → dx[…,2F] */
#define ESP_OP_GEGLU_BACKWARD 15
/* x → act(x).   i: {act} */
#define ESP_OP_UNARY 16
/* dy, x → dy · act'(x).   i: {act} */
#define ESP_OP_UNARY_BACKWARD 17
/* a, b → a + b; b has a's shape, or right-aligned axes of size 1 (or missing) that repeat, or, with
 * i[0] = 1, b is [B,C] and a is [B,…,C] */
#define ESP_OP_ADD 18
/* a, b → a · b; shapes as ADD */
#define ESP_OP_MUL 19
/* x → f[0]·x + f[1] */
#define ESP_OP_SCALE 20
/* x0[…,C0], x1[…,C1], … → [… ,C0+C1+…] */
#define ESP_OP_CONCAT 21
/* x[…,C] → x[…, i[0] ..< i[0]+Cout] */
#define ESP_OP_SLICE 22
/* x[B,H,W,C] → nearest neighbour [B,H2,W2,C]: source index floor(i·H/H2) */
#define ESP_OP_UPSAMPLE_NEAREST 23
/* dy[B,H2,W2,C] → dx[B,H,W,C] */
#define ESP_OP_UPSAMPLE_NEAREST_BACKWARD 24
/* x[B,H,W,C] → 2×2 mean, stride 2, sides rounded up; border windows average what they cover */
#define ESP_OP_AVG_POOL2D 25
/* dy → dx[B,H,W,C] */
#define ESP_OP_AVG_POOL2D_BACKWARD 26
/* x[B,H,W,C] → [B,H/r,W/r,C·r²]; output channel c·r² + dy·r + dx.   i: {r} */
#define ESP_OP_PIXEL_UNSHUFFLE 27
/* x → the output's dtype, round to nearest even */
#define ESP_OP_CAST 28
/* ids i32[B,L], table[V,D] → [B,L,D] */
#define ESP_OP_EMBEDDING 29
/* x[B,L,D], index i32[B] → [B,D] */
#define ESP_OP_GATHER_ROWS 30
/* prediction[B,…], target[B,…], weight[B] → mean_b(weight_b · mean((prediction−target)²)) [1], per-sample mean [B]? */
#define ESP_OP_WEIGHTED_MSE 31
/* dloss[1], prediction, target, weight[B] → dprediction */
#define ESP_OP_WEIGHTED_MSE_BACKWARD 32
/* x0, x1, … → Σ of all squares [1]; not finite if any element is not */
#define ESP_OP_SUM_SQUARES 33
/* scalars[16], (p, g, m, v) × n → (p', m', v') × n, each an alias of its state.
 * scalars: lr, beta1, beta2, epsilon, weight_decay, 1−beta1^t, 1−beta2^t, gradient multiplier, 0 …
 * p −= lr·wd·p; m += (1−β1)(g−m); v = β2 v + (1−β2) g²; p −= lr/(1−β1^t) · m / (√v/√(1−β2^t) + ε) */
#define ESP_OP_ADAMW 34

/* ---- Backend ------------------------------------------------------------------------------------ */

typedef struct esp_device esp_device;
typedef struct esp_buffer esp_buffer;
typedef struct esp_executable esp_executable;

#define ESP_DEVICE_CPU 0
#define ESP_DEVICE_INTEGRATED_GPU 1
#define ESP_DEVICE_DISCRETE_GPU 2
#define ESP_DEVICE_SOFTWARE_GPU 3 /* used when named, never chosen by `auto` */

#define ESP_DEVICE_NAME_BYTES 128
#define ESP_DEVICE_DETAILS_BYTES 256

/* Arrives zeroed, with the host's struct_size; a backend fills the fields that lie inside it. */
typedef struct esp_device_info {
  uint32_t struct_size;
  int32_t device_class;       /* ESP_DEVICE_… */
  uint64_t memory_bytes;      /* in all; 0 unknown */
  uint64_t memory_free_bytes; /* now; 0 unknown */
  uint64_t max_buffer_bytes;  /* one buffer, and one tensor */
  uint64_t alignment;         /* of a tensor inside a buffer, bytes */
  uint32_t activation_dtypes; /* bit ESP_DTYPE_…: storage of activations */
  uint32_t weight_dtypes;     /* bit ESP_DTYPE_…: storage of weights */
  char name[ESP_DEVICE_NAME_BYTES];
  /* since 1.1: one line for people: the driver and its version, what the device can do; may be empty */
  char details[ESP_DEVICE_DETAILS_BYTES];
} esp_device_info;

#define ESP_USAGE_WEIGHT 0 /* written once, then bound at compile; may be kept packed */
#define ESP_USAGE_ARENA 1  /* temporaries, copies of weights; not read or written by the host */
#define ESP_USAGE_STATE 2  /* canonical layout, read and written by the host between executions */
#define ESP_USAGE_IO 3     /* inputs and outputs */

/* A copy of a constant weight in the form in which a node computes with it, packed or transformed. A node without
 * one makes what it needs at each execution; its results are the same bits. */
typedef struct esp_copy_offer {
  int32_t tensor;     /* the WEIGHT that it is made of, an input of the node */
  uint32_t form;      /* copies of one weight with the same form and size are the same and may share their place, also
                         between graphs */
  uint64_t bytes;     /* 0: no offer */
  uint64_t saved_ns;  /* an estimate of what each execution saves with it, nanoseconds */
  uint64_t making_ns; /* an estimate of what making it takes, once */
} esp_copy_offer;

/* Filled by graph_analyze. The host owns the arrays and sizes them by the graph; they arrive zeroed. */
typedef struct esp_analysis {
  uint32_t struct_size;
  uint32_t reserved;
  uint8_t *ESP_NONNULL node_supported;       /* 1: can run it */
  uint8_t *ESP_NONNULL node_inplace_veto;    /* bit k: output 0 may not take input k's place */
  uint64_t *ESP_NONNULL node_workspace;      /* scratch bytes that it needs while it runs */
  uint8_t *ESP_NONNULL tensor_vanishes;      /* 1: a temporary that fusion keeps out of memory */
  int32_t *ESP_NONNULL node_fused_into;      /* node+1 that computes this one too, 0: itself. Its inputs stay
                                                alive until that node has run. */
  /* since 1.3; null: the host keeps none */
  esp_copy_offer *ESP_NULLABLE node_copies;  /* one per node */
} esp_analysis;

#define ESP_PLACE_BOUND (-1)    /* input, weight, state, output: not in an arena */
#define ESP_PLACE_VANISHED (-2) /* as the analysis said */

typedef struct esp_placement {
  int32_t arena; /* index, or ESP_PLACE_… */
  int32_t reserved;
  uint64_t offset;
  uint64_t bytes;
} esp_placement;

typedef struct esp_binding {
  int32_t tensor;
  int32_t reserved;
  esp_buffer *ESP_NONNULL buffer;
  uint64_t offset;
} esp_binding;

/* Where the copy that a node offered is kept. */
typedef struct esp_copy {
  int32_t node;
  int32_t reserved;
  esp_buffer *ESP_NONNULL buffer;
  uint64_t offset; /* a multiple of the device's alignment */
  uint64_t bytes;  /* those of the offer */
} esp_copy;

/* Where everything lives. Two tensors that are alive together never overlap, except an output that the
 * plan put in an input's place. */
typedef struct esp_memory_plan {
  uint32_t struct_size;
  uint32_t arena_count;
  esp_buffer *ESP_NULLABLE const *ESP_NULLABLE arenas;
  const esp_placement *ESP_NULLABLE tensors;    /* one per tensor */
  const esp_placement *ESP_NULLABLE workspaces; /* one per node; bytes 0: none */
  const esp_binding *ESP_NULLABLE weights;      /* every WEIGHT tensor; alive as long as the executable */
  uint32_t weight_count;
  uint32_t reserved;
  /* since 1.3 */
  const esp_copy *ESP_NULLABLE copies; /* of the nodes whose copies are kept, by node; graph_compile fills them, and
                                          they live as long as the executable */
  size_t copy_count;
} esp_memory_plan;

typedef struct esp_run_options {
  uint32_t struct_size;
  uint32_t reserved;
  void *ESP_NULLABLE context;
  /* Optional profile: called for each node after it ran and before `execute` returns, which then waits,
   * with nanoseconds since an arbitrary start, the same for all nodes of the device. */
  void (*ESP_NULLABLE node_timed)(void *ESP_NULLABLE context, int32_t node, uint64_t begin_ns, uint64_t end_ns);
} esp_run_options;

typedef struct ESP_SENDABLE esp_backend_api {
  uint32_t struct_size;
  uint32_t flags; /* 0 */
  /* required */
  int32_t (*ESP_NONNULL device_count)(uint32_t *ESP_NONNULL count, esp_error *ESP_NONNULL error);
  int32_t (*ESP_NONNULL device_info)(uint32_t index, esp_device_info *ESP_NONNULL info, esp_error *ESP_NONNULL error);
  int32_t (*ESP_NONNULL device_open)(uint32_t index, const esp_option *ESP_NULLABLE options, size_t option_count,
                                     esp_device *ESP_NULLABLE *ESP_NONNULL out, esp_error *ESP_NONNULL error);
  void (*ESP_NONNULL device_close)(esp_device *ESP_NONNULL device); /* waits, frees everything */
  int32_t (*ESP_NONNULL buffer_create)(esp_device *ESP_NONNULL device, uint64_t bytes, int32_t usage,
                                       esp_buffer *ESP_NULLABLE *ESP_NONNULL out, esp_error *ESP_NONNULL error);
  void (*ESP_NONNULL buffer_destroy)(esp_buffer *ESP_NONNULL buffer);
  int32_t (*ESP_NONNULL buffer_write)(esp_buffer *ESP_NONNULL buffer, uint64_t offset, const void *ESP_NONNULL source,
                                      uint64_t bytes, esp_error *ESP_NONNULL error);
  int32_t (*ESP_NONNULL buffer_read)(esp_buffer *ESP_NONNULL buffer, uint64_t offset, void *ESP_NONNULL destination,
                                     uint64_t bytes, esp_error *ESP_NONNULL error); /* waits for the device */
  int32_t (*ESP_NONNULL graph_analyze)(esp_device *ESP_NONNULL device, const esp_graph *ESP_NONNULL graph,
                                       esp_analysis *ESP_NONNULL analysis, esp_error *ESP_NONNULL error);
  int32_t (*ESP_NONNULL graph_compile)(esp_device *ESP_NONNULL device, const esp_graph *ESP_NONNULL graph,
                                       const esp_memory_plan *ESP_NONNULL plan,
                                       esp_executable *ESP_NULLABLE *ESP_NONNULL out, esp_error *ESP_NONNULL error);
  /* In order per device; may return before the work is done, then its error comes from the next
   * buffer_read or device_wait. Bindings: every INPUT, STATE and OUTPUT tensor (an alias needs none). */
  int32_t (*ESP_NONNULL execute)(esp_executable *ESP_NONNULL executable, const esp_binding *ESP_NULLABLE bindings,
                                 size_t binding_count, const esp_run_options *ESP_NULLABLE options,
                                 esp_error *ESP_NONNULL error);
  void (*ESP_NONNULL executable_destroy)(esp_executable *ESP_NONNULL executable);
  int32_t (*ESP_NONNULL device_wait)(esp_device *ESP_NONNULL device, esp_error *ESP_NONNULL error);
  /* optional */
  /* A buffer over the host's memory (a mapped file), without a copy. The memory outlives the buffer and
   * does not change. */
  int32_t (*ESP_NULLABLE buffer_import)(esp_device *ESP_NONNULL device, const void *ESP_NONNULL memory, uint64_t bytes,
                                        int32_t usage, esp_buffer *ESP_NULLABLE *ESP_NONNULL out,
                                        esp_error *ESP_NONNULL error);
  /* Bytes that the device holds now and held at most, packed weights included. */
  int32_t (*ESP_NULLABLE device_memory)(esp_device *ESP_NONNULL device, uint64_t *ESP_NONNULL now,
                                        uint64_t *ESP_NONNULL peak, esp_error *ESP_NONNULL error);
} esp_backend_api;

/* ---- Noise scheduler ---------------------------------------------------------------------------- */
/* Pure CPU work on the host's float arrays. One library offers one or more scheduler classes. A
 * scheduler keeps its own history between `step` calls; `set_timesteps` starts anew. */

typedef struct esp_scheduler esp_scheduler;

typedef struct ESP_SENDABLE esp_scheduler_class {
  uint32_t struct_size;
  uint32_t flags;
  const char *ESP_NONNULL class_name; /* Diffusers' name: EulerDiscreteScheduler */
  const char *ESP_NONNULL short_name; /* for the command line: euler */
  const char *ESP_NONNULL summary;
  /* since 1.2: the keys of its configuration, which a user's options replace; null and 0: not told */
  const esp_option_description_ref *ESP_NULLABLE options;
  size_t option_count;
  /* A JSON object that replaces keys of the configuration where the short name was asked for; the user's options
   * come before it. So one class has several entries: dpmpp_2m, dpmpp_2m_karras. Null: nothing. */
  const char *ESP_NULLABLE preset;
} esp_scheduler_class;

typedef struct ESP_SENDABLE esp_scheduler_api {
  uint32_t struct_size;
  uint32_t flags;
  /* required */
  uint32_t (*ESP_NONNULL class_count)(void);
  const esp_scheduler_class *ESP_NULLABLE (*ESP_NONNULL class_at)(uint32_t index);
  /* `config`: the JSON text of scheduler_config.json; unknown keys are ignored, bad values refused. */
  int32_t (*ESP_NONNULL create)(const char *ESP_NONNULL class_name, const char *ESP_NONNULL config,
                                esp_scheduler *ESP_NULLABLE *ESP_NONNULL out, esp_error *ESP_NONNULL error);
  void (*ESP_NONNULL destroy)(esp_scheduler *ESP_NONNULL scheduler);
  int32_t (*ESP_NONNULL set_timesteps)(esp_scheduler *ESP_NONNULL scheduler, int32_t inference_steps,
                                       esp_error *ESP_NONNULL error);
  /* Model calls of one generation: at least one for each inference step, more where a step calls the model twice. */
  uint32_t (*ESP_NONNULL call_count)(esp_scheduler *ESP_NONNULL scheduler);
  double (*ESP_NONNULL timestep)(esp_scheduler *ESP_NONNULL scheduler, uint32_t call);
  double (*ESP_NONNULL init_noise_sigma)(esp_scheduler *ESP_NONNULL scheduler);
  /* What the model sees: sample → out, `count` values. */
  int32_t (*ESP_NONNULL scale_model_input)(esp_scheduler *ESP_NONNULL scheduler, uint32_t call,
                                           const float *ESP_NONNULL sample, float *ESP_NONNULL out, size_t count,
                                           esp_error *ESP_NONNULL error);
  /* 1 if the step after this call needs standard normal noise of the sample's size. */
  int32_t (*ESP_NONNULL needs_noise)(esp_scheduler *ESP_NONNULL scheduler, uint32_t call);
  /* (model_output, sample, noise or null) → previous sample; `predicted_original` may be null. Arrays do
   * not overlap. Calls come in order, 0 ..< call_count. */
  int32_t (*ESP_NONNULL step)(esp_scheduler *ESP_NONNULL scheduler, uint32_t call,
                              const float *ESP_NONNULL model_output, const float *ESP_NONNULL sample,
                              const float *ESP_NULLABLE noise, float *ESP_NONNULL previous_sample,
                              float *ESP_NULLABLE predicted_original, size_t count, esp_error *ESP_NONNULL error);
  /* Training: noisy_b = signal(t_b)·original_b + noise_scale(t_b)·noise_b for `batch` samples of `count` values. */
  int32_t (*ESP_NONNULL add_noise)(esp_scheduler *ESP_NONNULL scheduler, const double *ESP_NONNULL timesteps,
                                   size_t batch, size_t count, const float *ESP_NONNULL original,
                                   const float *ESP_NONNULL noise, float *ESP_NONNULL noisy,
                                   esp_error *ESP_NONNULL error);
  /* optional */
  /* What the model should predict at these timesteps (epsilon: the noise; v_prediction: the velocity). */
  int32_t (*ESP_NULLABLE training_target)(esp_scheduler *ESP_NONNULL scheduler, const double *ESP_NONNULL timesteps,
                                          size_t batch, size_t count, const float *ESP_NONNULL original,
                                          const float *ESP_NONNULL noise, float *ESP_NONNULL target,
                                          esp_error *ESP_NONNULL error);
  /* The noise levels of the current schedule, in order of use, with the final one; returns how many. */
  uint32_t (*ESP_NULLABLE sigmas)(esp_scheduler *ESP_NONNULL scheduler, double *ESP_NULLABLE out, uint32_t capacity);
} esp_scheduler_api;

/* ---- Metric logger ------------------------------------------------------------------------------ */
/* Called from one thread of its own, beside the training. A failing logger is switched off with a warning
 * and never stops a run. Steps never fall, except that a resumed run may repeat the last ones. */

typedef struct esp_logger esp_logger;

/* 8-bit RGB, row-major. Valid during the call; never grows. */
typedef struct esp_image {
  const char *ESP_NONNULL caption;
  uint32_t width;
  uint32_t height;
  const uint8_t *ESP_NONNULL rgb;
} esp_image;

/* What a line of the console was written to. */
#define ESP_CONSOLE_OUTPUT 1
#define ESP_CONSOLE_ERROR 2

typedef struct ESP_SENDABLE esp_logger_api {
  uint32_t struct_size;
  uint32_t flags;
  /* required. `run`: a JSON object (no secrets):
   *   directory    where to write; it exists
   *   project, name  for people; `name` may be absent
   *   config       the run's settings: an object of strings, numbers, booleans, lists and nulls
   *   total_steps  since 1.2: the step at which the run is done; may be absent
   *   resume_step  the last step that is kept of an earlier run in this directory; absent: a new run
   *   options      since 1.2: an object of the user's options, of the types that they are described with; may be
   *                absent */
  int32_t (*ESP_NONNULL open)(const char *ESP_NONNULL run, esp_logger *ESP_NULLABLE *ESP_NONNULL out,
                              esp_error *ESP_NONNULL error);
  int32_t (*ESP_NONNULL scalars)(esp_logger *ESP_NONNULL logger, int64_t step,
                                 const char *ESP_NONNULL const *ESP_NONNULL names, const double *ESP_NONNULL values,
                                 size_t count, esp_error *ESP_NONNULL error);
  int32_t (*ESP_NONNULL close)(esp_logger *ESP_NONNULL logger, esp_error *ESP_NONNULL error);
  /* optional */
  /* 8-bit RGB, row-major. */
  int32_t (*ESP_NULLABLE image)(esp_logger *ESP_NONNULL logger, int64_t step, const char *ESP_NONNULL tag,
                                const char *ESP_NONNULL caption, uint32_t width, uint32_t height,
                                const uint8_t *ESP_NONNULL rgb, esp_error *ESP_NONNULL error);
  int32_t (*ESP_NULLABLE text)(esp_logger *ESP_NONNULL logger, int64_t step, const char *ESP_NONNULL tag,
                               const char *ESP_NONNULL text, esp_error *ESP_NONNULL error);
  int32_t (*ESP_NULLABLE flush)(esp_logger *ESP_NONNULL logger, esp_error *ESP_NONNULL error);
  /* since 1.2 */
  /* All images of one step and tag together; without it each comes through `image`, as TAG/0, TAG/1, …. */
  int32_t (*ESP_NULLABLE images)(esp_logger *ESP_NONNULL logger, int64_t step, const char *ESP_NONNULL tag,
                                 const esp_image *ESP_NONNULL images, size_t count, esp_error *ESP_NONNULL error);
  /* A line that the run showed to the user, without its end. `stream`: ESP_CONSOLE_…. */
  int32_t (*ESP_NULLABLE console)(esp_logger *ESP_NONNULL logger, int32_t stream, const char *ESP_NONNULL line,
                                  esp_error *ESP_NONNULL error);
  /* How the run ended, right before `close`, which is told no more. 0: done; else what the program exits with. A
   * crash calls neither. */
  int32_t (*ESP_NULLABLE finish)(esp_logger *ESP_NONNULL logger, int32_t exit_code, esp_error *ESP_NONNULL error);
  /* Non-zero once somebody asked through the logger to end the run, which then saves its state. Asked after every
   * step, from any thread, also during other calls: returns at once. */
  int32_t (*ESP_NULLABLE stop_requested)(esp_logger *ESP_NONNULL logger);
} esp_logger_api;

/* ---- Communicator ------------------------------------------------------------------------------- */
/* Host memory only. Opened before all other plugins, `init` on the main thread. */

#define ESP_REDUCE_SUM 0
#define ESP_REDUCE_MAX 1

typedef struct ESP_SENDABLE esp_communicator_api {
  uint32_t struct_size;
  uint32_t flags;
  /* required */
  int32_t (*ESP_NONNULL init)(uint32_t *ESP_NONNULL rank, uint32_t *ESP_NONNULL size, esp_error *ESP_NONNULL error);
  int32_t (*ESP_NONNULL broadcast)(void *ESP_NONNULL data, uint64_t bytes, uint32_t root, esp_error *ESP_NONNULL error);
  int32_t (*ESP_NONNULL all_reduce)(float *ESP_NONNULL data, uint64_t count, int32_t reduce,
                                    esp_error *ESP_NONNULL error);
  int32_t (*ESP_NONNULL barrier)(esp_error *ESP_NONNULL error);
  void (*ESP_NONNULL finalize)(void);
} esp_communicator_api;

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#ifdef __cplusplus
}
#endif
#endif /* ESPALIER_PLUGIN_H */
