public import EspalierGraph

/// Hands activations to whoever wants to see them, under names such as `down.1.attn.0.block.0.ff`.
public struct ActivationRecorder {
  private let name: String
  private let sink: ((String, Value) -> Void)?

  /// Records nothing.
  public static var none: ActivationRecorder { ActivationRecorder(name: "", sink: nil) }

  /// Calls `sink` with the name and value of each activation while the graph is built.
  public init(_ sink: ((String, Value) -> Void)?) {
    self.init(name: "", sink: sink)
  }

  private init(name: String, sink: ((String, Value) -> Void)?) {
    self.name = name
    self.sink = sink
  }

  /// The recorder of a part of the model.
  public subscript(_ part: String) -> ActivationRecorder {
    guard sink != nil else { return self }
    return ActivationRecorder(name: name.isEmpty ? part : name + "." + part, sink: sink)
  }
  public subscript(_ part: String, _ index: Int) -> ActivationRecorder { self[part]["\(index)"] }

  /// Records the value and gives it back.
  @discardableResult
  public func callAsFunction(_ value: Value) -> Value {
    sink?(name, value)
    return value
  }
}
