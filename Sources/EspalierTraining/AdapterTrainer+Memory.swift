import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors

extension AdapterTrainer {
  /// Refuses a training step that does not fit into the device's memory as it is free now: weights, temporaries and
  /// trained state together. Nothing is loaded, so this comes before hours of preparation.
  ///
  /// - Throws: `BackendError.notEnoughMemory`, `.tooLarge`, `.unsupported`; `PipelineError`, `CheckpointError`.
  func checkMemory(
    _ folder: DiffusionFolder, _ step: TrainingStep.Configuration, _ adapter: AdapterStart,
    _ unetWeights: DeviceWeights
  ) throws {
    let kinds = TrainedParameters.Kind.allCases
    var need = try Executable.memoryNeed(
      of: TrainingStep.program(step), on: device, weights: unetWeights,
      bound: Set(adapter.parameters.keys.flatMap { path in kinds.map { $0.name(path) } }))
    need.states = kinds.count * adapter.parameters.values.reduce(0) { $0 + 4 * $1.count }
    try device.check(need, for: "a training step")
  }
}
