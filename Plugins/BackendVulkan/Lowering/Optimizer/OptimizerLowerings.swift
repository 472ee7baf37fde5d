import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let optimizerLowerings: [Int32: any Lowering] = [
  ESP_OP_ADAMW: AdamWLowering()
]
