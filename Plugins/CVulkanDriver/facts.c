/* What a physical device is and can do. */
#include "matrices.h"
#include "vulkan_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* True if `name` is among the device's extensions. */
static bool has_extension(const VkExtensionProperties *list, uint32_t count, const char *name) {
  for (uint32_t k = 0; k < count; k++) {
    if (strcmp(list[k].extensionName, name) == 0) return true;
  }
  return false;
}

static void query_queue(VkPhysicalDevice device, vd_facts *out) {
  VkQueueFamilyProperties families[32];
  uint32_t count = 32;
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families);
  out->queue_family = UINT32_MAX;
  for (uint32_t k = 0; k < count; k++) {
    if (!(families[k].queueFlags & VK_QUEUE_COMPUTE_BIT)) continue;
    /* A family that also draws is the fastest for compute on most drivers, and always complete. */
    bool draws = families[k].queueFlags & VK_QUEUE_GRAPHICS_BIT;
    if (out->queue_family != UINT32_MAX && !draws) continue;
    out->queue_family = k;
    out->timestamp_bits = families[k].timestampValidBits;
    if (draws) return;
  }
}

static void query_features(VkPhysicalDevice device, vd_facts *out) {
  VkPhysicalDeviceVulkan12Features v12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  VkPhysicalDeviceVulkan11Features v11 = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, .pNext = &v12};
  VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &v11};
  vkGetPhysicalDeviceFeatures2(device, &features);
  out->has_buffer_address = v12.bufferDeviceAddress;
  out->has_timeline_semaphore = v12.timelineSemaphore;
  out->has_16bit_storage = v11.storageBuffer16BitAccess;
  out->has_float16 = v12.shaderFloat16;
}

static void query_limits(VkPhysicalDevice device, vd_facts *out) {
  VkPhysicalDeviceMaintenance4Properties m4 = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES};
  VkPhysicalDeviceVulkan12Properties v12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES};
  VkPhysicalDeviceVulkan11Properties v11 = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES, .pNext = &v12};
  VkPhysicalDeviceProperties2 properties = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &v11};
  if (out->api_version >= VK_API_VERSION_1_3) v12.pNext = &m4;
  vkGetPhysicalDeviceProperties2(device, &properties);
  const VkPhysicalDeviceLimits *limits = &properties.properties.limits;
  snprintf(out->driver, sizeof out->driver, v12.driverInfo[0] ? "%s %s" : "%s", v12.driverName, v12.driverInfo);
  out->specialises_late = v12.driverID == VK_DRIVER_ID_GOOGLE_SWIFTSHADER;
  memcpy(out->driver_uuid, v11.driverUUID, 16);
  out->timestamp_period = limits->timestampPeriod;
  out->max_invocations = limits->maxComputeWorkGroupInvocations;
  memcpy(out->max_group_size, limits->maxComputeWorkGroupSize, sizeof out->max_group_size);
  memcpy(out->max_group_count, limits->maxComputeWorkGroupCount, sizeof out->max_group_count);
  out->shared_memory_bytes = limits->maxComputeSharedMemorySize;
  out->push_constant_bytes = limits->maxPushConstantsSize;
  out->max_texels = limits->maxTexelBufferElements;
  out->subgroup_size = v11.subgroupSize;
  VkSubgroupFeatureFlags wanted = VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_ARITHMETIC_BIT |
                                  VK_SUBGROUP_FEATURE_BALLOT_BIT | VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
  out->has_subgroup_operations = (v11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT) &&
                                 (v11.subgroupSupportedOperations & wanted) == wanted;
  out->max_allocation_bytes = v11.maxMemoryAllocationSize;
  out->max_buffer_bytes = m4.maxBufferSize ? m4.maxBufferSize : v11.maxMemoryAllocationSize;
}

void vd_query(VkInstance instance, VkPhysicalDevice device, vd_facts *out) {
  memset(out, 0, sizeof *out);
  VkPhysicalDeviceProperties properties;
  vkGetPhysicalDeviceProperties(device, &properties);
  out->handle = device;
  snprintf(out->name, sizeof out->name, "%s", properties.deviceName);
  out->type = properties.deviceType;
  out->api_version = properties.apiVersion;
  query_queue(device, out);
  vkGetPhysicalDeviceMemoryProperties(device, &out->memory);
  if (out->api_version < VK_API_VERSION_1_2) return;
  query_features(device, out);
  query_limits(device, out);
  uint32_t count = 0;
  if (vkEnumerateDeviceExtensionProperties(device, NULL, &count, NULL) != VK_SUCCESS || count == 0) return;
  VkExtensionProperties *list = calloc(count, sizeof *list);
  if (!list) return;
  VkResult result = vkEnumerateDeviceExtensionProperties(device, NULL, &count, list);
  if (result == VK_SUCCESS || result == VK_INCOMPLETE) {
    out->has_memory_budget = has_extension(list, count, "VK_EXT_memory_budget");
    out->has_bfloat16 = has_extension(list, count, "VK_KHR_shader_bfloat16");
    out->has_cooperative_matrix = out->has_float16 && out->has_16bit_storage &&
                                  has_extension(list, count, vd_matrix_extension) &&
                                  vd_has_matrices(instance, device);
  }
  free(list);
}

uint64_t vd_heap_free(const vd_facts *facts, uint32_t heap) {
  if (!facts->has_memory_budget) return 0;
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
  VkPhysicalDeviceMemoryProperties2 memory = {
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = &budget};
  vkGetPhysicalDeviceMemoryProperties2(facts->handle, &memory);
  uint64_t total = budget.heapBudget[heap], used = budget.heapUsage[heap];
  return total > used ? total - used : 1;
}
