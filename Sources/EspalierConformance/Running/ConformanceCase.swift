/// Which sizes a case has.
public enum ShapeSet: String, CaseIterable, Sendable {
  /// Small and odd ones.
  case small
  /// Those of Stable Diffusion XL at 1024 × 1024, checked on a sample of elements.
  case sdxl

  /// How many elements of a matrix product or convolution are computed again at most.
  var productSample: Int { self == .small ? .max : 8192 }
}

/// How much an execution does.
public enum Work: Sendable {
  /// Floating-point operations, a multiply-add counted as two.
  case operations(Double)
  /// Bytes read and written at least.
  case bytes(Double)

  /// The number itself.
  public var amount: Double {
    switch self {
    case .operations(let count), .bytes(let count): count
    }
  }
}

/// Storage types of a case.
public struct CaseTypes: Sendable {
  public var activation = StorageType.float32
  /// Of weights; nil: trained weights, f32 in a state.
  public var weight: StorageType? = .float32

  /// `f16, weights bf16`.
  var label: String {
    "\(activation.name), weights \(weight?.name ?? "trained")"
  }

  /// The storage type and role of a weight.
  var weightOperand: (storage: StorageType, role: Operand.Role) {
    weight.map { ($0, .weight) } ?? (.float32, .state)
  }
}

/// One call of an operation with the reference for its outputs.
public struct ConformanceCase: Sendable, CustomStringConvertible {
  /// The operands and what must come out.
  public struct Prepared: Sendable {
    public let call: OperationCall
    /// By output; nil: not wanted, or compared by another case.
    public let expected: [Expectation?]

    init(_ call: OperationCall, _ expected: [Expectation?]) {
      self.call = call
      self.expected = expected
    }
  }

  public let operation: OperationCode
  /// Sizes and variant.
  public let label: String
  /// Storage types that the device must offer.
  public let activation, weight: StorageType
  public let shapes: ShapeSet
  public let work: Work
  /// True if output 0 is also tried in the place of every input that it fits.
  public let triesInPlace: Bool
  private let make: @Sendable () -> Prepared

  init(
    _ operation: OperationCode, _ label: String, activation: StorageType,
    weight: StorageType = .float32, shapes: ShapeSet, work: Work, triesInPlace: Bool = false,
    make: @escaping @Sendable () -> Prepared
  ) {
    self.operation = operation
    self.label = label
    self.activation = activation
    self.weight = weight
    self.shapes = shapes
    self.work = work
    self.triesInPlace = triesInPlace
    self.make = make
  }

  public var description: String { "\(operation.name): \(label)" }

  /// Computes the operands and the reference.
  public func prepare() -> Prepared { make() }

  /// True if a device offers the storage types.
  public func isOffered(by backend: ConformanceBackend) -> Bool {
    backend.activationTypes.contains(activation) && backend.weightTypes.contains(weight)
  }
}

extension CaseTypes {
  /// Activations in f32 and f16.
  static let activations: [StorageType] = [.float32, .float16]

  /// Every storage type of activations with every one of weights, and with trained weights.
  static let all: [CaseTypes] = activations.flatMap { activation in
    [.float32, .float16, .bfloat16, nil].map { CaseTypes(activation: activation, weight: $0) }
  }

  /// The types that checkpoints of Stable Diffusion XL come in.
  static let sdxl: [CaseTypes] = activations.map { CaseTypes(activation: $0, weight: .float16) }
}
