/// A run that the machine has no room for.
public enum PlanError: Error, Equatable, CustomStringConvertible {
  /// A file system is too full for what would be written there.
  case disk(needs: [DiskNeed], availableBytes: Int)

  public var description: String {
    switch self {
    case .disk(let needs, let available):
      let total = needs.reduce(0) { $0 + $1.byteCount }
      let rows = needs.map { "\n  \(ByteCount($0.byteCount)) for \($0.what), in \($0.path)" }
      let hints = needs.map(\.remedy).joined(separator: "; ")
      return """
        the disk has \(ByteCount(available)) free, but the run writes up to \(ByteCount(total))\
        \(rows.joined())
          hint     \(hints)
        """
    }
  }
}
