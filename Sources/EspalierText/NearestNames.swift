/// Names like the one that was not found, for error messages.
public enum NearestNames {
  /// Up to three candidates, best first: the same ending under another prefix, then few letters of
  /// difference.
  public static func of(_ name: String, among candidates: some Collection<String>) -> [String] {
    let wanted = Array(name.utf8)
    let scored = candidates.compactMap { candidate -> (Int, String)? in
      if candidate.hasSuffix("." + name) || name.hasSuffix("." + candidate) {
        return (0, candidate)
      }
      let other = Array(candidate.utf8)
      let limit = max(wanted.count, other.count) / 4
      guard abs(wanted.count - other.count) <= limit else { return nil }
      let distance = editDistance(wanted, other, limit: limit)
      return distance.map { ($0 + 1, candidate) }
    }
    return scored.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.prefix(3).map(\.1)
  }

  /// Levenshtein distance; nil above the limit.
  private static func editDistance(_ a: [UInt8], _ b: [UInt8], limit: Int) -> Int? {
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      var least = row[0]
      for j in b.indices {
        let cost = a[i] == b[j] ? diagonal : min(diagonal, row[j], row[j + 1]) + 1
        diagonal = row[j + 1]
        row[j + 1] = cost
        least = min(least, cost)
      }
      if least > limit { return nil }
    }
    return row[b.count] <= limit ? row[b.count] : nil
  }
}
