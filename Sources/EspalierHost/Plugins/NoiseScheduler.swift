import EspalierABI
public import EspalierText
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
  /// What the short name and the user's options replaced in the configuration.
  public let replaced: [JSONMember]
  private let api: UnsafePointer<esp_scheduler_api>
  private let scheduler: OpaquePointer
  /// Guards the scheduler; the model calls of the schedule, 0 before there is one.
  private let lock = Mutex(0)

  /// - Parameters:
  ///   - configuration: The JSON text of `scheduler_config.json`.
  ///   - replaced: Keys to set in it.
  /// - Throws: `SchedulerError.failed`, with the plugin's own words about a bad value.
  init(
    _ schedulerClass: SchedulerClass, api: UnsafePointer<esp_scheduler_api>, configuration: String,
    replacing replaced: [JSONMember] = []
  ) throws(SchedulerError) {
    self.replaced = replaced
    let configuration = try Self.text(
      configuration, replacing: replaced, of: schedulerClass.className)
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
  ///
  /// - Throws: `SchedulerError`, also for a schedule that cannot be: too few or too many model calls,
  ///   numbers that are not finite.
  public func setTimesteps(_ inferenceSteps: Int) throws(SchedulerError) {
    lock.withLock { $0 = 0 }
    try call("plan \(inferenceSteps) steps") { api, scheduler, error in
      api.set_timesteps(scheduler, Int32(clamping: inferenceSteps), error)
    }
    let steps = max(inferenceSteps, 1)
    let allowed = steps...steps * Self.mostCallsOfStep
    let count = lock.withLock { _ in Int(api.pointee.call_count(scheduler)) }
    guard allowed.contains(count) else {
      throw .callCount(
        scheduler: className, steps: inferenceSteps, found: count, allowed: allowed)
    }
    lock.withLock { $0 = count }
    let schedule =
      timesteps.enumerated().map { ("timestep \($0)", $1) } + [("init_noise_sigma", initNoiseSigma)]
    for (what, value) in schedule where !value.isFinite {
      throw .scheduleNotFinite(
        scheduler: className, steps: inferenceSteps, what: what, value: "\(value)")
    }
  }

  /// No method calls the model more often in a step.
  private static let mostCallsOfStep = 32

  /// The model calls of one generation, more than the steps where a step calls the model twice; 0 before
  /// `setTimesteps`.
  public var callCount: Int { lock.withLock { $0 } }

  /// The timestep of every model call, in order.
  public var timesteps: [Double] {
    lock.withLock { count in
      (0..<UInt32(clamping: count)).map { api.pointee.timestep(scheduler, $0) }
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

  /// A configuration in which keys are replaced; unchanged if there are none.
  private static func text(
    _ configuration: String, replacing replaced: [JSONMember], of scheduler: String
  ) throws(SchedulerError) -> String {
    guard !replaced.isEmpty else { return configuration }
    do throws(JSONSyntaxError) {
      let value = try JSONValue(parsing: configuration.utf8)
      guard let members = value.members else {
        throw JSONSyntaxError(offset: 0, expected: "an object", found: value.kind)
      }
      return JSONWriter.compact(.object(members.replacing(replaced)))
    } catch {
      throw .configuration(scheduler: scheduler, detail: error.description)
    }
  }

  /// True if the plugin can say what a model should predict.
  public var offersTrainingTarget: Bool { api.pointee.training_target != nil }
}
