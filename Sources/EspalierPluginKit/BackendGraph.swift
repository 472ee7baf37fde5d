/// A graph from the host, copied, whose indices, ranks, sizes and order of writes have been checked.
public struct BackendGraph: Sendable {
  public let tensors: [GraphTensor]
  public let nodes: [GraphNode]
}

/// A dense row-major tensor of a graph.
public struct GraphTensor: Sendable {
  /// `ESP_DTYPE_…`.
  public let dtype: Int32
  /// `ESP_ROLE_…`.
  public let role: Int32
  /// Every size is 1 or more; their product fits an `Int`.
  public let dims: [Int]
  /// The state or input in whose memory this tensor stands, or the tensor itself.
  public let root: Int
  public let elementCount: Int
  public let byteCount: UInt64
}

/// An operation of a graph, in execution order.
public struct GraphNode: Sendable {
  /// `ESP_OP_…`.
  public let op: Int32
  /// Tensor indices; nil: an optional input that is absent.
  public let inputs: [Int?]
  /// Tensor indices; nil: an optional output that is not wanted.
  public let outputs: [Int?]
  /// The header's `i`, always `ESP_MAX_INTS` long.
  public let integers: [Int]
  /// The header's `f`, always `ESP_MAX_FLOATS` long.
  public let floats: [Double]
  /// Layer path, for errors and profiles.
  public let label: String
}

/// A piece of a buffer.
public struct Place {
  public let buffer: any BackendBuffer
  /// In bytes from the buffer's start.
  public let offset: UInt64
  public let byteCount: UInt64

  public init(buffer: any BackendBuffer, offset: UInt64, byteCount: UInt64) {
    self.buffer = buffer
    self.offset = offset
    self.byteCount = byteCount
  }
}

/// Where the host put everything: inside its buffers, aligned, and free of forbidden overlaps.
public struct BackendPlan {
  /// By tensor: the place of every temporary and every weight; nil for what a binding places.
  public let tensors: [Place?]
  /// By node: its scratch; nil where it needs none.
  public let workspaces: [Place?]
  /// By node: where the copy that it offered is kept, to be filled at compilation; nil where none is. Nodes whose
  /// copies are the same may share a place.
  public let copies: [Place?]
}
