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

  init(_ settings: PluginSettings, default fallback: Kind) throws(PluginError) {
    kind = try settings.choice("timestep_spacing", default: fallback)
    stepsOffset = try settings.int("steps_offset", default: 0, in: 0...1_000_000)
  }

  /// Falling timesteps; whole numbers except with `linspace`.
  ///
  /// - Throws: `PluginError` for more steps than training timesteps.
  func timesteps(_ count: Int, trainTimesteps: Int) throws(PluginError) -> [Double] {
    guard count <= trainTimesteps else {
      throw .invalidArgument(
        "num_inference_steps is \(count); allowed: at most num_train_timesteps, \(trainTimesteps)")
    }
    switch kind {
    case .linspace:
      let values: [Double] = evenlySpaced(0, Double(trainTimesteps - 1), count)
      return values.reversed()
    case .leading:
      let ratio = trainTimesteps / count
      return (0..<count).reversed().map { Double($0 * ratio + stepsOffset) }
    case .trailing:
      let ratio = Double(trainTimesteps) / Double(count)
      return (0..<count).map { index in
        (Double(trainTimesteps) - Double(index) * ratio).rounded(.toNearestOrEven) - 1
      }
    }
  }
}
