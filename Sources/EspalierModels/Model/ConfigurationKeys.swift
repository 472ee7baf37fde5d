import EspalierCheckpoints

/// Reading sizes and refusing what is not supported, key by key.
extension JSONObject {
  /// Products of a few sizes of at most this fit easily into a whole number.
  static let sizes = 1...65_536

  /// A size; the default if the key is absent or null.
  func size(
    _ key: String, default value: Int, in range: ClosedRange<Int> = sizes
  ) throws(CheckpointError) -> Int {
    try optionalSize(key, in: range) ?? value
  }

  /// A size; nil if the key is absent or null.
  func optionalSize(
    _ key: String, in range: ClosedRange<Int> = sizes
  ) throws(CheckpointError) -> Int? {
    guard let found = try optionalInt(key) else { return nil }
    try check(key, [found], in: range)
    return found
  }

  /// A list of sizes, at least one.
  func sizes(
    _ key: String, default values: [Int], in range: ClosedRange<Int> = sizes
  ) throws(CheckpointError) -> [Int] {
    guard let found = try optionalInts(key) else { return values }
    if found.isEmpty { throw refused(key, expected: "at least one number") }
    try check(key, found, in: range)
    return found
  }

  /// One size for all of `count` blocks, or a list of `count`.
  func sizes(
    _ key: String, default value: Int, count: Int, in range: ClosedRange<Int> = sizes
  ) throws(CheckpointError) -> [Int] {
    guard has(key) else { return [Int](repeating: value, count: count) }
    let found = try ints(key, count: count)
    try check(key, found, in: range)
    return found
  }

  /// Refuses a key whose value is none of these; absent and null pass.
  func require(_ key: String, _ supported: JSONValue...) throws(CheckpointError) {
    guard let found = value(key) else { return }
    let fits = supported.contains {
      $0 == found || ($0.double != nil && $0.double == found.double)
    }
    if !fits {
      throw refused(key, expected: supported.map(\.kind).joined(separator: " or "))
    }
  }

  /// Refuses a key that is there and not null.
  func requireAbsent(_ key: String) throws(CheckpointError) {
    if has(key) { throw refused(key, expected: "null") }
  }

  /// The error of a key whose value cannot be used.
  func refused(_ key: String, expected: String) -> CheckpointError {
    let found: String
    if let array = value(key)?.array {
      found = "[" + array.map(\.kind).joined(separator: ", ") + "]"
    } else {
      found = value(key)?.kind ?? "nothing"
    }
    return .configuration(path: path, key: key, expected: expected, found: found)
  }

  private func check(
    _ key: String, _ values: [Int], in range: ClosedRange<Int>
  ) throws(CheckpointError) {
    if !values.allSatisfy(range.contains) {
      throw refused(key, expected: "\(range.lowerBound) to \(range.upperBound)")
    }
  }
}
