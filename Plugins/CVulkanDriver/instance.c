/* The instance, and the messages of the validation layers. */
#include "vulkan_driver.h"

#include <string.h>

static const char *const validation_layer = "VK_LAYER_KHRONOS_validation";

bool vd_has_validation(void) {
  VkLayerProperties layers[64];
  uint32_t count = 64;
  VkResult result = vkEnumerateInstanceLayerProperties(&count, layers);
  if (result != VK_SUCCESS && result != VK_INCOMPLETE) return false;
  for (uint32_t k = 0; k < count; k++) {
    if (strcmp(layers[k].layerName, validation_layer) == 0) return true;
  }
  return false;
}

static VKAPI_ATTR VkBool32 VKAPI_CALL forward(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                              VkDebugUtilsMessageTypeFlagsEXT types,
                                              const VkDebugUtilsMessengerCallbackDataEXT *data, void *user) {
  (void)severity;
  if (types & VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT) ((vd_message)user)(data->pMessage);
  return VK_FALSE;
}

VkResult vd_create_instance(vd_message validation, VkInstance *out) {
  VkApplicationInfo application = {
      .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .pApplicationName = "espalier", .apiVersion = VK_API_VERSION_1_2};
  const char *extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  VkDebugUtilsMessengerCreateInfoEXT messenger = {
      .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
      .messageSeverity =
          VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
      .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
      .pfnUserCallback = forward,
      .pUserData = (void *)validation};
  VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application};
  if (validation) {
    info.pNext = &messenger;
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = &validation_layer;
    info.enabledExtensionCount = 1;
    info.ppEnabledExtensionNames = &extension;
  }
  VkResult result = vkCreateInstance(&info, NULL, out);
  if (result != VK_SUCCESS || !validation) return result;
  PFN_vkCreateDebugUtilsMessengerEXT create =
      (PFN_vkCreateDebugUtilsMessengerEXT)vkGetInstanceProcAddr(*out, "vkCreateDebugUtilsMessengerEXT");
  VkDebugUtilsMessengerEXT handle;
  /* Lives as long as the instance, which lives as long as the process. */
  return create ? create(*out, &messenger, NULL, &handle) : VK_ERROR_EXTENSION_NOT_PRESENT;
}
