import ArgumentParser
import EspalierHost
import EspalierPipelines
import EspalierTraining
import Foundation
import Logging

/// `espalier-bench measure`: one piece of work in this process, whose peak memory is the work's alone.
struct Measure: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures one piece of work and prints JSON.", shouldDisplay: false)

  @Option(help: "What is measured.")
  var work: Work

  @Flag(help: "Print a table of the time of every operation instead.")
  var profile = false

  @OptionGroup var options: MeasurementOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var passes: PassOptions

  func run() throws {
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = .warning
      return handler
    }
    let startMemory = ProcessMemory.peakByteCount
    try ThreadPool.start(threads: options.threads)
    let registry = try PluginRegistry(
      searchPath: PluginSearchPath(pluginDirectories: device.pluginDir))
    defer { registry.shutdown() }
    let choice = try registry.backend(named: device.backend)
    let place = Workplace(
      options: options, passes: passes.graph, folder: try DiffusionFolder(path: options.model),
      device: try ComputeDevice(choice.backend, choice.device))
    var job = try place.job(work)
    for _ in 0..<options.warmup { try job.run(profile: nil) }
    let events = profile ? ExecutionProfile() : nil
    let clock = ContinuousClock()
    var milliseconds: [Double] = []
    var cpuMilliseconds: [Double] = []
    for _ in 0..<options.repetitions {
      let start = Self.cpuMilliseconds
      milliseconds.append(try clock.measure { try job.run(profile: events) } / .milliseconds(1))
      cpuMilliseconds.append(Self.cpuMilliseconds - start)
    }
    let result = Measurement(
      program: "Espalier, backend \(choice.backend.name)", milliseconds: milliseconds,
      cpuMilliseconds: cpuMilliseconds, peakMemoryBytes: ProcessMemory.peakByteCount,
      startMemoryBytes: startMemory,
      results: job.results)
    if let events {
      print(
        ProfileTable(events, repetitions: options.repetitions, milliseconds: result.median).text)
    } else {
      print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    }
  }

  /// Processor time of this process.
  private static var cpuMilliseconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
  }
}
