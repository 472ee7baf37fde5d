import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let reductionLowerings: [Int32: any Lowering] = [
  ESP_OP_SUM_TO: SumToLowering(),
  ESP_OP_WEIGHTED_MSE: WeightedMSELowering(),
  ESP_OP_WEIGHTED_MSE_BACKWARD: WeightedMSEBackwardLowering(),
  ESP_OP_SUM_SQUARES: SumSquaresLowering(),
]
