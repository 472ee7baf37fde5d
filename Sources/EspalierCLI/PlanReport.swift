import Espalier
import Foundation

/// A plan as people and programs read it.
struct PlanReport {
  /// Whether the device is measured, so that times can be told.
  enum Measures {
    case always
    /// Where the measurement takes much less time than the run.
    case longRuns
  }

  let plan: RunPlan
  let device: ComputeDevice
  /// Nil if the device was not measured, or could not be.
  let speed: DeviceSpeed?
  /// What is resident before the run.
  let processBytes: Int

  init(_ plan: RunPlan, on device: ComputeDevice, measures: Measures) {
    self.plan = plan
    self.device = device
    processBytes = ProcessMemory.residentByteCount
    let isLong = plan.floatingPointOperations > Self.longRun
    speed = measures == .always || isLong ? try? DeviceSpeed(measuring: device) : nil
  }

  /// Operations that take a CPU about half a minute.
  private static let longRun = 5e12

  private var isHost: Bool { device.info.deviceClass == .cpu }

  /// What a phase has resident at its peak: on the machine, where the device is the CPU, else on the device.
  func peak(_ memory: MemoryNeed) -> Int {
    isHost ? memory.resident + processBytes : memory.device
  }

  /// A few lines for the start of a run.
  var outline: String {
    let rows = plan.phases.map { phase in
      [phase.title, Self.bytes(peak(phase.memory)), operations(phase) + " TFLOP", time(phase)]
    }
    return (Self.lines(rows).map { "plan     " + $0 } + notes.map { "         " + $0 })
      .joined(separator: "\n")
  }

  /// Everything.
  var table: String {
    let header = [
      "PHASE", "RUNS", "PEAK", "WEIGHTS", "PACKED", "ACTIVATIONS", "WORKSPACE", "OPTIMIZER",
      "OTHER",
      "TFLOP", "TIME",
    ]
    let rows = plan.phases.map { phase in
      let memory = phase.memory
      return [
        phase.title, "\(phase.runs)", Self.bytes(peak(memory)),
        Self.bytes(memory.weights + memory.mappedWeights), Self.bytes(memory.packedCopies),
        Self.bytes(memory.activations), Self.bytes(memory.workspace), Self.bytes(memory.states),
        Self.bytes(memory.inputsAndOutputs + memory.host), operations(phase), time(phase),
      ]
    }
    return ([device.info.description, ""] + Self.lines([header] + rows) + [""] + notes)
      .joined(separator: "\n")
  }

  private var notes: [String] {
    var lines: [String] = []
    if let phase = plan.peak {
      let free = device.availableByteCount.map { " of \(ByteCount($0)) that are free" } ?? ""
      lines.append("at the most \(ByteCount(peak(phase.memory)))\(free), in \(phase.title)")
      if isHost, let available = device.availableByteCount, phase.memory.resident > available {
        lines.append(
          "warning: the weights of \(phase.subject) do not stay in memory beside the rest; they are read from their "
            + "files again and again")
      }
    }
    for phase in plan.phases where phase.kept.byteCount > 0 {
      lines.append(
        "\(ByteCount(phase.kept.byteCount)) of copies of weights in \(phase.title); see --weight_cache"
      )
    }
    for need in plan.disk where need.byteCount > 0 {
      lines.append("on disk up to \(ByteCount(need.byteCount)) for \(need.what), in \(need.path)")
    }
    if let speed {
      lines.append(
        "about \(Self.duration(plan.seconds(speed))) in all, by a measurement of this device")
    }
    return lines
  }

  private func operations(_ phase: PlannedPhase) -> String {
    String(format: "%.3g", phase.floatingPointOperations / 1e12)
  }

  private func time(_ phase: PlannedPhase) -> String {
    speed.map { Self.duration(phase.seconds($0)) } ?? ""
  }

  private static func bytes(_ count: Int) -> String { count == 0 ? "–" : "\(ByteCount(count))" }

  /// `0.4 s`, `12 s`, `3:05 min`, `2:10 h`.
  static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if seconds < 10 { return String(format: "%.1f s", seconds) }
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return String(format: "%d:%02d min", whole / 60, whole % 60) }
    return String(format: "%d:%02d h", whole / 3600, whole / 60 % 60)
  }

  /// Aligned columns, the first to the left.
  private static func lines(_ rows: [[String]]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + space : space + cell
      }
      let text = cells.joined(separator: "  ")
      return String(text.reversed().drop { $0 == " " }.reversed())
    }
  }
}
