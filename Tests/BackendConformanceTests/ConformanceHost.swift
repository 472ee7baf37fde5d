import Dispatch
import EspalierABI
import Foundation

/// A host with three workers for the plugin under test.
enum ConformanceHost {
  static let workers: UInt32 = 3
  private static let stopKey = "espalier.conformance.stop"

  /// Runs `body` while the host asks this thread to stop.
  static func cancelling<T>(_ body: () -> T) -> T {
    Thread.current.threadDictionary[stopKey] = true
    defer { Thread.current.threadDictionary.removeObject(forKey: stopKey) }
    return body()
  }

  // SAFETY: filled once, on first use; plugins only read it.
  nonisolated(unsafe) static let table: UnsafePointer<esp_host> = {
    let table = UnsafeMutablePointer<esp_host>.allocate(capacity: 1)
    table.initialize(
      to: esp_host(
        struct_size: UInt32(MemoryLayout<esp_host>.size), abi_major: ESP_ABI_MAJOR,
        abi_minor: ESP_ABI_MINOR, reserved: 0, context: nil,
        log: { _, _, component, message in
          print("\(String(cString: component)): \(String(cString: message))")
        },
        parallel_for: { _, count, grain, body, argument in
          split(count, grain: max(grain, 1), body: body, argument: argument)
        },
        worker_count: { _ in ConformanceHost.workers },
        cancelled: { _ in
          Thread.current.threadDictionary[ConformanceHost.stopKey] == nil ? 0 : 1
        },
        config: { _, _ in nil }))
    return UnsafePointer(table)
  }()
}

/// Every worker takes every third slice, so that no slice depends on its neighbour's worker.
private func split(
  _ count: Int64, grain: Int64, body: esp_parallel_body, argument: UnsafeMutableRawPointer?
) {
  let slices = (count + grain - 1) / grain
  let workers = Int64(ConformanceHost.workers)
  let loop = ParallelLoop(body: body, argument: argument)
  DispatchQueue.concurrentPerform(iterations: Int(workers)) { worker in
    for slice in stride(from: Int64(worker), to: slices, by: Int(workers)) {
      loop.body(loop.argument, slice * grain, min((slice + 1) * grain, count), UInt32(worker))
    }
  }
}

/// A loop on its way to the workers.
// SAFETY: the plugin hands over an argument that its body may use from several threads.
private struct ParallelLoop: @unchecked Sendable {
  let body: esp_parallel_body
  let argument: UnsafeMutableRawPointer?
}
