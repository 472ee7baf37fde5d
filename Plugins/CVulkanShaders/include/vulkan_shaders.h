/* The GLSL sources of the plugin, as they stand in Shaders/. */
#ifndef VULKAN_SHADERS_H
#define VULKAN_SHADERS_H

#include <stddef.h>

typedef struct vs_source {
  const char *_Nonnull name; /* relative to Shaders/: "unary.comp", "Include/types.glsl" */
  const char *_Nonnull text; /* zero-terminated */
} vs_source;

/* The file with this index, below `vs_source_count`. */
const vs_source *_Nonnull vs_source_at(size_t index);
extern const size_t vs_source_count;

#endif
