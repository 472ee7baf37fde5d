import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let elementwiseLowerings: [Int32: any Lowering] = [
  ESP_OP_UNARY: UnaryLowering()
]
