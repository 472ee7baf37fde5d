import EspalierABI

/// The lowerings of this family, by `ESP_OP_…`.
let layoutLowerings: [Int32: any Lowering] = [:]
