/// What came of all cases of one operation.
public struct OperationSummary: Sendable, Codable {
  /// Speed over the largest case.
  public struct Speed: Sendable, Codable {
    public let value: Double
    /// `GFLOP/s` or `GB/s`.
    public let unit: String
    /// The case.
    public let label: String
  }

  public let operation: String
  public private(set) var passed = 0
  public private(set) var failed = 0
  public private(set) var notOffered = 0
  /// The largest distance from a reference, relative to its largest element.
  public private(set) var worstError = 0.0
  /// The largest distance as a part of what is allowed.
  public private(set) var ofAllowed = 0.0
  public private(set) var speed: Speed?
  private var largest = 0.0

  private enum CodingKeys: String, CodingKey {
    case operation, passed, failed, notOffered, worstError, ofAllowed, speed
  }

  /// Without any case.
  public init(_ operation: OperationCode) { self.operation = operation.name }

  /// The number of cases.
  public var cases: Int { passed + failed + notOffered }

  /// Adds the result of a case.
  public mutating func add(_ result: CaseResult, of example: ConformanceCase) {
    switch result.status {
    case .passed: passed += 1
    case .failed: failed += 1
    case .notOffered: notOffered += 1
    }
    worstError = max(worstError, result.worstError)
    ofAllowed = max(ofAllowed, min(result.ofAllowed, 1e9))
    guard let seconds = result.seconds, seconds > 0, example.work.amount > largest else { return }
    largest = example.work.amount
    let unit =
      switch example.work {
      case .operations: "GFLOP/s"
      case .bytes: "GB/s"
      }
    speed = Speed(value: largest / seconds / 1e9, unit: unit, label: example.label)
  }
}

/// What is tried: a device of a backend plugin.
public struct ConformanceSubject: Sendable, Codable {
  public let backend, version, file, device: String
  /// The storage types that the device offers, and so those that are tried.
  public let activations, weights: [String]

  public init(_ backend: ConformanceBackend, version: String, file: String, device: String) {
    self.backend = backend.name
    (self.version, self.file, self.device) = (version, file, device)
    activations = backend.activationTypes.map(\.name)
    weights = backend.weightTypes.map(\.name)
  }
}

/// The results of a run over a device.
public struct ConformanceReport: Sendable, Codable {
  public let subject: ConformanceSubject
  public let shapes: [String]
  public private(set) var operations: [OperationSummary] = []
  /// Every case, in order.
  public private(set) var results: [CaseResult] = []

  public init(_ subject: ConformanceSubject, shapes: [ShapeSet]) {
    self.subject = subject
    self.shapes = shapes.map(\.rawValue)
  }

  /// Adds all cases of one operation.
  public mutating func add(_ summary: OperationSummary, _ results: [CaseResult]) {
    operations.append(summary)
    self.results += results
  }

  public var passed: Int { operations.reduce(0) { $0 + $1.passed } }
  public var failed: Int { operations.reduce(0) { $0 + $1.failed } }
  public var notOffered: Int { operations.reduce(0) { $0 + $1.notOffered } }
}
