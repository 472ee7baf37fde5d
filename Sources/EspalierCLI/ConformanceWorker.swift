import EspalierConformance
import EspalierHost
import Foundation

/// Opens the plugin and runs cases on its device.
struct ConformanceWorker {
  let target: ConformanceTarget
  let options: [OptionAssignment]
  let threads: Int?
  /// How long the largest case of an operation is repeated to time it, in seconds.
  private static let timedSeconds = 0.2

  /// Runs the cases from index `start` on, and reports each before and after it.
  ///
  /// - Throws: `PluginError`, `BackendError`, `BackendFailure` if the device cannot be opened.
  func run(
    _ cases: [ConformanceCase], from start: Int, report: (ConformanceMessage) throws -> Void
  ) throws {
    try ThreadPool.start(threads: threads)
    HostServices.setSetting("cache_directory", to: PluginOptions.cacheDirectory)
    let (registry, plugin, device) = try target.open()
    defer { registry.shutdown() }
    let backend = try ConformanceBackend(
      name: plugin.name, api: plugin.api.pointee, deviceIndex: UInt32(device.index),
      options: plugin.settings(options))
    try report(
      .opened(
        ConformanceSubject(
          backend, version: plugin.version, file: plugin.file, device: device.description)))
    var largest: [OperationCode: Double] = [:]
    for example in cases where example.isOffered(by: backend) {
      largest[example.operation] = max(largest[example.operation] ?? 0, example.work.amount)
    }
    for (index, example) in cases.enumerated().dropFirst(start) {
      guard example.isOffered(by: backend) else {
        try report(.skipped(index))
        continue
      }
      try report(.started(index))
      let isLargest = example.work.amount == largest[example.operation]
      let result = backend.check(example, timedSeconds: isLargest ? Self.timedSeconds : 0)
      try report(.finished(index, result))
    }
    try report(.done)
  }
}
