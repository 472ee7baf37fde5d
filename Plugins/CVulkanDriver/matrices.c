/* Cooperative matrices, under the KHR name where the headers know it, else under NVIDIA's, which means the
 * same. Shaders make the same choice by what the compiler knows: Shaders/Include/product_matrix.glsl. */
#include "matrices.h"

#include <stdlib.h>

#ifdef VK_KHR_cooperative_matrix
#define NAME(text) text##KHR
#define STRUCTURE(text) VK_STRUCTURE_TYPE_##text##_KHR
#define CONSTANT(text) text##_KHR
#define RESULT_TYPE ResultType
#define LIST_FUNCTION "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR"
const char *const vd_matrix_extension = VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
#else
#define NAME(text) text##NV
#define STRUCTURE(text) VK_STRUCTURE_TYPE_##text##_NV
#define CONSTANT(text) text##_NV
#define RESULT_TYPE DType
#define LIST_FUNCTION "vkGetPhysicalDeviceCooperativeMatrixPropertiesNV"
const char *const vd_matrix_extension = VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME;
#endif

typedef NAME(VkCooperativeMatrixProperties) matrix_shape;
typedef NAME(VkPhysicalDeviceCooperativeMatrixFeatures) matrix_features;

/* The product that the shaders use: a subgroup multiplies 16×16 by 16×16 f16 into f32. */
static bool is_wanted(const matrix_shape *shape) {
  return shape->MSize == 16 && shape->NSize == 16 && shape->KSize == 16 &&
         shape->AType == CONSTANT(VK_COMPONENT_TYPE_FLOAT16) && shape->BType == CONSTANT(VK_COMPONENT_TYPE_FLOAT16) &&
         shape->CType == CONSTANT(VK_COMPONENT_TYPE_FLOAT32) &&
         shape->RESULT_TYPE == CONSTANT(VK_COMPONENT_TYPE_FLOAT32) && shape->scope == CONSTANT(VK_SCOPE_SUBGROUP);
}

static bool has_features(VkPhysicalDevice device) {
  matrix_features matrices = {.sType = STRUCTURE(PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES)};
  VkPhysicalDeviceVulkan12Features v12 = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
                                          .pNext = &matrices};
  VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &v12};
  vkGetPhysicalDeviceFeatures2(device, &features);
  return matrices.cooperativeMatrix && v12.vulkanMemoryModel;
}

bool vd_has_matrices(VkInstance instance, VkPhysicalDevice device) {
  NAME(PFN_vkGetPhysicalDeviceCooperativeMatrixProperties)
  list = (NAME(PFN_vkGetPhysicalDeviceCooperativeMatrixProperties))vkGetInstanceProcAddr(instance, LIST_FUNCTION);
  uint32_t count = 0;
  if (!list || !has_features(device) || list(device, &count, NULL) != VK_SUCCESS || count == 0) return false;
  matrix_shape *shapes = calloc(count, sizeof *shapes);
  if (!shapes) return false;
  for (uint32_t k = 0; k < count; k++) shapes[k].sType = STRUCTURE(COOPERATIVE_MATRIX_PROPERTIES);
  bool found = false;
  VkResult result = list(device, &count, shapes);
  if (result == VK_SUCCESS || result == VK_INCOMPLETE) {
    for (uint32_t k = 0; k < count && !found; k++) found = is_wanted(&shapes[k]);
  }
  free(shapes);
  return found;
}

VkResult vd_create_matrix_device(VkPhysicalDevice physical, VkDeviceCreateInfo *info, VkDevice *out) {
  matrix_features matrices = {.sType = STRUCTURE(PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES),
                              .pNext = (void *)info->pNext,
                              .cooperativeMatrix = VK_TRUE};
  info->pNext = &matrices;
  return vkCreateDevice(physical, info, NULL, out);
}
