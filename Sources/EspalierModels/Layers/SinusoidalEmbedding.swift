public import EspalierTensors
import Foundation

/// Sinusoids of numbers, computed on the host in f32 step by step as the reference does.
public enum SinusoidalEmbedding {
  /// The embedding of timesteps, or of sizes and crop coordinates.
  ///
  /// Source: Diffusers `models/embeddings.py`, `get_timestep_embedding`.
  ///
  /// - Parameters:
  ///   - timesteps: N numbers, which may be fractional.
  ///   - dim: Features of each number; an odd one gets a zero at the end.
  ///   - flipSinToCos: Cosines before sines.
  ///   - freqShift: Subtracted from the number of frequencies when they are spaced.
  /// - Returns: f32 `[N, dim]`.
  public static func timesteps(
    _ timesteps: [Double], dim: Int, flipSinToCos: Bool, freqShift: Double
  ) -> HostTensor {
    let half = dim / 2
    let step = Float(-log(10_000.0))
    let frequencies = (0..<half).map { exp(step * Float($0) / Float(Double(half) - freqShift)) }
    return fill(timesteps.map { Float($0) }, frequencies, dim: dim, cosinesFirst: flipSinToCos)
  }

  /// The embedding of guidance scales that guidance-distilled checkpoints take.
  ///
  /// Source: Diffusers `pipeline_stable_diffusion_xl.py`, `get_guidance_scale_embedding`.
  ///
  /// - Parameters:
  ///   - scales: The guidance scale minus one of each of N samples.
  ///   - dim: `time_cond_proj_dim`.
  /// - Returns: f32 `[N, dim]`.
  public static func guidanceScales(_ scales: [Double], dim: Int) -> HostTensor {
    let half = dim / 2
    let step = Float(log(10_000.0)) / Float(half - 1)
    let frequencies = (0..<half).map { exp(Float($0) * -step) }
    return fill(scales.map { Float($0) * 1000 }, frequencies, dim: dim, cosinesFirst: false)
  }

  private static func fill(
    _ values: [Float], _ frequencies: [Float], dim: Int, cosinesFirst: Bool
  ) -> HostTensor {
    var result = [Float](repeating: 0, count: values.count * dim)
    let half = frequencies.count
    for (row, value) in values.enumerated() {
      for (k, frequency) in frequencies.enumerated() {
        let angle = value * frequency
        result[row * dim + k] = cosinesFirst ? cos(angle) : sin(angle)
        result[row * dim + half + k] = cosinesFirst ? sin(angle) : cos(angle)
      }
    }
    return HostTensor(result, shape: [values.count, dim])
  }
}
