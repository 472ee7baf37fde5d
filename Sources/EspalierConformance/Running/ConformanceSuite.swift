/// All cases of the operation set.
public enum ConformanceSuite {
  /// In the order of the header's operations.
  public static let all: [ConformanceCase] = {
    let cases =
      LinearCases.all + ConvolutionCases.all + BroadcastCases.all + GroupNormCases.all
      + LayerNormCases.all + AttentionCases.all + ElementwiseCases.all + LayoutCases.all
      + ResampleCases.all + LossCases.all + OptimizerCases.all
    let order = Dictionary(
      uniqueKeysWithValues: OperationCode.allCases.enumerated().map { ($1, $0) })
    return cases.enumerated().sorted {
      (order[$0.element.operation] ?? 0, $0.offset) < (order[$1.element.operation] ?? 0, $1.offset)
    }.map(\.element)
  }()

  /// The cases of some operations and shapes, operation by operation.
  public static func cases(
    _ operations: [OperationCode] = OperationCode.allCases, _ shapes: [ShapeSet] = [.small]
  ) -> [ConformanceCase] {
    all.filter { operations.contains($0.operation) && shapes.contains($0.shapes) }
  }
}
