/// What came of one case.
public struct CaseResult: Sendable, Codable {
  /// How a case ended.
  public enum Status: String, Sendable, Codable {
    case passed, failed
    /// The backend says that it cannot run the operation.
    case notOffered = "not offered"
  }

  public let operation: String
  public let label: String
  public let status: Status
  /// Why it failed.
  public let faults: [String]
  /// The largest distance from the reference, relative to the reference's largest element.
  public let worstError: Double
  /// The largest distance as a part of what is allowed.
  public let ofAllowed: Double
  /// Of the fastest execution; nil if there was none.
  public let seconds: Double?

  init(
    _ example: ConformanceCase, _ status: Status, faults: [String] = [], worstError: Double = 0,
    ofAllowed: Double = 0, seconds: Double? = nil
  ) {
    operation = example.operation.name
    label = example.label
    self.status = status
    self.faults = faults
    self.worstError = worstError
    self.ofAllowed = ofAllowed
    self.seconds = seconds
  }

  /// A case that ended with the program that ran it.
  public init(_ example: ConformanceCase, endedBy fault: String) {
    self.init(example, .failed, faults: [fault])
  }
}

extension ConformanceBackend {
  /// Runs one case and compares; what the backend does wrong is in the result, never thrown.
  ///
  /// - Parameter timedSeconds: Repeats the execution for about this long, to time it.
  public func check(_ example: ConformanceCase, timedSeconds: Double = 0) -> CaseResult {
    let prepared = example.prepare()
    guard fits(prepared.call) else { return CaseResult(example, .notOffered) }
    do {
      guard let outcome = try run(prepared.call, timedSeconds: timedSeconds) else {
        return CaseResult(example, .notOffered)
      }
      var faults = outcome.faults
      var worst = Expectation.Deviation()
      for (index, expected) in prepared.expected.enumerated() {
        guard let expected, let found = outcome.outputs[index],
          let storage = prepared.call.outputs[index]?.storage
        else { continue }
        let deviation = expected.compare(found, storage: storage)
        worst.worst = max(worst.worst, deviation.worst)
        worst.ofAllowed = max(worst.ofAllowed, deviation.ofAllowed)
        if let fault = deviation.fault { faults.append("output \(index): \(fault)") }
      }
      if example.triesInPlace { faults += try inPlaceFaults(prepared.call, outcome) }
      return CaseResult(
        example, faults.isEmpty ? .passed : .failed, faults: faults, worstError: worst.worst,
        ofAllowed: worst.ofAllowed, seconds: outcome.seconds)
    } catch {
      return CaseResult(example, .failed, faults: ["\(error)"])
    }
  }

  /// True if no tensor with its guard bands is larger than a buffer may be.
  private func fits(_ call: OperationCall) -> Bool {
    let inputs = call.inputs.map { $0.map { $0.count * $0.storage.byteCount } ?? 0 }
    let outputs = call.outputs.map { $0?.byteCount ?? 0 }
    return UInt64((inputs + outputs).max() ?? 0) + UInt64(2 * guardBytes) <= maxBufferBytes
  }

  private func inPlaceFaults(
    _ call: OperationCall, _ outcome: OperationOutcome
  ) throws -> [String] {
    guard let output = call.outputs.first ?? nil else { return [] }
    var faults: [String] = []
    for (k, operand) in call.inputs.enumerated() {
      guard let operand, operand.role == .input, operand.shape == output.shape,
        operand.storage == output.storage, let found = try runInPlace(call, of: k)
      else { continue }
      // Values, not bits: the copies before and after, x·1 + 0, make +0 of −0.
      let values = Operand.decode(found, as: output.storage)
      if zip(values, outcome.outputs[0] ?? []).contains(where: { $0 != $1 && !$0.isNaN }) {
        faults.append("output 0 in the place of input \(k) has other values, and was not vetoed")
      }
    }
    return faults
  }
}
