public import EspalierTensors
import Foundation

/// The distribution of latents that the VAE's encoder gives for a picture.
///
/// Source: Diffusers `models/autoencoders/vae.py`, `DiagonalGaussianDistribution`.
public struct DiagonalGaussianDistribution: Sendable {
  /// The mean, f32 `[B, h, w, C]`.
  public let mean: HostTensor
  /// The logarithm of the variance, clamped to −30…20, f32 `[B, h, w, C]`.
  public let logvar: HostTensor

  /// Splits the encoder's moments.
  ///
  /// - Parameter moments: `[B, h, w, 2·C]`, of any floating type.
  /// - Precondition: The last axis is even.
  public init(moments: HostTensor) {
    precondition(moments.shape.last % 2 == 0, "moments of \(moments.shape) do not halve")
    let channels = moments.shape.last / 2
    let shape = moments.shape.withLast(channels)
    let values = moments.floats()
    var means: [Float] = []
    var logvars: [Float] = []
    means.reserveCapacity(shape.count)
    logvars.reserveCapacity(shape.count)
    for start in stride(from: 0, to: values.count, by: 2 * channels) {
      means += values[start..<start + channels]
      logvars += values[start + channels..<start + 2 * channels].lazy.map {
        $0.isNaN ? $0 : min(max($0, -30), 20)
      }
    }
    mean = HostTensor(means, shape: shape)
    logvar = HostTensor(logvars, shape: shape)
  }

  /// The standard deviation, f32 `[B, h, w, C]`.
  public var std: HostTensor {
    HostTensor(logvar.floats().map { exp(0.5 * $0) }, shape: logvar.shape)
  }

  /// A draw, `mean + std · noise`, unscaled.
  ///
  /// - Parameter noise: Standard normal f32 `[B, h, w, C]`. PyTorch draws it in the order NCHW.
  /// - Precondition: The shapes are equal.
  public func sample(noise: HostTensor) -> HostTensor {
    precondition(noise.shape == mean.shape, "noise \(noise.shape) for latents \(mean.shape)")
    let drawn = zip(mean.floats(), zip(std.floats(), noise.floats())).map { $0 + $1.0 * $1.1 }
    return HostTensor(drawn, shape: mean.shape)
  }
}

extension AutoencoderKLConfiguration {
  /// Latents as the denoiser sees them: `(latents − latents_mean) · scaling_factor / latents_std`.
  ///
  /// - Parameter latents: f32 `[B, h, w, latentChannels]` from the encoder.
  public func scaled(_ latents: HostTensor) -> HostTensor {
    mapChannels(latents) { value, mean, std in (value - mean) * Float(scalingFactor) / std }
  }

  /// Latents as the decoder wants them: `latents · latents_std / scaling_factor + latents_mean`.
  ///
  /// - Parameter latents: f32 `[B, h, w, latentChannels]` from the denoiser.
  public func unscaled(_ latents: HostTensor) -> HostTensor {
    mapChannels(latents) { value, mean, std in value * std / Float(scalingFactor) + mean }
  }

  private func mapChannels(
    _ latents: HostTensor, _ body: (Float, Float, Float) -> Float
  ) -> HostTensor {
    let channels = latents.shape.last
    precondition(channels == latentChannels, "\(latents.shape) has not \(latentChannels) channels")
    let mean = latentsMean?.map { Float($0) } ?? [Float](repeating: 0, count: channels)
    let std = latentsStd?.map { Float($0) } ?? [Float](repeating: 1, count: channels)
    let values = latents.floats().enumerated().map { index, value in
      body(value, mean[index % channels], std[index % channels])
    }
    return HostTensor(values, shape: latents.shape)
  }
}
