import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let elementwiseLowerings: [Int32: any Lowering] = [
  ESP_OP_GEGLU: GEGLULowering(),
  ESP_OP_GEGLU_BACKWARD: GEGLUBackwardLowering(),
  ESP_OP_UNARY: UnaryLowering(),
  ESP_OP_UNARY_BACKWARD: UnaryBackwardLowering(),
  ESP_OP_ADD: BroadcastLowering(multiplies: false),
  ESP_OP_MUL: BroadcastLowering(multiplies: true),
  ESP_OP_SCALE: ScaleLowering(),
  ESP_OP_CAST: CastLowering(),
]
