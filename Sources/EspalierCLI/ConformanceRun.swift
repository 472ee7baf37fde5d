import EspalierConformance
import EspalierHost
import Foundation

/// Runs cases on a device and prints a line for each operation as soon as it is done.
struct ConformanceRun {
  let target: ConformanceTarget
  let shapes: [ShapeSet]
  let operations: [OperationCode]
  let threads: Int?

  func report() throws -> ConformanceReport {
    try ThreadPool.start(threads: threads)
    HostServices.setSetting("cache_directory", to: PluginOptions.cacheDirectory)
    let (registry, plugin, device) = try target.open()
    defer { registry.shutdown() }
    let backend = try ConformanceBackend(
      name: plugin.name, api: plugin.api.pointee, deviceIndex: UInt32(device.index))
    var report = ConformanceReport(
      backend: plugin.name, version: plugin.version, file: plugin.file,
      device: device.description, activations: backend.activationTypes,
      weights: backend.weightTypes, shapes: shapes)
    print(ConformanceTable.head(report))
    for operation in operations {
      let cases = shapes.flatMap { ConformanceSuite.cases([operation], $0) }
        .filter { $0.isOffered(by: backend) }
      let largest = cases.map(\.work.amount).max()
      var summary = OperationSummary(operation)
      var results: [CaseResult] = []
      for example in cases {
        let isLargest = example.work.amount == largest
        let result = backend.check(example, timedSeconds: isLargest ? 0.2 : 0)
        summary.add(result, of: example)
        results.append(result)
      }
      report.add(summary, results)
      print(ConformanceTable.row(summary, results))
    }
    print(ConformanceTable.foot(report))
    return report
  }
}
