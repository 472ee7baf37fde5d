/// One operation with its operands: a graph of one node.
public struct OperationCall: Sendable {
  /// Shape and storage type of an output.
  public struct Output: Sendable {
    public let shape: [Int]
    public let storage: StorageType

    public init(_ shape: [Int], _ storage: StorageType = .float32) {
      self.shape = shape
      self.storage = storage
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// Bytes of all elements.
    public var byteCount: Int { count * storage.byteCount }
  }

  public var operation: OperationCode
  /// nil: an optional input that is absent.
  public var inputs: [Operand?]
  /// nil: an optional output that is not wanted.
  public var outputs: [Output?]
  public var integers: [Int64]
  public var floats: [Double]
  /// By output: the input whose place it takes, a state.
  public var states: [Int: Int]

  public init(
    _ operation: OperationCode, _ inputs: [Operand?], _ outputs: [Output?],
    integers: [Int64] = [], floats: [Double] = [], states: [Int: Int] = [:]
  ) {
    self.operation = operation
    self.inputs = inputs
    self.outputs = outputs
    self.integers = integers
    self.floats = floats
    self.states = states
  }

  /// Bytes of all inputs and outputs.
  public var byteCount: Int {
    inputs.reduce(0) { $0 + ($1.map { $0.count * $0.storage.byteCount } ?? 0) }
      + outputs.reduce(0) { $0 + ($1?.byteCount ?? 0) }
  }
}
