import ArgumentParser
import EspalierCheckpoints
import EspalierGraph
import EspalierHost
import EspalierPipelines
import EspalierTensors
import Foundation

/// `espalier bench measure`: one piece of work in this process, whose peak memory is the work's alone.
struct BenchMeasurement: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure", abstract: "Measures one piece of work and prints JSON.",
    shouldDisplay: false)

  @Option(help: "What is measured.")
  var work: Work

  @Option(help: "The base model's folder.")
  var model: String

  @Option(help: "The side of the pictures in pixels.")
  var resolution: Int

  @Option(help: "Write the results to this file.")
  var results: String?

  @Flag(help: "Print a table of the time of every operation instead.")
  var profile = false

  @OptionGroup var effort: EffortOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var passes: PassOptions

  func run() throws {
    let startMemory = ProcessMemory.peakByteCount
    try ThreadPool.start(threads: effort.threads)
    let registry = try PluginRegistry(
      searchPath: PluginSearchPath(pluginDirectories: device.pluginDir))
    defer { registry.shutdown() }
    let choice = try registry.backend(named: device.backend)
    let place = Workplace(
      resolution: resolution, passes: passes.graph(for: work),
      folder: try DiffusionFolder(path: model),
      device: try ComputeDevice(choice.backend, choice.device), weightCache: try device.cache)
    var job = try place.job(work)
    // The first repetition is counted, later ones only timed.
    let counter = ExecutionProfile()
    let events = ExecutionProfile()
    var plan = RepetitionPlan(seconds: effort.seconds, most: effort.repetitions)
    var (isFirst, profiled) = (true, 0)
    while !plan.isDone {
      let warmUps = plan.timings.isEmpty
      let timing = try Self.timed {
        try job.run(profile: profile && !warmUps ? events : isFirst ? counter : nil)
      }
      if !warmUps { profiled += 1 }
      isFirst = false
      plan.add(timing)
    }
    let measurement = Measurement(
      program: "Espalier, backend \(choice.backend.name)",
      milliseconds: plan.timings.map(\.elapsed), cpuMilliseconds: plan.timings.map(\.processor),
      peakMemoryBytes: ProcessMemory.peakByteCount, startMemoryBytes: startMemory,
      floatingPointOperations: counter.cost.floatingPointOperations)
    if let results { try SafetensorsWriter.write(job.results(), to: results) }
    if profile {
      print(
        ProfileTable(events, repetitions: max(profiled, 1), milliseconds: measurement.median).text)
    } else {
      print(String(decoding: try JSONEncoder().encode(measurement), as: UTF8.self))
    }
  }

  private static func timed(_ body: () throws -> Void) throws -> RepetitionPlan.Timing {
    let start = cpuMilliseconds
    let elapsed = try ContinuousClock().measure(body) / .milliseconds(1)
    return RepetitionPlan.Timing(elapsed: elapsed, processor: cpuMilliseconds - start)
  }

  /// Processor time of this process.
  private static var cpuMilliseconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
  }
}
