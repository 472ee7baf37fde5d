/* The GLSL sources of the plugin, as they stand in Shaders/. */
#ifndef VULKAN_SHADERS_H
#define VULKAN_SHADERS_H

#include <stddef.h>

typedef struct vs_source {
  const char *_Nonnull name; /* relative to Shaders/: "unary.comp", "Include/types.glsl" */
  const char *_Nonnull text; /* zero-terminated */
} vs_source;

/* All of them; the list ends at `vs_source_count`. */
extern const vs_source vs_sources[];
extern const size_t vs_source_count;

#endif
