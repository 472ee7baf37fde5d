import ArgumentParser
import EspalierBenchKit
import EspalierConformance
import EspalierHost
import EspalierTensors
import Foundation
import Logging

/// The Vulkan part of `make bench`: products, convolutions and attention at the shapes of Stable Diffusion XL,
/// beside the device's multiply-add peak and on request beside ggml.
@main
struct VulkanBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vulkan-bench",
    abstract: "Measures operations of the Vulkan backend beside the device's multiply-add peak.",
    discussion: """
      The environment variable BENCH_GGML names the program test-backend-ops of ggml, built with \
      Vulkan; then its speed at the nearest shape that it tests stands beside each forward operation \
      and each matrix product.
      """)

  @Option(help: "The backend and device, as for 'espalier train'.")
  var backend = "vulkan"

  @Option(help: "Look for plugins in this folder first (repeatable).")
  var pluginDir: [String] = []

  @Flag(help: "Measure all shapes on a CPU driver too; by default those of at most 16 GFLOP.")
  var all = false

  @Flag(help: "Store activations and weights as f16, where the device can.")
  var half = false

  @Flag(help: "Take times by the device's clock on a CPU driver too, as on a GPU.")
  var deviceTime = false

  @Option(help: "Measure only operations whose name has this part (repeatable).")
  var only: [String] = []

  @Option(help: "Seconds of each measurement (default: 0.25 on a CPU driver, 0.05 on a GPU).")
  var seconds: Double?

  @Option(help: "Measurements of each operation and of the peak, by turns; medians count.")
  var rounds = 3

  mutating func validate() throws {
    if rounds < 1 { throw ValidationError("--rounds is \(rounds); expected at least 1") }
    if let seconds, !(0.001...10).contains(seconds) {
      throw ValidationError("--seconds is \(seconds); expected 0.001 to 10")
    }
  }

  func run() throws {
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = .warning
      return handler
    }
    let ggml = try GGMLProgram.given()
    try ThreadPool.start(threads: nil)
    HostServices.setSetting("cache_directory", to: Self.cacheDirectory)
    let registry = try PluginRegistry(
      searchPath: PluginSearchPath(pluginDirectories: pluginDir))
    defer { registry.shutdown() }
    let (plugin, info): (BackendPlugin, DeviceInfo)
    do {
      (plugin, info) = try registry.backend(named: backend)
    } catch PluginError.unknownDevice(_, _, let devices) where devices.isEmpty {
      return print("Vulkan: this machine has no device; nothing is measured.")
    }
    let storage: StorageType =
      half && info.activationDTypes.contains(.float16) ? .float16 : .float32
    if half, storage == .float32 {
      print("\(info.name) does not store activations as f16; f32 is measured.")
    }
    let device = try ConformanceBackend(
      name: plugin.name, api: plugin.api.pointee, deviceIndex: UInt32(info.index))
    let isSoftware = info.deviceClass == .softwareGPU
    let peak = try PeakLoop(
      named: info.name, ordinal: plugin.devices[..<info.index].count { $0.name == info.name },
      isSoftware: isSoftware)
    let duel = Duel(
      peak: peak, rounds: rounds, seconds: seconds ?? (isSoftware ? 0.25 : 0.05),
      usesDeviceTime: deviceTime || !isSoftware)
    let cases = BenchmarkCase.all.filter { example in
      (all || !isSoftware || example.weight <= 16e9)
        && (only.isEmpty || only.contains { example.title.contains($0) })
    }
    let rows = try cases.compactMap { example in
      try OperationRun(example, storage: storage, on: device).map {
        SpeedRow(example: example, result: try duel.measure($0, example.operations))
      }
    }
    let theirs = try ggml?.timings(
      device: peak.physicalIndex, storage: storage.name, isSlow: isSoftware && !all)
    print(
      SpeedReport(
        device: info, storage: storage.name, isSoftware: isSoftware, peak: peak.description,
        usesDeviceTime: duel.usesDeviceTime, rounds: rounds, rows: rows, ggml: theirs
      ).text)
  }

  /// Where the plugin keeps its compiled shaders, by the XDG convention.
  private static var cacheDirectory: String {
    let environment = ProcessInfo.processInfo.environment
    let base = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    return (base ?? NSHomeDirectory() + "/.cache") + "/espalier"
  }
}
