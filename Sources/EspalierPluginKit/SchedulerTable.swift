import EspalierABI

/// The scheduler functions of the boundary over the library's `NoiseSchedulerPlugin` classes.
func schedulerTable() -> esp_scheduler_api {
  esp_scheduler_api(
    struct_size: UInt32(MemoryLayout<esp_scheduler_api>.size), flags: 0,
    class_count: { Registered.schedulers?.count ?? 0 },
    class_at: { Registered.schedulers?.table(at: $0) },
    create: { name, config, out, error in
      guardCall(error) {
        out.pointee = nil
        let scheduler = try Registered.schedulers?.create(
          String(cString: name), config: String(cString: config))
        out.pointee = scheduler.map(Handle.create)
      }
    },
    destroy: { Handle.destroy($0, as: SchedulerBox.self) },
    set_timesteps: { handle, steps, error in
      guardCall(error) { try box(handle).setTimesteps(Int(steps)) }
    },
    call_count: { UInt32(clamping: box($0).scheduler.callCount) },
    timestep: { handle, call in
      let scheduler = box(handle).scheduler
      return call < scheduler.callCount ? scheduler.timestep(call: Int(call)) : .nan
    },
    init_noise_sigma: { box($0).scheduler.initNoiseSigma },
    scale_model_input: { handle, call, sample, out, count, error in
      guardCall(error) {
        try box(handle).scaleModelInput(
          call: call, sample: UnsafeBufferPointer(start: sample, count: count), into: out)
      }
    },
    needs_noise: { handle, call in
      let scheduler = box(handle).scheduler
      return call < scheduler.callCount && scheduler.needsNoise(call: Int(call)) ? 1 : 0
    },
    step: { handle, call, modelOutput, sample, noise, previous, original, count, error in
      guardCall(error) {
        try box(handle).step(
          SchedulerStep(
            call: Int(call), modelOutput: UnsafeBufferPointer(start: modelOutput, count: count),
            sample: UnsafeBufferPointer(start: sample, count: count),
            noise: UnsafeBufferPointer(start: noise, count: noise == nil ? 0 : count),
            previousSample: UnsafeMutableBufferPointer(start: previous, count: count),
            predictedOriginal: original.map { UnsafeMutableBufferPointer(start: $0, count: count) }
          ))
      }
    },
    add_noise: { handle, timesteps, batch, count, original, noise, noisy, error in
      guardCall(error) {
        let scheduler = box(handle).scheduler
        try mix(timesteps, batch, count, original, noise, noisy) { timestep throws(PluginError) in
          try scheduler.noiseWeights(at: timestep)
        }
      }
    },
    training_target: { handle, timesteps, batch, count, original, noise, target, error in
      guardCall(error) {
        let scheduler = box(handle).scheduler
        try mix(timesteps, batch, count, original, noise, target) { timestep throws(PluginError) in
          try scheduler.targetWeights(at: timestep)
        }
      }
    },
    sigmas: { handle, out, capacity in
      let sigmas = box(handle).scheduler.sigmas
      if let out {
        for (index, sigma) in sigmas.prefix(Int(capacity)).enumerated() { out[index] = sigma }
      }
      return UInt32(clamping: sigmas.count)
    })
}

/// A scheduler behind an `esp_scheduler *`, with the checks that every scheduler needs.
final class SchedulerBox {
  let scheduler: any NoiseSchedulerPlugin
  /// The call that `step` must come with; nil right after `setTimesteps`.
  private var nextCall: Int?

  init(_ scheduler: any NoiseSchedulerPlugin) { self.scheduler = scheduler }

  func setTimesteps(_ inferenceSteps: Int) throws(PluginError) {
    guard inferenceSteps > 0 else {
      throw .invalidArgument("num_inference_steps is \(inferenceSteps); allowed: 1 or more")
    }
    nextCall = nil
    try scheduler.setTimesteps(inferenceSteps)
  }

  func scaleModelInput(
    call: UInt32, sample: UnsafeBufferPointer<Float>, into out: UnsafeMutablePointer<Float>
  ) throws(PluginError) {
    try check(call: Int(call))
    let divisor = scheduler.modelInputDivisor(call: Int(call))
    for index in sample.indices { out[index] = sample[index] / divisor }
  }

  func step(_ step: SchedulerStep) throws(PluginError) {
    try check(call: step.call)
    if let nextCall, step.call != nextCall {
      throw .invalidArgument("scheduler step: call \(step.call) came where \(nextCall) is due")
    }
    if scheduler.needsNoise(call: step.call), step.noise.count != step.count {
      throw .invalidArgument("scheduler step: call \(step.call) needs noise and got none")
    }
    try scheduler.step(step)
    nextCall = step.call + 1
  }

  private func check(call: Int) throws(PluginError) {
    guard call < scheduler.callCount else {
      throw .invalidArgument(
        "scheduler: call \(call) is outside the schedule of \(scheduler.callCount) calls; "
          + "set_timesteps comes first")
    }
  }
}

private func box(_ handle: OpaquePointer) -> SchedulerBox { Handle.object(handle) }

/// `out = signal(t) · original + noise(t) · noise` for each sample of a batch.
private func mix(
  _ timesteps: UnsafePointer<Double>, _ batch: Int, _ count: Int, _ original: UnsafePointer<Float>,
  _ noise: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>,
  weights: (Double) throws(PluginError) -> NoiseWeights
) throws(PluginError) {
  guard !batch.multipliedReportingOverflow(by: count).overflow else {
    throw .invalidArgument("scheduler: \(batch) samples of \(count) values are too many")
  }
  for sample in 0..<batch {
    let weight = try weights(timesteps[sample])
    for index in sample * count..<(sample + 1) * count {
      out[index] = weight.signal * original[index] + weight.noise * noise[index]
    }
  }
}
