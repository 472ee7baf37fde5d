import EspalierABI

/// The lowering of every operation.
enum LoweringTable {
  /// By `ESP_OP_…`.
  static let all: [Int32: any Lowering] = [
    elementwiseLowerings, layoutLowerings, linearLowerings, convolutionLowerings,
    attentionLowerings, normalisationLowerings, reductionLowerings, optimizerLowerings,
  ].reduce(into: [:]) { table, family in table.merge(family) { first, _ in first } }
}
