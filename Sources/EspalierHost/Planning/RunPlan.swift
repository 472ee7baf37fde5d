/// What a run is about to take: its phases in order, and what it writes.
public struct RunPlan: Sendable {
  public var phases: [PlannedPhase]
  public var disk: [DiskNeed]

  public init(phases: [PlannedPhase], disk: [DiskNeed] = []) {
    self.phases = phases
    self.disk = disk
  }

  /// The phase that needs the most memory.
  public var peak: PlannedPhase? { phases.max { $0.memory.resident < $1.memory.resident } }

  /// The copies of weights that a phase keeps, none if there is no such phase.
  public func copies(of subject: String) -> KeptCopies {
    phases.first { $0.subject == subject }?.kept ?? KeptCopies()
  }

  /// Operations of matrix products in all.
  public var floatingPointOperations: Double {
    phases.reduce(0) { $0 + $1.floatingPointOperations }
  }

  /// An estimate of the time of all phases.
  public func seconds(_ speed: DeviceSpeed) -> Double {
    phases.reduce(0) { $0 + $1.seconds(speed) }
  }

  /// Of the phases that a device has no room for, the one that needs the most; nil if all fit.
  public func misfit(on device: ComputeDevice) -> PlannedPhase? {
    let misfits = phases.filter { phase in
      do throws(BackendError) {
        try device.check(phase.memory, for: phase.subject)
        return false
      } catch { return true }
    }
    return misfits.max {
      $0.memory.device + $0.memory.host < $1.memory.device + $1.memory.host
    }
  }

  /// Refuses a run that the device, the machine or a disk has no room for.
  ///
  /// - Parameter remedy: Asked only if the run does not fit: what would make it fit, see `PlanRemedies`.
  /// - Throws: `BackendError.notEnoughMemory`, `PlanError.disk`.
  public func check(on device: ComputeDevice, remedy: () -> String? = { nil }) throws {
    if let phase = misfit(on: device) {
      try device.check(phase.memory, for: phase.subject, remedy: remedy())
    }
    try DiskNeed.check(disk)
  }
}
