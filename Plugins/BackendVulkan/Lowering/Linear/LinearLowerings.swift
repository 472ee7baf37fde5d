import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let linearLowerings: [Int32: any Lowering] = [
  ESP_OP_LINEAR: LinearLowering(),
  ESP_OP_LINEAR_DX: LinearDXLowering(),
  ESP_OP_LINEAR_DW: LinearDWLowering(),
]
