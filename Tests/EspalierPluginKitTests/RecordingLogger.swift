import EspalierABI
import EspalierPluginKit
import Synchronization

/// A logger that writes only what it must, and remembers the run that it was opened for.
final class RecordingLogger: MetricLoggerPlugin {
  static let name = "recording"
  static let version = "1.0"
  static let summary = "Remembers its run"
  static let options: [any DescribedOption] = [queueSize]
  static let queueSize = PluginOption.int("queue_size", default: 16, in: 1...1024, "Rows that wait")

  /// What the logger of each folder was told.
  static let opened = Mutex<[String: LoggerRun]>([:])

  let size: Int

  init(_ run: LoggerRun) throws(PluginError) {
    size = try run.options.value(of: Self.queueSize)
    Self.opened.withLock { $0[run.directory] = run }
  }

  func scalars(step: Int64, _ values: [(name: String, value: Double)]) throws(PluginError) {
    guard values.count <= size else { throw .invalidArgument("\(values.count) rows") }
  }

  func close() throws(PluginError) {}
}

/// A scheduler of one number, with every thing that a class can tell about itself.
final class SampleScheduler: NoiseSchedulerPlugin {
  static let className = "SampleScheduler"
  static let shortName = "sample"
  static let summary = "Halves the sample"
  static let options: [any DescribedOption] = [factor, fast]
  static let aliases = [
    SchedulerAlias("smp", "The same"),
    SchedulerAlias("sample_fast", "In a hurry", fast.set(true), factor.set(0.25)),
  ]

  static let factor = PluginOption.number(
    "factor", default: 0.5, where: { $0 > 0 }, "a number above 0", "What a step multiplies by")
  static let fast = PluginOption.bool("fast", default: false, "Takes one step")

  private let factor: Double
  private(set) var callCount = 0

  init(_ settings: PluginSettings) throws(PluginError) {
    factor = try settings.value(of: Self.factor)
  }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) { callCount = inferenceSteps }
  func timestep(call: Int) -> Double { Double(callCount - call) }
  var initNoiseSigma: Double { factor }
  var sigmas: [Double] { [] }
  func needsNoise(call: Int) -> Bool { false }

  func step(_ step: SchedulerStep) throws(PluginError) {
    for index in 0..<step.count {
      step.previousSample[index] = step.sample[index] * Float(factor)
    }
  }

  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    NoiseWeights(signal: 1, noise: 1)
  }

  func targetWeights(at timestep: Double) throws(PluginError) -> NoiseWeights {
    NoiseWeights(signal: 0, noise: 1)
  }
}
