/* Logical devices, memory, pipelines and submissions. */
#include "matrices.h"
#include "vulkan_driver.h"

#include <string.h>

VkResult vd_create_device(const vd_facts *facts, VkDevice *out) {
  float priority = 1;
  VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                   .queueFamilyIndex = facts->queue_family,
                                   .queueCount = 1,
                                   .pQueuePriorities = &priority};
  VkPhysicalDeviceVulkan12Features v12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
                                          .bufferDeviceAddress = VK_TRUE,
                                          .timelineSemaphore = VK_TRUE,
                                          .shaderFloat16 = facts->has_float16,
                                          .vulkanMemoryModel = facts->has_cooperative_matrix};
  VkPhysicalDeviceVulkan11Features v11 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
                                          .pNext = &v12,
                                          .storageBuffer16BitAccess = facts->has_16bit_storage};
  const char *extensions[2];
  uint32_t count = 0;
  if (facts->has_memory_budget) extensions[count++] = "VK_EXT_memory_budget";
  if (facts->has_cooperative_matrix) extensions[count++] = vd_matrix_extension;
  VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                             .pNext = &v11,
                             .queueCreateInfoCount = 1,
                             .pQueueCreateInfos = &queue,
                             .enabledExtensionCount = count,
                             .ppEnabledExtensionNames = extensions};
  if (facts->has_cooperative_matrix) return vd_create_matrix_device(facts->handle, &info, out);
  return vkCreateDevice(facts->handle, &info, NULL, out);
}

VkResult vd_create_timeline(VkDevice device, VkSemaphore *out) {
  VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                    .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
  VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &type};
  return vkCreateSemaphore(device, &info, NULL, out);
}

VkResult vd_create_block(VkDevice device, uint64_t bytes, uint32_t memory_type, bool map, bool texels,
                         vd_block *out) {
  memset(out, 0, sizeof *out);
  VkBufferCreateInfo buffer = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                               .size = bytes,
                               .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                                        VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT |
                                        (texels ? VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT : 0)};
  VkResult result = vkCreateBuffer(device, &buffer, NULL, &out->buffer);
  if (result != VK_SUCCESS) return result;
  VkMemoryRequirements needs;
  vkGetBufferMemoryRequirements(device, out->buffer, &needs);
  VkMemoryAllocateFlagsInfo flags = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                     .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT};
  VkMemoryAllocateInfo memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                 .pNext = &flags,
                                 .allocationSize = needs.size,
                                 .memoryTypeIndex = memory_type};
  if (!(needs.memoryTypeBits & (1u << memory_type))) result = VK_ERROR_FEATURE_NOT_PRESENT;
  if (result == VK_SUCCESS) result = vkAllocateMemory(device, &memory, NULL, &out->memory);
  if (result == VK_SUCCESS) result = vkBindBufferMemory(device, out->buffer, out->memory, 0);
  if (result == VK_SUCCESS && map) result = vkMapMemory(device, out->memory, 0, VK_WHOLE_SIZE, 0, &out->mapped);
  VkBufferViewCreateInfo view = {.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
                                 .buffer = out->buffer,
                                 .format = VK_FORMAT_R32G32B32A32_UINT,
                                 .range = VK_WHOLE_SIZE};
  if (result == VK_SUCCESS && texels) result = vkCreateBufferView(device, &view, NULL, &out->texels);
  if (result != VK_SUCCESS) {
    vd_destroy_block(device, out);
    memset(out, 0, sizeof *out);
    return result;
  }
  VkBufferDeviceAddressInfo address = {.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO, .buffer = out->buffer};
  out->address = vkGetBufferDeviceAddress(device, &address);
  return VK_SUCCESS;
}

void vd_destroy_block(VkDevice device, const vd_block *block) {
  if (block->texels) vkDestroyBufferView(device, block->texels, NULL);
  if (block->buffer) vkDestroyBuffer(device, block->buffer, NULL);
  if (block->memory) vkFreeMemory(device, block->memory, NULL);
}

VkResult vd_create_set_layout(VkDevice device, VkDescriptorSetLayout *out) {
  VkDescriptorSetLayoutBinding bindings[VD_TEXEL_SLOTS];
  for (uint32_t k = 0; k < VD_TEXEL_SLOTS; k++) {
    bindings[k] = (VkDescriptorSetLayoutBinding){.binding = k,
                                                 .descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER,
                                                 .descriptorCount = 1,
                                                 .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
  }
  VkDescriptorSetLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                          .bindingCount = VD_TEXEL_SLOTS,
                                          .pBindings = bindings};
  return vkCreateDescriptorSetLayout(device, &info, NULL, out);
}

VkResult vd_create_descriptor_pool(VkDevice device, uint32_t sets, VkDescriptorPool *out) {
  VkDescriptorPoolSize size = {.type = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER,
                               .descriptorCount = VD_TEXEL_SLOTS * sets};
  VkDescriptorPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                     .maxSets = sets,
                                     .poolSizeCount = 1,
                                     .pPoolSizes = &size};
  return vkCreateDescriptorPool(device, &info, NULL, out);
}

VkResult vd_create_set(VkDevice device, VkDescriptorPool pool, VkDescriptorSetLayout layout,
                       const VkBufferView *views, VkDescriptorSet *out) {
  VkDescriptorSetAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                      .descriptorPool = pool,
                                      .descriptorSetCount = 1,
                                      .pSetLayouts = &layout};
  VkResult result = vkAllocateDescriptorSets(device, &info, out);
  if (result != VK_SUCCESS) return result;
  VkWriteDescriptorSet writes[VD_TEXEL_SLOTS];
  for (uint32_t k = 0; k < VD_TEXEL_SLOTS; k++) {
    writes[k] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                       .dstSet = *out,
                                       .dstBinding = k,
                                       .descriptorCount = 1,
                                       .descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER,
                                       .pTexelBufferView = &views[k]};
  }
  vkUpdateDescriptorSets(device, VD_TEXEL_SLOTS, writes, 0, NULL);
  return VK_SUCCESS;
}

VkResult vd_create_pipeline_layout(VkDevice device, uint32_t push_bytes, VkDescriptorSetLayout set,
                                   VkPipelineLayout *out) {
  VkPushConstantRange range = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = push_bytes};
  VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                     .setLayoutCount = 1,
                                     .pSetLayouts = &set,
                                     .pushConstantRangeCount = 1,
                                     .pPushConstantRanges = &range};
  return vkCreatePipelineLayout(device, &info, NULL, out);
}

VkResult vd_create_pipeline(VkDevice device, VkPipelineLayout layout, const uint32_t *words, size_t word_count,
                            const uint32_t *constants, uint32_t constant_count, VkPipeline *out) {
  VkShaderModuleCreateInfo module = {
      .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = 4 * word_count, .pCode = words};
  VkShaderModule handle;
  VkResult result = vkCreateShaderModule(device, &module, NULL, &handle);
  if (result != VK_SUCCESS) return result;
  VkSpecializationMapEntry entries[64];
  if (constant_count > 64) constant_count = 64;
  for (uint32_t k = 0; k < constant_count; k++) {
    entries[k] = (VkSpecializationMapEntry){.constantID = k, .offset = 4 * k, .size = 4};
  }
  VkSpecializationInfo specialisation = {
      .mapEntryCount = constant_count, .pMapEntries = entries, .dataSize = 4 * constant_count, .pData = constants};
  VkComputePipelineCreateInfo info = {
      .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                .module = handle,
                .pName = "main",
                .pSpecializationInfo = &specialisation},
      .layout = layout};
  result = vkCreateComputePipelines(device, VK_NULL_HANDLE, 1, &info, NULL, out);
  vkDestroyShaderModule(device, handle, NULL);
  return result;
}

VkResult vd_create_queries(VkDevice device, uint32_t count, VkQueryPool *out) {
  VkQueryPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                .queryCount = count};
  return vkCreateQueryPool(device, &info, NULL, out);
}
