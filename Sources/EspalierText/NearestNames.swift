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

  /// What somebody may have meant who typed `name`: of short names more may differ than `of` allows, as in
  /// two letters that changed places, but never all.
  public static func meant(
    by name: String, among candidates: some Collection<String>
  ) -> String? {
    let wanted = Array(name.utf8)
    return candidates.compactMap { candidate -> (Int, String)? in
      let other = Array(candidate.utf8)
      let longest = max(wanted.count, other.count)
      let limit = min(max(2, longest / 3), min(wanted.count, other.count) - 1)
      return editDistance(wanted, other, limit: limit).map { ($0, candidate) }
    }.min { ($0.0, $0.1) < ($1.0, $1.1) }?.1
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
