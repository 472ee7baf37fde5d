/// How far a result may be from its reference, before the rounding of its storage type.
public struct Tolerance: Sendable {
  /// Part of the reference's largest element.
  public var ofLargest: Double
  /// The largest element counts as at least this.
  public var floor = 1e-2
  /// Part of the element itself.
  public var ofElement = 0.0
  public var absolute = 0.0
  /// True for results that are copies or exact roundings: no rounding on store is allowed for.
  public var isExact = false

  /// Elementwise functions and short sums in f32.
  static let elementwise = Tolerance(ofLargest: 2e-6)
  /// Longer sums in f32, statistics, softmax.
  static let reduction = Tolerance(ofLargest: 1e-5)
  /// Convolutions, also by Winograd's transforms F(4×4, 3×3).
  static let convolution = Tolerance(ofLargest: 1e-4)
  /// Functions of one element: a GPU's exponential and division are off by several units.
  static let function = Tolerance(ofLargest: 0, ofElement: 5e-7, absolute: 5e-7)
  /// Copies, and casts to the output's storage type.
  static let exact = Tolerance(ofLargest: 0, isExact: true)

  /// The same with at least this as the largest element; for results far below their terms.
  func atLeast(_ floor: Double) -> Tolerance {
    var copy = self
    copy.floor = floor
    return copy
  }

  /// The largest permitted distance.
  ///
  /// - Parameters:
  ///   - expected: The element's reference.
  ///   - largest: The largest element of the whole reference.
  ///   - storage: The result's type: half a unit in its last place is added, since results are rounded
  ///     once when they are stored; f16 results below its normal range may become zero.
  public func limit(_ expected: Double, largest: Double, storage: StorageType) -> Double {
    if isExact { return 0 }
    let own = ofLargest * max(largest, floor) + ofElement * abs(expected) + absolute
    return switch storage {
    case .float16: own + 0x1p-11 * 1.01 * abs(expected) + 0x1p-14
    case .bfloat16: own + 0x1p-8 * 1.01 * abs(expected)
    case .float32, .int32: own
    }
  }
}
