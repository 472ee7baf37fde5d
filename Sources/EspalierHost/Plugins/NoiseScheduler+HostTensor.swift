public import EspalierTensors

/// The work on samples, for float32 tensors; results have the sample's shape.
extension NoiseScheduler {
  /// See `scaleModelInput(call:sample:)`.
  public func scaleModelInput(
    call index: Int, sample: HostTensor
  ) throws(SchedulerError) -> HostTensor {
    HostTensor(try scaleModelInput(call: index, sample: floats(sample)), shape: sample.shape)
  }

  /// The next sample; see `step(call:modelOutput:sample:noise:predictsOriginal:)`.
  public func step(
    call index: Int, modelOutput: HostTensor, sample: HostTensor, noise: HostTensor? = nil
  ) throws(SchedulerError) -> HostTensor {
    let output = try step(
      call: index, modelOutput: floats(modelOutput), sample: floats(sample),
      noise: noise.map(floats))
    return HostTensor(output.previousSample, shape: sample.shape)
  }

  /// See `addNoise(timesteps:original:noise:)`; the first axis is the batch.
  public func addNoise(
    timesteps: [Double], original: HostTensor, noise: HostTensor
  ) throws(SchedulerError) -> HostTensor {
    let noisy = try addNoise(
      timesteps: timesteps, original: floats(original), noise: floats(noise))
    return HostTensor(noisy, shape: original.shape)
  }

  /// See `trainingTarget(timesteps:original:noise:)`; the first axis is the batch.
  public func trainingTarget(
    timesteps: [Double], original: HostTensor, noise: HostTensor
  ) throws(SchedulerError) -> HostTensor {
    let target = try trainingTarget(
      timesteps: timesteps, original: floats(original), noise: floats(noise))
    return HostTensor(target, shape: original.shape)
  }

  private func floats(_ tensor: HostTensor) -> [Float] { tensor.withFloats { Array($0) } }
}
