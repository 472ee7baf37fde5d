import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let convolutionLowerings: [Int32: any Lowering] = [:]
