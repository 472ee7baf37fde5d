/// Looks for flags that make a run fit.
public struct PlanRemedies<Settings> {
  /// Another value of one flag.
  public struct Change {
    /// As on the command line: `--gradient_checkpointing`.
    public let flag: String
    public let apply: (inout Settings) -> Void

    public init(_ flag: String, _ apply: @escaping (inout Settings) -> Void) {
      self.flag = flag
      self.apply = apply
    }
  }

  private let settings: Settings
  private let changes: [Change]
  private let plan: (Settings) throws -> RunPlan

  /// - Parameters:
  ///   - changes: The mildest first; a later one may take the place of an earlier one.
  ///   - plan: Plans the run with other settings.
  public init(
    _ settings: Settings, _ changes: [Change], plan: @escaping (Settings) throws -> RunPlan
  ) {
    self.settings = settings
    self.changes = changes
    self.plan = plan
  }

  /// The first single change with which the run fits, else the fewest from the first on; nil if none helps.
  public func text(on device: ComputeDevice) -> String? {
    let singles = changes.map { [$0] }
    let several = changes.indices.dropFirst().map { Array(changes[...$0]) }
    for chosen in singles + several {
      var changed = settings
      for change in chosen { change.apply(&changed) }
      guard let plan = try? plan(changed), plan.misfit(on: device) == nil else { continue }
      let need = plan.phases.map { $0.memory.device + $0.memory.host }.max() ?? 0
      // Of several values for one flag only the last counts.
      let flags = chosen.enumerated().filter { place, change in
        !chosen[(place + 1)...].contains { $0.name == change.name }
      }
      return "it fits with \(flags.map(\.element.flag).joined(separator: " ")): "
        + "\(ByteCount(need)) at the most"
    }
    return nil
  }
}

extension PlanRemedies.Change {
  /// The flag without its value.
  fileprivate var name: Substring { flag.prefix { $0 != " " } }
}
