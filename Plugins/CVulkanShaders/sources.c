/* Embeds every file of Shaders/. A new shader is three lines and an entry in the table, sorted by name. */
#include "vulkan_shaders.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char activation_glsl[] = {
#embed "../../Shaders/Include/activation.glsl" suffix(, 0)
};
static const char attention_lanes_glsl[] = {
#embed "../../Shaders/Include/attention_lanes.glsl" suffix(, 0)
};
static const char attention_rows_glsl[] = {
#embed "../../Shaders/Include/attention_rows.glsl" suffix(, 0)
};
static const char attention_tiles_glsl[] = {
#embed "../../Shaders/Include/attention_tiles.glsl" suffix(, 0)
};
static const char columns_glsl[] = {
#embed "../../Shaders/Include/columns.glsl" suffix(, 0)
};
static const char divide_glsl[] = {
#embed "../../Shaders/Include/divide.glsl" suffix(, 0)
};
static const char exp_glsl[] = {
#embed "../../Shaders/Include/exp.glsl" suffix(, 0)
};
static const char grid_glsl[] = {
#embed "../../Shaders/Include/grid.glsl" suffix(, 0)
};
static const char half_glsl[] = {
#embed "../../Shaders/Include/half.glsl" suffix(, 0)
};
static const char lanes_glsl[] = {
#embed "../../Shaders/Include/lanes.glsl" suffix(, 0)
};
static const char matrices_glsl[] = {
#embed "../../Shaders/Include/matrices.glsl" suffix(, 0)
};
static const char operand_reads_glsl[] = {
#embed "../../Shaders/Include/operand_reads.glsl" suffix(, 0)
};
static const char product_glsl[] = {
#embed "../../Shaders/Include/product.glsl" suffix(, 0)
};
static const char product_block_glsl[] = {
#embed "../../Shaders/Include/product_block.glsl" suffix(, 0)
};
static const char product_core_glsl[] = {
#embed "../../Shaders/Include/product_core.glsl" suffix(, 0)
};
static const char product_matrix_glsl[] = {
#embed "../../Shaders/Include/product_matrix.glsl" suffix(, 0)
};
static const char product_result_glsl[] = {
#embed "../../Shaders/Include/product_result.glsl" suffix(, 0)
};
static const char product_shared_glsl[] = {
#embed "../../Shaders/Include/product_shared.glsl" suffix(, 0)
};
static const char product_subgroup_glsl[] = {
#embed "../../Shaders/Include/product_subgroup.glsl" suffix(, 0)
};
static const char reduce_glsl[] = {
#embed "../../Shaders/Include/reduce.glsl" suffix(, 0)
};
static const char rows_glsl[] = {
#embed "../../Shaders/Include/rows.glsl" suffix(, 0)
};
static const char sources_glsl[] = {
#embed "../../Shaders/Include/sources.glsl" suffix(, 0)
};
static const char texels_glsl[] = {
#embed "../../Shaders/Include/texels.glsl" suffix(, 0)
};
static const char types_glsl[] = {
#embed "../../Shaders/Include/types.glsl" suffix(, 0)
};
static const char units_glsl[] = {
#embed "../../Shaders/Include/units.glsl" suffix(, 0)
};
static const char vectors_glsl[] = {
#embed "../../Shaders/Include/vectors.glsl" suffix(, 0)
};
static const char weights_glsl[] = {
#embed "../../Shaders/Include/weights.glsl" suffix(, 0)
};
static const char adamw_comp[] = {
#embed "../../Shaders/adamw.comp" suffix(, 0)
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
static const char attention_lanes_forward_comp[] = {
#embed "../../Shaders/attention_lanes_forward.comp" suffix(, 0)
};
static const char attention_lanes_keys_comp[] = {
#embed "../../Shaders/attention_lanes_keys.comp" suffix(, 0)
};
static const char attention_lanes_queries_comp[] = {
#embed "../../Shaders/attention_lanes_queries.comp" suffix(, 0)
};
static const char attention_matrix_forward_comp[] = {
#embed "../../Shaders/attention_matrix_forward.comp" suffix(, 0)
};
static const char attention_parts_comp[] = {
#embed "../../Shaders/attention_parts.comp" suffix(, 0)
};
static const char avg_pool2d_comp[] = {
#embed "../../Shaders/avg_pool2d.comp" suffix(, 0)
};
static const char avg_pool2d_backward_comp[] = {
#embed "../../Shaders/avg_pool2d_backward.comp" suffix(, 0)
};
static const char broadcast_comp[] = {
#embed "../../Shaders/broadcast.comp" suffix(, 0)
};
static const char cast_comp[] = {
#embed "../../Shaders/cast.comp" suffix(, 0)
};
static const char concat_comp[] = {
#embed "../../Shaders/concat.comp" suffix(, 0)
};
static const char conv2d_comp[] = {
#embed "../../Shaders/conv2d.comp" suffix(, 0)
};
static const char conv2d_dw_comp[] = {
#embed "../../Shaders/conv2d_dw.comp" suffix(, 0)
};
static const char embedding_comp[] = {
#embed "../../Shaders/embedding.comp" suffix(, 0)
};
static const char filter_gradient_comp[] = {
#embed "../../Shaders/filter_gradient.comp" suffix(, 0)
};
static const char gather_rows_comp[] = {
#embed "../../Shaders/gather_rows.comp" suffix(, 0)
};
static const char geglu_comp[] = {
#embed "../../Shaders/geglu.comp" suffix(, 0)
};
static const char geglu_backward_comp[] = {
#embed "../../Shaders/geglu_backward.comp" suffix(, 0)
};
static const char group_norm_apply_comp[] = {
#embed "../../Shaders/group_norm_apply.comp" suffix(, 0)
};
static const char group_norm_backward_apply_comp[] = {
#embed "../../Shaders/group_norm_backward_apply.comp" suffix(, 0)
};
static const char group_norm_backward_finish_comp[] = {
#embed "../../Shaders/group_norm_backward_finish.comp" suffix(, 0)
};
static const char group_norm_finish_comp[] = {
#embed "../../Shaders/group_norm_finish.comp" suffix(, 0)
};
static const char group_norm_statistics_comp[] = {
#embed "../../Shaders/group_norm_statistics.comp" suffix(, 0)
};
static const char layer_norm_comp[] = {
#embed "../../Shaders/layer_norm.comp" suffix(, 0)
};
static const char layer_norm_backward_comp[] = {
#embed "../../Shaders/layer_norm_backward.comp" suffix(, 0)
};
static const char matmul_comp[] = {
#embed "../../Shaders/matmul.comp" suffix(, 0)
};
static const char norm_parameter_sums_comp[] = {
#embed "../../Shaders/norm_parameter_sums.comp" suffix(, 0)
};
static const char pack_filters_comp[] = {
#embed "../../Shaders/pack_filters.comp" suffix(, 0)
};
static const char peak_comp[] = {
#embed "../../Shaders/peak.comp" suffix(, 0)
};
static const char pixel_unshuffle_comp[] = {
#embed "../../Shaders/pixel_unshuffle.comp" suffix(, 0)
};
static const char scale_comp[] = {
#embed "../../Shaders/scale.comp" suffix(, 0)
};
static const char slice_comp[] = {
#embed "../../Shaders/slice.comp" suffix(, 0)
};
static const char split_sum_comp[] = {
#embed "../../Shaders/split_sum.comp" suffix(, 0)
};
static const char sum_squares_comp[] = {
#embed "../../Shaders/sum_squares.comp" suffix(, 0)
};
static const char sum_to_comp[] = {
#embed "../../Shaders/sum_to.comp" suffix(, 0)
};
static const char unary_comp[] = {
#embed "../../Shaders/unary.comp" suffix(, 0)
};
static const char unary_backward_comp[] = {
#embed "../../Shaders/unary_backward.comp" suffix(, 0)
};
static const char upsample_nearest_comp[] = {
#embed "../../Shaders/upsample_nearest.comp" suffix(, 0)
};
static const char upsample_nearest_backward_comp[] = {
#embed "../../Shaders/upsample_nearest_backward.comp" suffix(, 0)
};
static const char weighted_mse_comp[] = {
#embed "../../Shaders/weighted_mse.comp" suffix(, 0)
};
static const char weighted_mse_backward_comp[] = {
#embed "../../Shaders/weighted_mse_backward.comp" suffix(, 0)
};
static const char weighted_mse_finish_comp[] = {
#embed "../../Shaders/weighted_mse_finish.comp" suffix(, 0)
};

static const vs_source vs_sources[] = {
    {"Include/activation.glsl", activation_glsl},
    {"Include/attention_lanes.glsl", attention_lanes_glsl},
    {"Include/attention_rows.glsl", attention_rows_glsl},
    {"Include/attention_tiles.glsl", attention_tiles_glsl},
    {"Include/columns.glsl", columns_glsl},
    {"Include/divide.glsl", divide_glsl},
    {"Include/exp.glsl", exp_glsl},
    {"Include/grid.glsl", grid_glsl},
    {"Include/half.glsl", half_glsl},
    {"Include/lanes.glsl", lanes_glsl},
    {"Include/matrices.glsl", matrices_glsl},
    {"Include/operand_reads.glsl", operand_reads_glsl},
    {"Include/product.glsl", product_glsl},
    {"Include/product_block.glsl", product_block_glsl},
    {"Include/product_core.glsl", product_core_glsl},
    {"Include/product_matrix.glsl", product_matrix_glsl},
    {"Include/product_result.glsl", product_result_glsl},
    {"Include/product_shared.glsl", product_shared_glsl},
    {"Include/product_subgroup.glsl", product_subgroup_glsl},
    {"Include/reduce.glsl", reduce_glsl},
    {"Include/rows.glsl", rows_glsl},
    {"Include/sources.glsl", sources_glsl},
    {"Include/texels.glsl", texels_glsl},
    {"Include/types.glsl", types_glsl},
    {"Include/units.glsl", units_glsl},
    {"Include/vectors.glsl", vectors_glsl},
    {"Include/weights.glsl", weights_glsl},
    {"adamw.comp", adamw_comp},
    {"attention_backward_keys.comp", attention_backward_keys_comp},
    {"attention_backward_queries.comp", attention_backward_queries_comp},
    {"attention_delta.comp", attention_delta_comp},
    {"attention_forward.comp", attention_forward_comp},
    {"attention_lanes_forward.comp", attention_lanes_forward_comp},
    {"attention_lanes_keys.comp", attention_lanes_keys_comp},
    {"attention_lanes_queries.comp", attention_lanes_queries_comp},
    {"attention_matrix_forward.comp", attention_matrix_forward_comp},
    {"attention_parts.comp", attention_parts_comp},
    {"avg_pool2d.comp", avg_pool2d_comp},
    {"avg_pool2d_backward.comp", avg_pool2d_backward_comp},
    {"broadcast.comp", broadcast_comp},
    {"cast.comp", cast_comp},
    {"concat.comp", concat_comp},
    {"conv2d.comp", conv2d_comp},
    {"conv2d_dw.comp", conv2d_dw_comp},
    {"embedding.comp", embedding_comp},
    {"filter_gradient.comp", filter_gradient_comp},
    {"gather_rows.comp", gather_rows_comp},
    {"geglu.comp", geglu_comp},
    {"geglu_backward.comp", geglu_backward_comp},
    {"group_norm_apply.comp", group_norm_apply_comp},
    {"group_norm_backward_apply.comp", group_norm_backward_apply_comp},
    {"group_norm_backward_finish.comp", group_norm_backward_finish_comp},
    {"group_norm_finish.comp", group_norm_finish_comp},
    {"group_norm_statistics.comp", group_norm_statistics_comp},
    {"layer_norm.comp", layer_norm_comp},
    {"layer_norm_backward.comp", layer_norm_backward_comp},
    {"matmul.comp", matmul_comp},
    {"norm_parameter_sums.comp", norm_parameter_sums_comp},
    {"pack_filters.comp", pack_filters_comp},
    {"peak.comp", peak_comp},
    {"pixel_unshuffle.comp", pixel_unshuffle_comp},
    {"scale.comp", scale_comp},
    {"slice.comp", slice_comp},
    {"split_sum.comp", split_sum_comp},
    {"sum_squares.comp", sum_squares_comp},
    {"sum_to.comp", sum_to_comp},
    {"unary.comp", unary_comp},
    {"unary_backward.comp", unary_backward_comp},
    {"upsample_nearest.comp", upsample_nearest_comp},
    {"upsample_nearest_backward.comp", upsample_nearest_backward_comp},
    {"weighted_mse.comp", weighted_mse_comp},
    {"weighted_mse_backward.comp", weighted_mse_backward_comp},
    {"weighted_mse_finish.comp", weighted_mse_finish_comp},
};
const size_t vs_source_count = sizeof vs_sources / sizeof vs_sources[0];

const vs_source *vs_source_at(size_t index) { return &vs_sources[index]; }
