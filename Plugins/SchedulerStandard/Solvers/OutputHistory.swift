/// What a multistep method remembers of its last model calls, the newest first.
struct OutputHistory {
  private var outputs: [[Float]] = []
  private let capacity: Int

  init(capacity: Int) { self.capacity = capacity }

  var count: Int { outputs.count }

  /// - Parameter age: 0 for the last call's, 1 for the one before it.
  subscript(age: Int) -> [Float] { outputs[age] }

  mutating func push(_ output: [Float]) {
    outputs.insert(output, at: 0)
    if outputs.count > capacity { outputs.removeLast() }
  }

  mutating func removeAll() { outputs.removeAll(keepingCapacity: true) }
}
