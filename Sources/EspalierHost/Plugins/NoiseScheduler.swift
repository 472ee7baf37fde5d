import EspalierABI
import Synchronization

/// A diffusion noise scheduler made by a scheduler plugin.
///
/// Keeps its history between `step` calls; `setTimesteps` starts anew. Everything that the plugin
/// returns is checked to be finite. Calls are serialised.
// SAFETY: `scheduler` is used only inside `lock`; `api` leads to a table that is never written.
public final class NoiseScheduler: @unchecked Sendable {
  /// Diffusers' name: `EulerDiscreteScheduler`.
  public let className: String
  /// The name for the command line: `euler`.
  public let shortName: String
  /// The plugin that made it.
  public let pluginName: String
  private let api: UnsafePointer<esp_scheduler_api>
  private let scheduler: OpaquePointer
  private let lock = Mutex(())

  /// - Parameter configuration: The JSON text of `scheduler_config.json`.
  /// - Throws: `SchedulerError.failed`, with the plugin's own words about a bad value.
  init(
    _ schedulerClass: SchedulerClass, api: UnsafePointer<esp_scheduler_api>, configuration: String
  ) throws(SchedulerError) {
    className = schedulerClass.className
    shortName = schedulerClass.shortName
    pluginName = schedulerClass.pluginName
    self.api = api
    var scheduler: OpaquePointer?
    do {
      try callPlugin { api.pointee.create(schedulerClass.className, configuration, &scheduler, $0) }
    } catch {
      throw .failed(scheduler: schedulerClass.className, operation: "be created", error)
    }
    guard let scheduler else {
      let failure = CallFailure(
        code: .internalError, message: "the plugin reported success but made no scheduler")
      throw .failed(scheduler: schedulerClass.className, operation: "be created", failure)
    }
    self.scheduler = scheduler
  }

  deinit { api.pointee.destroy(scheduler) }

  /// Prepares a generation of `inferenceSteps` steps and forgets all history.
  public func setTimesteps(_ inferenceSteps: Int) throws(SchedulerError) {
    try call("plan \(inferenceSteps) steps") { api, scheduler, error in
      api.set_timesteps(scheduler, Int32(clamping: inferenceSteps), error)
    }
  }

  /// The model calls of one generation; more than the steps where a step calls the model twice.
  public var callCount: Int { lock.withLock { _ in Int(api.pointee.call_count(scheduler)) } }

  /// The timestep of every model call, in order.
  public var timesteps: [Double] {
    lock.withLock { _ in
      (0..<api.pointee.call_count(scheduler)).map { api.pointee.timestep(scheduler, $0) }
    }
  }

  /// The standard deviation of the initial sample.
  public var initNoiseSigma: Double {
    lock.withLock { _ in api.pointee.init_noise_sigma(scheduler) }
  }

  /// The noise levels of the schedule in order of use, with the final one; empty if not offered.
  public var sigmas: [Double] {
    lock.withLock { _ in
      guard let sigmas = api.pointee.sigmas else { return [] }
      let count = Int(sigmas(scheduler, nil, 0))
      guard count <= Self.mostSigmas else { return [] }
      return [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
        initialized = min(Int(sigmas(scheduler, buffer.baseAddress, UInt32(count))), count)
      }
    }
  }

  private static let mostSigmas = 1 << 20

  /// True if the step after model call `call` needs standard normal noise of the sample's size.
  public func needsNoise(call index: Int) -> Bool {
    lock.withLock { _ in api.pointee.needs_noise(scheduler, UInt32(clamping: index)) != 0 }
  }

  /// Calls a function of the plugin that may fail, alone.
  func call(
    _ operation: @autoclosure () -> String,
    _ body: (esp_scheduler_api, OpaquePointer, UnsafeMutablePointer<esp_error>) -> Int32
  ) throws(SchedulerError) {
    let failure: CallFailure? = lock.withLock { _ in
      do throws(CallFailure) {
        try callPlugin { body(api.pointee, scheduler, $0) }
        return nil
      } catch {
        return error
      }
    }
    if let failure {
      throw .failed(scheduler: className, operation: operation(), failure)
    }
  }

  /// True if the plugin can say what a model should predict.
  public var offersTrainingTarget: Bool { api.pointee.training_target != nil }
}
