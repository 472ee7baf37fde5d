import EspalierPluginKit

/// The timesteps of models that were distilled on a part of the training timesteps (LCM, TCD).
///
/// Key: `original_inference_steps`.
/// Source: Diffusers `schedulers/scheduling_lcm.py`.
struct DistilledSteps {
  static let option = PluginOption.int(
    "original_inference_steps", default: 50, in: 1...1_000_000,
    "Steps that the model was distilled on; inference takes some of them")

  /// The noise schedule's keys with these classes' defaults.
  static let noiseKeys = NoiseScheduleOptions(
    betaStart: 0.00085, betaEnd: 0.012, schedule: .scaledLinear, rescales: true)

  private let originalSteps: Int
  private let stride: Int

  init(_ settings: PluginSettings, trainTimesteps: Int) throws(PluginError) {
    originalSteps = try settings.value(of: Self.option)
    guard originalSteps <= trainTimesteps else {
      throw settings.refuse(
        "original_inference_steps", originalSteps,
        "at most num_train_timesteps, \(trainTimesteps)")
    }
    stride = trainTimesteps / originalSteps
  }

  /// `count` of the original steps from the last one down, evenly.
  ///
  /// - Throws: `PluginError` for more than there are.
  func timesteps(_ count: Int) throws(PluginError) -> [Int] {
    guard count <= originalSteps else {
      throw .invalidArgument(
        "num_inference_steps is \(count); allowed: at most original_inference_steps, "
          + "\(originalSteps)")
    }
    let spacing = Double(originalSteps) / Double(count)
    return (0..<count).map { (originalSteps - Int(Double($0) * spacing)) * stride - 1 }
  }
}
