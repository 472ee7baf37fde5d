import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let convolutionLowerings: [Int32: any Lowering] = [
  ESP_OP_CONV2D: Conv2DLowering(),
  ESP_OP_CONV2D_DX: Conv2DDXLowering(),
  ESP_OP_CONV2D_DW: Conv2DDWLowering(),
]
