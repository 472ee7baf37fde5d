public import EspalierTensors

/// What a tensor of the graph is to the outside (`ESP_ROLE_…`).
public enum TensorRole: Int32, Sendable {
  /// Bound at every execution, read.
  case input = 0
  /// A frozen parameter, bound once.
  case weight
  /// Bound at every execution, read and updated in place.
  case state
  /// Computed and forgotten.
  case temporary
  /// Bound at every execution, written.
  case output
}

/// Which passes run over a graph; results agree with any of them on or off.
public struct GraphOptions: Hashable, Sendable {
  /// Merge activations, sums and norms into the operations that can do them on the way.
  public var fusion: Bool
  /// Recompute the insides of blocks in the backward pass instead of keeping them
  /// (`--gradient_checkpointing`).
  public var recompute: Bool
  /// Share memory between temporaries that are never alive together.
  public var planner: Bool

  public init(fusion: Bool = true, recompute: Bool = false, planner: Bool = true) {
    self.fusion = fusion
    self.recompute = recompute
    self.planner = planner
  }
}

/// Builds one static graph: values in, nodes appended in execution order.
///
/// Belongs to one task; not `Sendable`. `lowered()` gives a value that can be shared.
public final class GraphBuilder {
  struct Tensor {
    var spec: TensorSpec
    var role: TensorRole
    var name: String
    /// The state whose new value this tensor is.
    var aliasOf: Int?
  }

  struct Node {
    var operation: any Operation
    var inputs: [Int?]
    var outputs: [Int]
    var path: String
    /// The checkpointed block that the node belongs to.
    var region: Int?
    var isBackward = false
  }

  var tensors: [Tensor] = []
  var nodes: [Node] = []
  private(set) var parameters: [String: Int] = [:]
  private var named: [String: Int] = [:]
  private var fault: GraphError?
  private var openRegion: Int?
  private(set) var regionCount = 0
  /// While a derivative is built: the path of the node that it belongs to.
  var derivativePath: String?
  public let options: GraphOptions
  private let isTrainable: (String) -> Bool

  /// - Parameters:
  ///   - options: Which passes run.
  ///   - isTrainable: Which parameter paths are trained; those become states, all others are frozen
  ///     weights.
  public init(
    options: GraphOptions = GraphOptions(), isTrainable: @escaping (String) -> Bool = { _ in false }
  ) {
    self.options = options
    self.isTrainable = isTrainable
  }

  /// A value bound by name at each execution.
  public func input(_ name: String, _ shape: Shape, dtype: DType = .float32) -> Value {
    declare(name, TensorSpec(dtype, shape), .input)
  }

  /// A value that lives between executions, bound by name; update it with `assign`.
  public func state(_ name: String, _ shape: Shape) -> Value {
    declare(name, TensorSpec(.float32, shape), .state)
  }

  /// The parameter at a path: component name, dot, checkpoint key. Asked twice, it is the same value.
  public func parameter(_ path: String, _ shape: Shape) -> Value {
    if let index = parameters[path] {
      if tensors[index].spec.shape != shape {
        record(.parameterConflict(path: path, shapes: [tensors[index].spec.shape, shape]))
        return Value(graph: self, index: nil)
      }
      return Value(graph: self, index: index)
    }
    let value = declare(path, TensorSpec(.float32, shape), isTrainable(path) ? .state : .weight)
    parameters[path] = value.index
    return value
  }

  /// The root of a component's parameter paths (`unet`, `vae`, …).
  public func scope(_ path: String) -> Scope { Scope(graph: self, path: path) }

  /// Gives a value out under a name.
  public func output(_ name: String, _ value: Value) {
    guard var index = value.index else { return }
    if tensors[index].role != .temporary {  // an input or a second name: hand out a copy
      guard let copy = apply(Scale(factor: 1), [value], path: name).index else { return }
      index = copy
    }
    tensors[index].role = .output
    tensors[index].name = name
  }

  /// Makes `value` the new content of `state`; nothing may read the state's old content after it.
  public func assign(_ state: Value, _ value: Value) {
    guard let target = state.index, let source = value.index else { return }
    precondition(tensors[target].role == .state && tensors[source].role == .temporary)
    tensors[source].role = .output
    tensors[source].aliasOf = target
    tensors[source].name = tensors[target].name
  }

  /// Nodes built inside belong to one block, which gradient checkpointing may recompute as a whole.
  public func region<R>(_ body: () -> R) -> R {
    if openRegion != nil { return body() }  // blocks do not nest
    openRegion = regionCount
    regionCount += 1
    defer { openRegion = nil }
    return body()
  }

  /// Throws the first fault recorded while building.
  ///
  /// - Throws: `GraphError`.
  public func check() throws(GraphError) {
    if let fault { throw fault }
  }

  /// The paths and shapes of all parameters declared so far.
  public var parameterShapes: [String: Shape] { parameters.mapValues { tensors[$0].spec.shape } }

  /// The paths of all parameters in the order of their declaration.
  public var parameterPaths: [String] { parameters.sorted { $0.value < $1.value }.map(\.key) }

  /// The paths of the trained parameters, sorted.
  public var trainablePaths: [String] {
    parameters.filter { tensors[$0.value].role == .state }.keys.sorted()
  }

  // MARK: - For operations and passes

  /// Appends a node and returns its outputs, poisoned if its shape rule fails.
  public func apply(
    outputs operation: some Operation, _ inputs: [Value?], path: String? = nil
  ) -> [Value] {
    let path = path ?? derivativePath ?? inputs.compactMap { $0.flatMap(producerPath) }.first ?? ""
    if inputs.contains(where: { $0 != nil && $0?.index == nil }) {
      return [Value](repeating: Value(graph: self, index: nil), count: 3)
    }
    do throws(ShapeError) {
      let specs = try operation.outputSpecs(for: inputs.map { $0?.spec })
      let first = tensors.count
      for spec in specs {
        tensors.append(Tensor(spec: spec, role: .temporary, name: "", aliasOf: nil))
      }
      nodes.append(
        Node(
          operation: operation, inputs: inputs.map { $0?.index },
          outputs: Array(first..<tensors.count), path: path, region: openRegion))
      return (first..<tensors.count).map { Value(graph: self, index: $0) }
    } catch {
      record(
        .shape(
          path: path, operation: "\(operation.code)", inputs: inputs.map { $0?.spec?.shape },
          reason: error.reason))
      return [Value](repeating: Value(graph: self, index: nil), count: 3)
    }
  }

  /// Appends a node with one output of interest.
  public func apply(
    _ operation: some Operation, _ inputs: [Value?], path: String? = nil
  ) -> Value {
    apply(outputs: operation, inputs, path: path)[0]
  }

  func record(_ error: GraphError) {
    if fault == nil { fault = error }
  }

  private func declare(_ name: String, _ spec: TensorSpec, _ role: TensorRole) -> Value {
    if let index = named[name] {
      precondition(
        tensors[index].spec == spec && tensors[index].role == role, "\(name) declared twice")
      return Value(graph: self, index: index)
    }
    tensors.append(Tensor(spec: spec, role: role, name: name, aliasOf: nil))
    named[name] = tensors.count - 1
    return Value(graph: self, index: tensors.count - 1)
  }

  /// The layer path of the node that computed a value; looks from the end, where it usually is.
  private func producerPath(_ value: Value) -> String? {
    guard let index = value.index, tensors[index].role == .temporary else { return nil }
    return nodes.last { $0.outputs.contains(index) }?.path
  }
}
