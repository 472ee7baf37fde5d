/// A noise scheduler as a plugin writes it; `PluginRegistration.schedulers` offers it to the host.
///
/// An object is one scheduler with its schedule and its history. The kit checks the host's arguments
/// first: `call` lies in `0..<callCount`, `step` comes in order (the first after `setTimesteps` may be
/// any call, each further one the next), noise is there where `needsNoise` says so.
public protocol NoiseSchedulerPlugin: AnyObject, SendableMetatype {
  /// Diffusers' name: `EulerDiscreteScheduler`.
  static var className: String { get }

  /// For the command line: `euler`.
  static var shortName: String { get }

  /// One line for people.
  static var summary: String { get }

  /// The keys of its `scheduler_config.json`, which a user's options replace; a key that is not here can
  /// be set in the file alone.
  static var options: [any DescribedOption] { get }

  /// Further names for the command line, with settings that they stand for; none unless it says so.
  static var aliases: [SchedulerAlias] { get }

  /// - Parameter settings: Its `scheduler_config.json`; keys that it does not know are ignored.
  /// - Throws: `PluginError` for a value that makes no sense.
  init(_ settings: PluginSettings) throws(PluginError)

  /// Makes a schedule of that many inference steps and forgets the history.
  func setTimesteps(_ inferenceSteps: Int) throws(PluginError)

  /// Model calls of one generation; 0 before `setTimesteps`.
  var callCount: Int { get }

  /// What the model gets as its timestep in this call.
  func timestep(call: Int) -> Double

  /// Standard deviation of the noise that a generation starts from.
  var initNoiseSigma: Double { get }

  /// The noise levels of the schedule in order of use, with the final one.
  var sigmas: [Double] { get }

  /// What the sample is divided by before the model sees it; 1 unless the scheduler says otherwise.
  func modelInputDivisor(call: Int) -> Float

  /// Whether the step after this call needs standard normal noise.
  func needsNoise(call: Int) -> Bool

  /// From model output and sample to the previous sample.
  func step(_ step: SchedulerStep) throws(PluginError)

  /// Training: the weights of `noisy = signal · original + noise · noise` at a timestep.
  func noiseWeights(at timestep: Double) throws(PluginError) -> NoiseWeights

  /// Training: the weights of `target = signal · original + noise · noise` at a timestep.
  func targetWeights(at timestep: Double) throws(PluginError) -> NoiseWeights
}

extension NoiseSchedulerPlugin {
  public static var options: [any DescribedOption] { [] }
  public static var aliases: [SchedulerAlias] { [] }
  public func modelInputDivisor(call: Int) -> Float { 1 }
}

/// Weights of an original and of noise in a sum.
public struct NoiseWeights: Sendable, Equatable {
  public let signal: Float
  public let noise: Float

  public init(signal: Float, noise: Float) {
    self.signal = signal
    self.noise = noise
  }
}

/// The arrays of one `step`, all of the same length; they do not overlap and are valid in the call only.
public struct SchedulerStep {
  public let call: Int
  public let modelOutput: UnsafeBufferPointer<Float>
  public let sample: UnsafeBufferPointer<Float>
  /// Standard normal values; empty where `needsNoise` is false.
  public let noise: UnsafeBufferPointer<Float>
  public let previousSample: UnsafeMutableBufferPointer<Float>
  /// Where the host wants the predicted original, else nil.
  public let predictedOriginal: UnsafeMutableBufferPointer<Float>?

  public var count: Int { sample.count }
}

/// A further name of a scheduler class: `euler_a`, or `dpmpp_2m_karras` with settings that it stands for.
public struct SchedulerAlias: Sendable {
  let shortName: String
  let summary: String
  let preset: [OptionSetting]

  /// - Parameters:
  ///   - shortName: For the command line.
  ///   - summary: One line for people.
  ///   - preset: What it sets, in place of the configuration's own: `Self.useKarrasSigmas.set(true)`.
  ///     The user's options come before.
  public init(_ shortName: String, _ summary: String, _ preset: OptionSetting...) {
    self.init(shortName, summary, preset)
  }

  /// The same with a list.
  public init(_ shortName: String, _ summary: String, _ preset: [OptionSetting]) {
    self.shortName = shortName
    self.summary = summary
    self.preset = preset
  }
}
