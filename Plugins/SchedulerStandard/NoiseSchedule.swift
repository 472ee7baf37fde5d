import EspalierPluginKit
import Glibc

/// The training noise schedule: ᾱ_t, the part of the signal's power left at each training timestep.
///
/// Keys: `num_train_timesteps`, `beta_start`, `beta_end`, `beta_schedule`, `trained_betas`,
/// `rescale_betas_zero_snr`. Float32 where Diffusers computes in float32; products accumulate in double
/// as PyTorch's `cumprod` does on a CPU.
/// Source: Diffusers `schedulers/scheduling_euler_discrete.py` and `scheduling_ddpm.py`.
struct NoiseSchedule {
  /// ᾱ_t for t in 0..<num_train_timesteps, falling.
  let alphasCumprod: [Float]

  var trainTimesteps: Int { alphasCumprod.count }

  enum BetaSchedule: String, CaseIterable {
    case linear
    case scaledLinear = "scaled_linear"
    case squaredcosCapV2 = "squaredcos_cap_v2"
  }

  /// - Parameter terminalAlpha: Put in the place of the last ᾱ where `rescale_betas_zero_snr` makes it
  ///   0, so that its sigma is finite; nil leaves the 0.
  init(_ settings: PluginSettings, terminalAlpha: Float?) throws(PluginError) {
    var betas = try Self.betas(settings)
    let rescales = try settings.bool("rescale_betas_zero_snr", default: false)
    if rescales { betas = Self.rescaledToZeroTerminalSNR(betas) }
    var alphas = Self.cumulativeProduct(betas.map { 1 - $0 })
    if rescales, let terminalAlpha { alphas[alphas.count - 1] = terminalAlpha }
    alphasCumprod = alphas
  }

  /// σ_t = √((1 − ᾱ_t) / ᾱ_t) for each training timestep, rising.
  var sigmas: [Float] { alphasCumprod.map { ((1 - $0) / $0).squareRoot() } }

  private static func betas(_ settings: PluginSettings) throws(PluginError) -> [Float] {
    let count = try settings.int("num_train_timesteps", default: 1000, in: 2...1_000_000)
    let range = "a number between 0 and 1"
    let start = try settings.double(
      "beta_start", default: 0.0001, where: { $0 > 0 && $0 < 1 }, range)
    let end = try settings.double("beta_end", default: 0.02, where: { $0 > 0 && $0 < 1 }, range)
    let schedule = try settings.choice("beta_schedule", default: BetaSchedule.linear)
    if let trained = try settings.optionalDoubles("trained_betas") {
      guard trained.count == count, trained.allSatisfy({ $0 > 0 && $0 < 1 }) else {
        throw settings.refuse(
          "trained_betas", "a list of \(trained.count) numbers",
          "\(count) numbers (num_train_timesteps) between 0 and 1")
      }
      return trained.map { Float($0) }
    }
    switch schedule {
    case .linear:
      return evenlySpaced(Float(start), Float(end), count)
    case .scaledLinear:
      return evenlySpaced(Float(start.squareRoot()), Float(end.squareRoot()), count).map { $0 * $0 }
    case .squaredcosCapV2:
      return (0..<count).map { index in
        let now = cosineAlphaBar(Double(index) / Double(count))
        let next = cosineAlphaBar(Double(index + 1) / Double(count))
        return Float(min(1 - next / now, 0.999))
      }
    }
  }

  private static func cosineAlphaBar(_ time: Double) -> Double {
    let cosine = cos((time + 0.008) / 1.008 * Double.pi / 2)
    return cosine * cosine
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
