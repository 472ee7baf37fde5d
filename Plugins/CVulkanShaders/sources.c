/* Embeds every file of Shaders/. A new shader is three lines and an entry in the table, sorted by name. */
#include "vulkan_shaders.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char activation_glsl[] = {
#embed "../../Shaders/Include/activation.glsl" suffix(, 0)
};
static const char attention_rows_glsl[] = {
#embed "../../Shaders/Include/attention_rows.glsl" suffix(, 0)
};
static const char attention_tiles_glsl[] = {
#embed "../../Shaders/Include/attention_tiles.glsl" suffix(, 0)
};
static const char grid_glsl[] = {
#embed "../../Shaders/Include/grid.glsl" suffix(, 0)
};
static const char texels_glsl[] = {
#embed "../../Shaders/Include/texels.glsl" suffix(, 0)
};
static const char types_glsl[] = {
#embed "../../Shaders/Include/types.glsl" suffix(, 0)
};
static const char vectors_glsl[] = {
#embed "../../Shaders/Include/vectors.glsl" suffix(, 0)
};
static const char weights_glsl[] = {
#embed "../../Shaders/Include/weights.glsl" suffix(, 0)
};
static const char attention_backward_keys_comp[] = {
#embed "../../Shaders/attention_backward_keys.comp" suffix(, 0)
};
static const char attention_backward_queries_comp[] = {
#embed "../../Shaders/attention_backward_queries.comp" suffix(, 0)
};
static const char attention_delta_comp[] = {
#embed "../../Shaders/attention_delta.comp" suffix(, 0)
};
static const char attention_forward_comp[] = {
#embed "../../Shaders/attention_forward.comp" suffix(, 0)
};
static const char attention_parts_comp[] = {
#embed "../../Shaders/attention_parts.comp" suffix(, 0)
};
static const char unary_comp[] = {
#embed "../../Shaders/unary.comp" suffix(, 0)
};

static const vs_source vs_sources[] = {
    {"Include/activation.glsl", activation_glsl},
    {"Include/attention_rows.glsl", attention_rows_glsl},
    {"Include/attention_tiles.glsl", attention_tiles_glsl},
    {"Include/grid.glsl", grid_glsl},
    {"Include/texels.glsl", texels_glsl},
    {"Include/types.glsl", types_glsl},
    {"Include/vectors.glsl", vectors_glsl},
    {"Include/weights.glsl", weights_glsl},
    {"attention_backward_keys.comp", attention_backward_keys_comp},
    {"attention_backward_queries.comp", attention_backward_queries_comp},
    {"attention_delta.comp", attention_delta_comp},
    {"attention_forward.comp", attention_forward_comp},
    {"attention_parts.comp", attention_parts_comp},
    {"unary.comp", unary_comp},
};
const size_t vs_source_count = sizeof vs_sources / sizeof vs_sources[0];

const vs_source *vs_source_at(size_t index) { return &vs_sources[index]; }
