import EspalierPluginKit
import Glibc

/// The noise levels of the training timesteps and the way from a timestep to its level and back.
struct SigmaTable {
  /// σ_t for each training timestep, rising.
  let sigmas: [Float]
  private let logs: [Float]

  init(_ noise: NoiseSchedule) {
    sigmas = noise.sigmas
    logs = sigmas.map { log($0) }
  }

  var count: Int { sigmas.count }
  var lowest: Double { Double(sigmas[0]) }
  var highest: Double { Double(sigmas[sigmas.count - 1]) }

  /// σ at a timestep between the training timesteps, linear; beyond them the nearest (`numpy.interp`).
  func sigma(at timestep: Double) -> Double {
    let last = sigmas.count - 1
    if timestep <= 0 { return Double(sigmas[0]) }
    if timestep >= Double(last) { return Double(sigmas[last]) }
    let index = Int(timestep)
    let (low, high) = (Double(sigmas[index]), Double(sigmas[index + 1]))
    return (high - low) * (timestep - Double(index)) + low
  }

  /// The timestep that has this σ, between the training timesteps linear in log σ.
  func timestep(of sigma: Double) -> Double {
    let logSigma = log(max(sigma, 1e-10))
    let below = logs.lastIndex { logSigma - Double($0) >= 0 } ?? 0
    let low = min(below, logs.count - 2)
    let weight = (Double(logs[low]) - logSigma) / Double(logs[low] - logs[low + 1])
    let clipped = min(max(weight, 0), 1)
    return (1 - clipped) * Double(low) + clipped * Double(low + 1)
  }

  /// σ at a timestep of training.
  ///
  /// - Throws: `PluginError` outside 0...num_train_timesteps − 1.
  func trainedSigma(at timestep: Double) throws(PluginError) -> Float {
    let last = sigmas.count - 1
    guard timestep >= 0, timestep <= Double(last) else {
      throw .invalidArgument("timestep \(timestep) is outside 0...\(last) (num_train_timesteps)")
    }
    return Float(sigma(at: timestep))
  }
}
