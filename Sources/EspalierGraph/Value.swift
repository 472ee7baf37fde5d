public import EspalierTensors

/// A tensor of the graph under construction.
///
/// Operations on values neither throw nor trap. A shape fault is recorded with the layer's path and poisons
/// what is computed from it; `GraphBuilder.check()` throws the first one.
public struct Value {
  public let graph: GraphBuilder
  /// The tensor's index in the graph, or `nil` if the value is poisoned.
  let index: Int?

  /// The shape; four zeros for a poisoned value, so that layers can go on.
  public var shape: Shape { spec?.shape ?? Shape([0, 0, 0, 0]) }
  /// The storage type.
  public var dtype: DType { spec?.dtype ?? .float32 }

  var spec: TensorSpec? { index.map { graph.tensors[$0].spec } }
}
