/* The Vulkan calls that chain structures, as plain functions; the rest is called from Swift directly. */
#ifndef VULKAN_DRIVER_H
#define VULKAN_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

/* What a physical device is and can do. */
typedef struct vd_facts {
  VkPhysicalDevice _Nullable handle;
  char name[256];
  char driver[512]; /* name and version, for people */
  uint8_t driver_uuid[16];
  VkPhysicalDeviceType type;
  uint32_t api_version;
  uint32_t queue_family; /* one with compute; UINT32_MAX: none */
  uint32_t timestamp_bits;
  float timestamp_period; /* nanoseconds per tick */
  uint32_t max_invocations;
  uint32_t max_group_size[3];
  uint32_t max_group_count[3];
  uint32_t shared_memory_bytes;
  uint32_t push_constant_bytes;
  uint32_t subgroup_size;
  bool has_subgroup_operations; /* basic, arithmetic, ballot and shuffle in compute shaders */
  bool has_buffer_address;
  bool has_timeline_semaphore;
  bool has_16bit_storage;
  bool has_float16;
  bool has_bfloat16;
  bool has_cooperative_matrix; /* 16×16×16, f16 → f32, subgroup scope */
  bool has_memory_budget;
  bool specialises_late; /* it optimises shaders before it knows their specialisation constants */
  uint32_t max_texels; /* of one texel buffer */
  uint64_t max_allocation_bytes;
  uint64_t max_buffer_bytes;
  VkPhysicalDeviceMemoryProperties memory;
} vd_facts;

/* A callback for messages of the validation layers. */
typedef void (*vd_message)(const char *_Nonnull text);

/* Creates the instance; with `validation`, under the Khronos layers, whose warnings and errors go to it. */
VkResult vd_create_instance(vd_message _Nullable validation, VkInstance _Nullable *_Nonnull out);
/* True if the Khronos validation layer is installed. */
bool vd_has_validation(void);

void vd_query(VkInstance _Nonnull instance, VkPhysicalDevice _Nonnull device, vd_facts *_Nonnull out);
/* Bytes of a heap that the process may still take; 0 where the driver does not tell. */
uint64_t vd_heap_free(const vd_facts *_Nonnull facts, uint32_t heap);

/* A device with one queue of the compute family and everything that `facts` offers switched on. */
VkResult vd_create_device(const vd_facts *_Nonnull facts, VkDevice _Nullable *_Nonnull out);
VkResult vd_create_timeline(VkDevice _Nonnull device, VkSemaphore _Nullable *_Nonnull out);

/* A buffer with memory of this type, its address, its mapping if `map`, a view of RGBA32 words if `texels`. */
typedef struct vd_block {
  VkBuffer _Nullable buffer;
  VkBufferView _Nullable texels;
  VkDeviceMemory _Nullable memory;
  VkDeviceAddress address;
  void *_Nullable mapped;
} vd_block;
VkResult vd_create_block(VkDevice _Nonnull device, uint64_t bytes, uint32_t memory_type, bool map, bool texels,
                         vd_block *_Nonnull out);
void vd_destroy_block(VkDevice _Nonnull device, const vd_block *_Nonnull block);

VkResult vd_create_pipeline(VkDevice _Nonnull device, VkPipelineLayout _Nonnull layout, const uint32_t *_Nonnull words,
                            size_t word_count, const uint32_t *_Nullable constants, uint32_t constant_count,
                            VkPipeline _Nullable *_Nonnull out);
/* Set 0 of every pipeline: this many texel buffers, bindings 0, 1, … */
#define VD_TEXEL_SLOTS 4u
VkResult vd_create_set_layout(VkDevice _Nonnull device, VkDescriptorSetLayout _Nullable *_Nonnull out);
VkResult vd_create_pipeline_layout(VkDevice _Nonnull device, uint32_t push_bytes,
                                   VkDescriptorSetLayout _Nonnull set, VkPipelineLayout _Nullable *_Nonnull out);
VkResult vd_create_descriptor_pool(VkDevice _Nonnull device, uint32_t sets, VkDescriptorPool _Nullable *_Nonnull out);
/* A set whose slots are these views; all VD_TEXEL_SLOTS of them. */
VkResult vd_create_set(VkDevice _Nonnull device, VkDescriptorPool _Nonnull pool, VkDescriptorSetLayout _Nonnull layout,
                       const VkBufferView _Nonnull *_Nonnull views, VkDescriptorSet _Nullable *_Nonnull out);

VkResult vd_create_command_pool(VkDevice _Nonnull device, uint32_t family, VkCommandPool _Nullable *_Nonnull out);
VkResult vd_begin(VkDevice _Nonnull device, VkCommandPool _Nonnull pool, bool once,
                  VkCommandBuffer _Nullable *_Nonnull out);
/* Everything before it is done and visible before anything after it starts. */
void vd_barrier(VkCommandBuffer _Nonnull commands);
void vd_copy(VkCommandBuffer _Nonnull commands, VkBuffer _Nonnull from, uint64_t from_offset, VkBuffer _Nonnull to,
             uint64_t to_offset, uint64_t bytes);
/* Submits; the timeline reaches `value` when it is done. */
VkResult vd_submit(VkQueue _Nonnull queue, VkCommandBuffer _Nonnull commands, VkSemaphore _Nonnull timeline,
                   uint64_t value);
/* VK_TIMEOUT if the timeline does not reach `value` in time. */
VkResult vd_wait(VkDevice _Nonnull device, VkSemaphore _Nonnull timeline, uint64_t value, uint64_t nanoseconds);

VkResult vd_create_queries(VkDevice _Nonnull device, uint32_t count, VkQueryPool _Nullable *_Nonnull out);

#endif
