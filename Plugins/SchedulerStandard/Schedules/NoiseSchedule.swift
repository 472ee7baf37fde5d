import EspalierPluginKit
import Glibc

/// The training noise schedule: ᾱ_t, the part of the signal's power left at each training timestep.
///
/// Keys: see `NoiseScheduleOptions`. Float32 where Diffusers computes in float32; products accumulate in
/// double as PyTorch's `cumprod` does on a CPU.
/// Source: Diffusers `schedulers/scheduling_euler_discrete.py` and `scheduling_ddpm.py`.
struct NoiseSchedule {
  /// ᾱ_t for t in 0..<num_train_timesteps, falling.
  let alphasCumprod: [Float]
  let betaSchedule: BetaSchedule
  private let hasTerminalAlpha: Bool

  var trainTimesteps: Int { alphasCumprod.count }

  /// - Parameter terminalAlpha: Put in the place of the last ᾱ where `rescale_betas_zero_snr` makes it
  ///   0, so that its sigma is finite; nil leaves the 0.
  init(
    _ settings: PluginSettings, _ options: NoiseScheduleOptions, terminalAlpha: Float? = nil
  ) throws(PluginError) {
    betaSchedule = try settings.value(of: options.betaSchedule)
    var betas = try Self.betas(settings, options, betaSchedule)
    var rescales = false
    if let rescale = options.rescale { rescales = try settings.value(of: rescale) }
    if rescales { betas = Self.rescaledToZeroTerminalSNR(betas) }
    var alphas = Self.cumulativeProduct(betas.map { 1 - $0 })
    hasTerminalAlpha = rescales && terminalAlpha != nil
    if rescales, let terminalAlpha { alphas[alphas.count - 1] = terminalAlpha }
    alphasCumprod = alphas
  }

  /// 2⁻²⁴, the smallest float16: what Diffusers puts in the place of a last ᾱ of 0.
  static let smallestAlpha: Float = 0x1p-24

  /// σ_t = √((1 − ᾱ_t) / ᾱ_t) for each training timestep, rising.
  var sigmas: [Float] {
    var sigmas = alphasCumprod.map { ((1 - $0) / $0).squareRoot() }
    // √(2²⁴ − 1) lies halfway between two numbers of float32; PyTorch takes the upper one, 4096.
    if hasTerminalAlpha, let alpha = alphasCumprod.last {
      sigmas[sigmas.count - 1] = 1 / alpha.squareRoot()
    }
    return sigmas
  }

  private static func betas(
    _ settings: PluginSettings, _ options: NoiseScheduleOptions, _ schedule: BetaSchedule
  ) throws(PluginError) -> [Float] {
    let count = try settings.value(of: options.trainTimesteps)
    let start = try settings.value(of: options.betaStart)
    let end = try settings.value(of: options.betaEnd)
    if let trained = try settings.value(of: options.trainedBetas) {
      guard trained.count == count, trained.allSatisfy({ $0 > 0 && $0 < 1 }) else {
        throw settings.refuse(
          "trained_betas", "a list of \(trained.count) numbers",
          "\(count) numbers (num_train_timesteps) between 0 and 1")
      }
      return trained.map { Float($0) }
    }
    return schedule.betas(count, from: start, to: end)
  }

  /// Shifts and scales √ᾱ so that the last one is 0 and the first one stays.
  ///
  /// Source: "Common Diffusion Noise Schedules and Sample Steps are Flawed", algorithm 1.
  private static func rescaledToZeroTerminalSNR(_ betas: [Float]) -> [Float] {
    let roots = cumulativeProduct(betas.map { 1 - $0 }).map { $0.squareRoot() }
    let (first, last) = (roots[0], roots[roots.count - 1])
    let scale = first / (first - last)
    let alphaBars = roots.map { root in
      let moved = (root - last) * scale
      return moved * moved
    }
    return alphaBars.indices.map { index in
      1 - (index == 0 ? alphaBars[0] : alphaBars[index] / alphaBars[index - 1])
    }
  }

  private static func cumulativeProduct(_ values: [Float]) -> [Float] {
    var product = 1.0
    return values.map { value in
      product *= Double(value)
      return Float(product)
    }
  }
}

/// The keys of a noise schedule, with the defaults of one scheduler class.
struct NoiseScheduleOptions: Sendable {
  let trainTimesteps = PluginOption.int(
    "num_train_timesteps", default: 1000, in: 2...1_000_000,
    "Steps of the noise schedule that the model was trained with")
  let betaStart, betaEnd: PluginOption<Double>
  let betaSchedule: PluginOption<BetaSchedule>
  let trainedBetas = PluginOption.numbers(
    "trained_betas", "The noise of every training step, in place of beta_start to beta_schedule")
  /// Nil for a class that has no such key.
  let rescale: PluginOption<Bool>?

  init(
    betaStart: Double = 0.0001, betaEnd: Double = 0.02, schedule: BetaSchedule = .linear,
    rescales: Bool
  ) {
    let isBetweenZeroAndOne: @Sendable (Double) -> Bool = { $0 > 0 && $0 < 1 }
    let range = "a number between 0 and 1"
    self.betaStart = .number(
      "beta_start", default: betaStart, where: isBetweenZeroAndOne, range,
      "Noise of the first training step")
    self.betaEnd = .number(
      "beta_end", default: betaEnd, where: isBetweenZeroAndOne, range,
      "Noise of the last training step")
    betaSchedule = .choice(
      "beta_schedule", default: schedule, "How the noise grows between the two")
    rescale =
      rescales
      ? .bool(
        "rescale_betas_zero_snr", default: false,
        "Lets the last training step be pure noise, for models trained so") : nil
  }

  var all: [any DescribedOption] {
    let always: [any DescribedOption] = [
      trainTimesteps, betaStart, betaEnd, betaSchedule, trainedBetas,
    ]
    return rescale.map { always + [$0] } ?? always
  }
}
