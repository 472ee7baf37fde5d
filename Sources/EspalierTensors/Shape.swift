/// The sizes of a dense row-major tensor, outermost axis first; empty for a scalar.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  public let dims: [Int]

  public init(_ dims: [Int]) { self.dims = dims }
  public init(arrayLiteral elements: Int...) { dims = elements }

  /// The number of axes.
  public var rank: Int { dims.count }

  /// The number of elements; 1 for a scalar.
  public var count: Int { dims.reduce(1, *) }

  /// The size of an axis; negative axes count from the last, as in NumPy.
  public subscript(axis: Int) -> Int { dims[axis < 0 ? dims.count + axis : axis] }

  /// The size of the last axis, 1 for a scalar: channels of a feature map, features of tokens.
  public var last: Int { dims.last ?? 1 }

  /// The same shape with the last axis replaced.
  public func withLast(_ size: Int) -> Shape { Shape(dims.dropLast() + [size]) }

  public var description: String { "[" + dims.map(String.init).joined(separator: ", ") + "]" }
}
