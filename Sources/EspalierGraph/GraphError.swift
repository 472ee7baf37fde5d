public import EspalierTensors

/// A shape rule that an operation's inputs break.
public struct ShapeError: Error, Equatable {
  /// What was expected and found.
  public let reason: String

  public init(_ reason: String) { self.reason = reason }
}

/// A graph that cannot be built or planned.
public enum GraphError: Error, Equatable, CustomStringConvertible {
  /// The first shape fault: the layer path, the operation, its input shapes and the broken rule.
  case shape(path: String, operation: String, inputs: [Shape?], reason: String)
  /// Two parameters of one graph share a path but not a shape.
  case parameterConflict(path: String, shapes: [Shape])
  /// The loss does not depend on this parameter.
  case noGradient(path: String)
  /// The operation has no derivative with respect to an input that needs one.
  case notDifferentiable(path: String, operation: String)

  public var description: String {
    switch self {
    case .shape(let path, let operation, let inputs, let reason):
      let shapes = inputs.map { $0.map(\.description) ?? "none" }.joined(separator: ", ")
      return """
        shapes do not fit in \(path.isEmpty ? "the graph" : path)
          operation  \(operation) of \(shapes)
          reason     \(reason)
        """
    case .parameterConflict(let path, let shapes):
      return "the parameter \(path) is declared with different shapes: "
        + shapes.map(\.description).joined(separator: " and ")
    case .noGradient(let path):
      return "the loss does not depend on the parameter \(path), so it cannot be trained"
    case .notDifferentiable(let path, let operation):
      return "\(operation) in \(path) has no derivative, but something upstream of it is trained"
    }
  }
}
