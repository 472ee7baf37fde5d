public import EspalierGraph

/// The time of each node, summed over runs.
public final class ExecutionProfile {
  /// One node of one run, times in nanoseconds since an arbitrary start.
  public struct Event: Sendable {
    public let code: OperationCode
    public let path: String
    public let isBackward: Bool
    public let begin: UInt64
    public let end: UInt64
  }

  public private(set) var events: [Event] = []
  /// What the programs of all runs had to do.
  public private(set) var cost = OperationCost()
  private var nodes: [GraphProgram.Node] = []

  public init() {}

  /// Nanoseconds and calls by operation, the slowest first.
  public var byOperation: [(code: OperationCode, nanoseconds: UInt64, calls: Int)] {
    Dictionary(grouping: events, by: \.code)
      .map { ($0.key, $0.value.reduce(0) { $0 + ($1.end - $1.begin) }, $0.value.count) }
      .sorted { $0.1 > $1.1 }
  }

  func begin(_ program: GraphProgram) {
    nodes = program.nodes
    cost = cost + program.cost
  }

  func record(node: Int, begin: UInt64, end: UInt64) {
    guard nodes.indices.contains(node) else { return }
    events.append(
      Event(
        code: nodes[node].code, path: nodes[node].path, isBackward: nodes[node].isBackward,
        begin: begin, end: max(begin, end)))
  }
}
