/// A piece of device memory whose address is known when commands are recorded.
struct Region: Hashable, Sendable {
  /// What the address counts from.
  enum Base: Hashable, Sendable {
    /// A tensor of the graph: its root, so that aliases compare equal.
    case tensor(Int)
    /// The node's scratch.
    case workspace
  }

  let base: Base
  /// In bytes from the base.
  let offset: UInt64
  let byteCount: UInt64

  /// A piece of this region.
  func piece(at offset: UInt64, byteCount: UInt64) -> Region {
    Region(base: base, offset: self.offset + offset, byteCount: byteCount)
  }
}

/// A tensor as a lowering sees it: dense, row-major.
struct Operand: Sendable {
  /// `ESP_DTYPE_…`.
  let dtype: Int32
  /// `ESP_ROLE_…`.
  let role: Int32
  let dims: [Int]
  let elementCount: Int
  let region: Region

  /// The size of the last axis; 1 for a scalar.
  var lastDim: Int { dims.last ?? 1 }
  /// The size of the first axis; 1 for a scalar.
  var firstDim: Int { dims.first ?? 1 }
}
