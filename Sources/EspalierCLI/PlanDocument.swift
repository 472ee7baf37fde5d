import Espalier
import Foundation

/// The JSON form of a plan; absent keys are not known.
struct PlanDocument: Encodable {
  struct Phase: Encodable {
    let phase: String
    let runs: Int
    let peakBytes: Int
    let memoryBytes: [String: Int]
    let floatingPointOperations: Double
    let seconds: Double?
  }

  struct Disk: Encodable {
    let what, path: String
    let bytes: Int
    let availableBytes: Int?
  }

  let backend, device, deviceClass: String
  let availableBytes: Int?
  let processBytes: Int
  let phases: [Phase]
  let disk: [Disk]
  let floatingPointOperations: Double
  let seconds: Double?
}

extension PlanReport {
  /// The plan as JSON.
  func json() throws -> String {
    let phases = plan.phases.map { phase in
      PlanDocument.Phase(
        phase: phase.title, runs: phase.runs, peakBytes: peak(phase.memory),
        memoryBytes: Dictionary(
          uniqueKeysWithValues: MemoryNeed.kinds.map {
            ($0.name.replacing(" ", with: "_"), phase.memory[keyPath: $0.path])
          }),
        floatingPointOperations: phase.floatingPointOperations,
        seconds: speed.map(phase.seconds))
    }
    let document = PlanDocument(
      backend: device.backendName, device: device.info.name,
      deviceClass: device.info.deviceClass.rawValue, availableBytes: device.availableByteCount,
      processBytes: processBytes, phases: phases,
      disk: plan.disk.map {
        PlanDocument.Disk(
          what: $0.what, path: $0.path, bytes: $0.byteCount,
          availableBytes: DiskNeed.Space(at: $0.path)?.availableByteCount)
      }, floatingPointOperations: plan.floatingPointOperations,
      seconds: speed.map(plan.seconds))
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(document), as: UTF8.self)
  }
}
