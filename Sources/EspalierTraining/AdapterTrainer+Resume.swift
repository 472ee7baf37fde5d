import EspalierModels
import EspalierTensors
import Foundation

extension AdapterTrainer {
  /// The seed of a resumed run is that of its state; a new run takes the flag's, or a random one.
  func seed(_ resumed: String?) throws -> UInt64 {
    guard let resumed else {
      let seed = configuration.seed ?? UInt64.random(in: 0..<(1 << 32))
      if configuration.seed == nil { observer?.note("seed \(seed)") }
      return seed
    }
    let state = try StateFiles.readState(resumed)
    if let given = configuration.seed, given != state.seed {
      throw TrainingError.checkpoint(
        path: resumed, reason: "it was trained with --seed \(state.seed), not \(given)")
    }
    return state.seed
  }

  /// A new state, or that of the checkpoint, whose tensors are put into the parameters.
  func state(
    _ resumed: String?, _ files: StateFiles, _ parameters: TrainedParameters, _ data: PreparedData,
    _ seed: UInt64
  ) throws -> TrainingState {
    guard let resumed else {
      return TrainingState(
        step: 0, updates: 0, seed: seed,
        lossScaler: LossScaler(isDynamic: configuration.mixedPrecision == .fp16),
        settings: exactSettings, data: data.fingerprint)
    }
    var state = try StateFiles.readState(resumed)
    try files.readTensors(resumed, into: parameters)
    let changed = exactSettings.filter { state.settings[$0.key] != $0.value }.keys.sorted()
    if !changed.isEmpty {
      let list = changed.map { "\($0) \(state.settings[$0] ?? "?") → \(exactSettings[$0] ?? "?")" }
      observer?.note("warning: continuing with changed settings: " + list.joined(separator: ", "))
    }
    if state.data != data.fingerprint {
      observer?.note("warning: the data set has changed since \(resumed) was saved")
    }
    if state.settings["--mixed_precision"] != exactSettings["--mixed_precision"] {
      state.lossScaler = LossScaler(isDynamic: configuration.mixedPrecision == .fp16)
    }
    state.settings = exactSettings
    state.data = data.fingerprint
    observer?.note("continuing from \(resumed), step \(state.step)")
    return state
  }

  /// The settings that a continuation must share to give the same weights.
  private var exactSettings: [String: String] {
    let c = configuration
    return [
      "--train_batch_size": "\(c.trainBatchSize)",
      "--gradient_accumulation_steps": "\(c.gradientAccumulationSteps)",
      "--resolution": "\(c.resolution)",
      "--mixed_precision": c.mixedPrecision.rawValue,
      "--learning_rate": "\(c.effectiveLearningRate)",
      "--lr_scheduler": c.lrScheduler.rawValue,
      "--lr_warmup_steps": "\(c.lrWarmupSteps)",
      "--adam": "\(c.adam.beta1) \(c.adam.beta2) \(c.adam.epsilon) \(c.adam.weightDecay)",
      "--max_grad_norm": "\(c.maxGradNorm)",
      "--proportion_empty_prompts": "\(c.proportionEmptyPrompts)",
      "--compatibility": c.compatibility.rawValue,
    ]
  }
}
