import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let attentionLowerings: [Int32: any Lowering] = [
  ESP_OP_ATTENTION: AttentionLowering(),
  ESP_OP_ATTENTION_BACKWARD: AttentionBackwardLowering(),
]
