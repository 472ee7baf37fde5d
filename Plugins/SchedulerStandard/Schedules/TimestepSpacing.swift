import EspalierPluginKit

/// Which training timesteps the inference steps visit.
///
/// Keys: `timestep_spacing`, `steps_offset`.
/// Source: "Common Diffusion Noise Schedules and Sample Steps are Flawed", table 2, as Diffusers has it.
struct TimestepSpacing {
  enum Kind: String, CaseIterable {
    case linspace, leading, trailing
  }

  let kind: Kind
  private let stepsOffset: Int

  init(_ settings: PluginSettings, _ options: TimestepSpacingOptions) throws(PluginError) {
    kind = try settings.value(of: options.kind)
    stepsOffset = try settings.value(of: options.stepsOffset)
  }

  /// Evenly from the last training timestep, without keys.
  static let linspace = TimestepSpacing(kind: .linspace, stepsOffset: 0)

  private init(kind: Kind, stepsOffset: Int) {
    self.kind = kind
    self.stepsOffset = stepsOffset
  }

  /// Falling timesteps; whole numbers except with `linspace`.
  ///
  /// - Throws: `PluginError` for more steps than training timesteps.
  func timesteps(_ count: Int, trainTimesteps: Int) throws(PluginError) -> [Double] {
    try Self.check(count, trainTimesteps)
    switch kind {
    case .linspace:
      let values: [Double] = evenlySpaced(0, Double(trainTimesteps - 1), count)
      return values.reversed()
    case .leading:
      let ratio = trainTimesteps / count
      return (0..<count).reversed().map { Double($0 * ratio + stepsOffset) }
    case .trailing:
      return trailing(count, from: trainTimesteps, trainTimesteps)
    }
  }

  /// Falling whole timesteps below `trainTimesteps`.
  ///
  /// - Throws: `PluginError` for more steps than training timesteps, or an offset beyond them.
  func wholeTimesteps(_ count: Int, trainTimesteps: Int) throws(PluginError) -> [Int] {
    let steps = try timesteps(count, trainTimesteps: trainTimesteps)
      .map { Int($0.rounded(.toNearestOrEven)) }
    guard let first = steps.first, first < trainTimesteps else {
      throw .invalidArgument(
        "steps_offset moves the first timestep beyond num_train_timesteps − 1, "
          + "\(trainTimesteps - 1); use a smaller offset or fewer steps")
    }
    return steps
  }

  /// The timesteps of solvers that see the sample without noise as one more step: `count` of `count + 1`.
  ///
  /// - Parameter end: The timesteps below this one are spaced; `trainTimesteps` unless the schedule is cut.
  /// - Throws: `PluginError` for more steps than training timesteps.
  func solverTimesteps(
    _ count: Int, below end: Int, trainTimesteps: Int
  ) throws(PluginError) -> [Int] {
    try Self.check(count, trainTimesteps)
    switch kind {
    case .linspace:
      let values: [Double] = evenlySpaced(0, Double(end - 1), count + 1)
      return values.dropFirst().reversed().map { Int($0.rounded(.toNearestOrEven)) }
    case .leading:
      let ratio = end / (count + 1)
      return (1...count).reversed().map { $0 * ratio + stepsOffset }
    case .trailing:
      return trailing(count, from: end, trainTimesteps).map { Int($0) }
    }
  }

  /// As `numpy.arange` steps, whose rounding decides where a timestep falls between two.
  private func trailing(_ count: Int, from start: Int, _ trainTimesteps: Int) -> [Double] {
    let ratio = Double(trainTimesteps) / Double(count)
    let first = Double(start)
    let stride = first - ratio - first
    return (0..<count).map { first + Double($0) * stride }.filter { $0 > 1e-6 }
      .map { $0.rounded(.toNearestOrEven) - 1 }
  }

  private static func check(_ count: Int, _ trainTimesteps: Int) throws(PluginError) {
    guard count <= trainTimesteps else {
      throw .invalidArgument(
        "num_inference_steps is \(count); allowed: at most num_train_timesteps, \(trainTimesteps)")
    }
  }
}

/// The keys of a spacing, with the default of one scheduler class.
struct TimestepSpacingOptions: Sendable {
  let kind: PluginOption<TimestepSpacing.Kind>
  let stepsOffset = PluginOption.int(
    "steps_offset", default: 0, in: 0...1_000_000, "Added to every timestep; leading only")

  init(default fallback: TimestepSpacing.Kind) {
    kind = .choice(
      "timestep_spacing", default: fallback, "Which training timesteps the steps visit")
  }

  var all: [any DescribedOption] { [kind, stepsOffset] }
}
