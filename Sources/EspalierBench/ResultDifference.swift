import EspalierCheckpoints
import EspalierTensors

/// How far the results of two programs are from each other.
package struct ResultDifference: Codable, Equatable {
  /// The tensor that differs most.
  package let name: String
  /// The norm of the difference over the norm of PyTorch's; infinite where a result is not a number.
  package let relativeL2: Double

  /// Compares two files of tensors.
  ///
  /// - Returns: The worst tensor.
  /// - Throws: `CheckpointError`; `ResultDifferenceError` if they hold different tensors.
  package init(ours: String, theirs: String) throws {
    let (a, b) = (try SafetensorsFile(path: ours), try SafetensorsFile(path: theirs))
    let (found, expected) = (a.entries.keys.sorted(), b.entries.keys.sorted())
    guard found == expected else {
      throw ResultDifferenceError.names(expected: expected, found: found)
    }
    var worst: ResultDifference?
    for name in expected {
      let (x, y) = (try a.tensor(name), try b.tensor(name))
      guard x.shape == y.shape else {
        throw ResultDifferenceError.shape(name: name, expected: "\(y.shape)", found: "\(x.shape)")
      }
      let difference = ResultDifference(name: name, relativeL2: Self.relativeL2(x, y))
      if difference.relativeL2 >= worst?.relativeL2 ?? 0 { worst = difference }
    }
    self = worst ?? ResultDifference(name: "", relativeL2: 0)
  }

  private init(name: String, relativeL2: Double) {
    self.name = name
    self.relativeL2 = relativeL2
  }

  private static func relativeL2(_ a: HostTensor, _ b: HostTensor) -> Double {
    var (difference, norm) = (0.0, 0.0)
    for (x, y) in zip(a.floats(), b.floats()) {
      let delta = Double(x) - Double(y)
      difference += delta * delta
      norm += Double(y) * Double(y)
    }
    if difference == 0 { return 0 }
    let ratio = (difference / norm).squareRoot()
    return ratio.isNaN ? .infinity : ratio
  }
}

/// Results that cannot be compared.
package enum ResultDifferenceError: Error, CustomStringConvertible {
  case names(expected: [String], found: [String])
  case shape(name: String, expected: String, found: String)

  package var description: String {
    switch self {
    case .names(let expected, let found):
      "the results cannot be compared: PyTorch gave \(expected.count) tensors (\(Self.some(expected))), "
        + "this program \(found.count) (\(Self.some(found)))"
    case .shape(let name, let expected, let found):
      "the result \(name) cannot be compared: PyTorch gave \(expected), this program \(found)"
    }
  }

  private static func some(_ names: [String]) -> String {
    names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", …" : "")
  }
}
