import EspalierABI

/// The work on samples. Arrays are float32 of any shape, one element after the other; with a batch of
/// timesteps, sample b is elements `b·count ..< (b+1)·count`.
extension NoiseScheduler {
  /// The result of a step.
  public struct StepOutput: Sendable {
    /// The sample for the next model call.
    public let previousSample: [Float]
    /// The scheduler's estimate of the sample without noise; nil if not asked for.
    public let predictedOriginalSample: [Float]?
  }

  /// What the model sees at call `index`: the sample, scaled where the scheduler says so.
  ///
  /// - Throws: `SchedulerError`.
  public func scaleModelInput(call index: Int, sample: [Float]) throws(SchedulerError) -> [Float] {
    var out = [Float](repeating: 0, count: sample.count)
    let operation = "scale the input of model call \(index)"
    try call(operation) { api, scheduler, error in
      api.scale_model_input(scheduler, UInt32(clamping: index), sample, &out, sample.count, error)
    }
    try check(out, operation, inputs: [("sample", sample)])
    return out
  }

  /// Goes from model call `index` to the next one; calls come in order.
  ///
  /// - Parameters:
  ///   - modelOutput: What the model predicted, as many elements as `sample`.
  ///   - noise: Standard normal noise of the same size if `needsNoise(call:)`.
  ///   - predictsOriginal: True to get the estimate of the sample without noise, too.
  /// - Throws: `SchedulerError`.
  public func step(
    call index: Int, modelOutput: [Float], sample: [Float], noise: [Float]? = nil,
    predictsOriginal: Bool = false
  ) throws(SchedulerError) -> StepOutput {
    let operation = "take the step of model call \(index)"
    let count = sample.count
    var inputs = [("model output", modelOutput), ("sample", sample)]
    if let noise {
      inputs.append(("noise", noise))
    } else if needsNoise(call: index) {
      throw .missingNoise(scheduler: className, operation: operation)
    }
    try checkCounts(inputs, count, operation)
    var previous = [Float](repeating: 0, count: count)
    var original = [Float](repeating: 0, count: predictsOriginal ? count : 0)
    try call(operation) { api, scheduler, error in
      original.withUnsafeMutableBufferPointer { original in
        api.step(
          scheduler, UInt32(clamping: index), modelOutput, sample, noise, &previous,
          predictsOriginal ? original.baseAddress : nil, count, error)
      }
    }
    try check(previous, operation, inputs: inputs)
    try check(original, operation, inputs: inputs)
    return StepOutput(
      previousSample: previous, predictedOriginalSample: predictsOriginal ? original : nil)
  }

  /// The noisy samples of training: `signal(t)·original + noiseScale(t)·noise`.
  ///
  /// - Parameters:
  ///   - timesteps: One for each sample of the batch.
  ///   - original: All samples of the batch.
  ///   - noise: As many elements as `original`.
  /// - Throws: `SchedulerError`.
  public func addNoise(
    timesteps: [Double], original: [Float], noise: [Float]
  ) throws(SchedulerError) -> [Float] {
    try overBatch("add noise", timesteps, original, noise) {
      $0.add_noise($1, timesteps, timesteps.count, $2, original, noise, $3, $4)
    }
  }

  /// What a model should predict at these timesteps: the noise, the velocity, or the sample.
  ///
  /// - Throws: `SchedulerError`; `.notOffered` if the plugin is not for training.
  public func trainingTarget(
    timesteps: [Double], original: [Float], noise: [Float]
  ) throws(SchedulerError) -> [Float] {
    let operation = "give the target of training"
    guard offersTrainingTarget else {
      throw .notOffered(scheduler: className, operation: operation)
    }
    return try overBatch(operation, timesteps, original, noise) {
      $0.training_target?($1, timesteps, timesteps.count, $2, original, noise, $3, $4)
        ?? ESP_UNIMPLEMENTED
    }
  }

  private typealias BatchCall = (
    esp_scheduler_api, OpaquePointer, Int, UnsafeMutablePointer<Float>,
    UnsafeMutablePointer<esp_error>
  ) -> Int32

  private func overBatch(
    _ operation: String, _ timesteps: [Double], _ original: [Float], _ noise: [Float],
    _ body: BatchCall
  ) throws(SchedulerError) -> [Float] {
    let batch = max(timesteps.count, 1)
    let count = original.count / batch
    try checkCounts([("batch of samples", original), ("noise", noise)], batch * count, operation)
    var out = [Float](repeating: 0, count: original.count)
    try call(operation) { api, scheduler, error in body(api, scheduler, count, &out, error) }
    try check(out, operation, inputs: [("batch of samples", original), ("noise", noise)])
    return out
  }

  private func checkCounts(
    _ inputs: [(name: String, values: [Float])], _ expected: Int, _ operation: String
  ) throws(SchedulerError) {
    for input in inputs where input.values.count != expected {
      throw .counts(
        scheduler: className, operation: operation, input: input.name, expected: expected,
        found: input.values.count)
    }
  }

  /// Names the scheduler only if what it was given was finite.
  private func check(
    _ result: [Float], _ operation: String, inputs: [(name: String, values: [Float])]
  ) throws(SchedulerError) {
    guard let index = result.firstIndex(where: { !$0.isFinite }) else { return }
    for input in inputs {
      if let index = input.values.firstIndex(where: { !$0.isFinite }) {
        throw .inputNotFinite(
          scheduler: className, operation: operation, input: input.name, index: index)
      }
    }
    throw .notFinite(
      scheduler: className, operation: operation, index: index, value: "\(result[index])")
  }
}
