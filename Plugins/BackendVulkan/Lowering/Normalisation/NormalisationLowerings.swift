import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let normalisationLowerings: [Int32: any Lowering] = [
  ESP_OP_GROUP_NORM: GroupNormLowering(),
  ESP_OP_GROUP_NORM_BACKWARD: GroupNormBackwardLowering(),
  ESP_OP_LAYER_NORM: LayerNormLowering(),
  ESP_OP_LAYER_NORM_BACKWARD: LayerNormBackwardLowering(),
]
