import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let linearLowerings: [Int32: any Lowering] = [:]
