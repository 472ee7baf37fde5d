public import EspalierTensors
public import Testing

/// ‖actual − expected‖ / ‖expected‖ in double precision; the plain norm of the difference if
/// `expected` is zero.
///
/// NaN if an element is NaN or the counts differ.
public func relativeL2(_ actual: [Float], _ expected: [Float]) -> Double {
  guard actual.count == expected.count else { return .nan }
  var difference = 0.0
  var norm = 0.0
  for (a, e) in zip(actual, expected) {
    let d = Double(a) - Double(e)
    difference += d * d
    norm += Double(e) * Double(e)
  }
  return norm > 0 ? (difference / norm).squareRoot() : difference.squareRoot()
}

/// Expects the relative L2 error to be at most `limit`; NaN anywhere fails.
public func expectClose(
  _ actual: [Float], _ expected: [Float], relativeL2 limit: Double, _ label: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let error = relativeL2(actual, expected)
  if !(error <= limit) {
    report(actual, expected, "relative L2 above \(limit)", label, sourceLocation)
  }
}

/// Expects every element to be within `limit` of its golden; NaN anywhere fails.
public func expectClose(
  _ actual: [Float], _ expected: [Float], absolute limit: Double, _ label: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let close =
    actual.count == expected.count
    && zip(actual, expected).allSatisfy { abs(Double($0) - Double($1)) <= limit }
  if !close {
    report(actual, expected, "an element differs by more than \(limit)", label, sourceLocation)
  }
}

/// Expects equal shapes and a relative L2 error of at most `limit`; NaN anywhere fails.
public func expectClose(
  _ actual: HostTensor, _ expected: HostTensor, relativeL2 limit: Double, _ label: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.shape == expected.shape, Comment(rawValue: label), sourceLocation: sourceLocation)
  expectClose(
    actual.floats(), expected.floats(), relativeL2: limit, label, sourceLocation: sourceLocation)
}

/// Expects equal shapes and every element within `limit` of its golden; NaN anywhere fails.
public func expectClose(
  _ actual: HostTensor, _ expected: HostTensor, absolute limit: Double, _ label: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.shape == expected.shape, Comment(rawValue: label), sourceLocation: sourceLocation)
  expectClose(
    actual.floats(), expected.floats(), absolute: limit, label, sourceLocation: sourceLocation)
}

private func report(
  _ actual: [Float], _ expected: [Float], _ summary: String, _ label: String,
  _ sourceLocation: SourceLocation
) {
  var text = label.isEmpty ? summary : label + ": " + summary
  if actual.count != expected.count {
    text += "; \(actual.count) elements, expected \(expected.count)"
  } else {
    // A NaN is worse than any number.
    let worst = actual.indices.max {
      distance(actual[$0], expected[$0]) < distance(actual[$1], expected[$1])
    }
    text += "; relative L2 \(relativeL2(actual, expected))"
    if let worst {
      text +=
        ", worst element \(worst) of \(actual.count): \(actual[worst]), expected \(expected[worst])"
    }
  }
  Issue.record(Comment(rawValue: text), sourceLocation: sourceLocation)
}

private func distance(_ a: Float, _ b: Float) -> Float {
  let d = abs(a - b)
  return d.isNaN ? .infinity : d
}
