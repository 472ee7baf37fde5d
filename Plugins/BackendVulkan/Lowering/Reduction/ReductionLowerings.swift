import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let reductionLowerings: [Int32: any Lowering] = [:]
