import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let layoutLowerings: [Int32: any Lowering] = [
  ESP_OP_CONCAT: ConcatLowering(),
  ESP_OP_SLICE: SliceLowering(),
  ESP_OP_UPSAMPLE_NEAREST: UpsampleNearestLowering(),
  ESP_OP_UPSAMPLE_NEAREST_BACKWARD: UpsampleNearestBackwardLowering(),
  ESP_OP_AVG_POOL2D: AveragePoolLowering(),
  ESP_OP_AVG_POOL2D_BACKWARD: AveragePoolBackwardLowering(),
  ESP_OP_PIXEL_UNSHUFFLE: PixelUnshuffleLowering(),
  ESP_OP_EMBEDDING: EmbeddingLowering(),
  ESP_OP_GATHER_ROWS: GatherRowsLowering(),
]
