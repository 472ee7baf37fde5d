/* Cooperative matrices of a device; inside the library only. */
#ifndef MATRICES_H
#define MATRICES_H

#include "vulkan_driver.h"

/* The extension that offers them. */
extern const char *_Nonnull const vd_matrix_extension;

/* True if a device with the extension has the product 16×16×16, f16 → f32, of a subgroup, and what it needs. */
bool vd_has_matrices(VkInstance _Nonnull instance, VkPhysicalDevice _Nonnull device);

/* vkCreateDevice with them switched on; the caller names the extension and vulkanMemoryModel. */
VkResult vd_create_matrix_device(VkPhysicalDevice _Nonnull physical, VkDeviceCreateInfo *_Nonnull info,
                                 VkDevice _Nullable *_Nonnull out);

#endif
