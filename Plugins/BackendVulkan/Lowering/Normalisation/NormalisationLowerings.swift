import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let normalisationLowerings: [Int32: any Lowering] = [:]
