public import EspalierGraph

/// The variational autoencoder between pictures and latents.
///
/// Checkpoint keys: `encoder`, `quant_conv`, `post_quant_conv`, `decoder`. A graph that encodes or
/// decodes needs the weights of that half only.
/// Source: Diffusers `models/autoencoders/autoencoder_kl.py`, `AutoencoderKL`; Rombach et al. 2022.
public struct AutoencoderKL: Autoencoder {
  public static let className = "AutoencoderKL"
  public let configuration: AutoencoderKLConfiguration
  let encoder: VAEEncoder
  let decoder: VAEDecoder
  let quantConv, postQuantConv: Conv2d?
  /// Where the parameters are declared.
  let path: String

  public init(_ scope: Scope, _ configuration: AutoencoderKLConfiguration) {
    self.configuration = configuration
    path = scope.path
    let (latent, moments) = (configuration.latentChannels, 2 * configuration.latentChannels)
    encoder = VAEEncoder(scope["encoder"], configuration)
    decoder = VAEDecoder(scope["decoder"], configuration)
    quantConv =
      configuration.useQuantConv
      ? Conv2d(scope["quant_conv"], inChannels: moments, outChannels: moments, kernel: 1) : nil
    postQuantConv =
      configuration.usePostQuantConv
      ? Conv2d(scope["post_quant_conv"], inChannels: latent, outChannels: latent, kernel: 1) : nil
  }

  /// - Parameter pixels: `[B, H, W, inChannels]` in −1…1.
  /// - Returns: The moments `[B, h, w, 2·latentChannels]`; see `DiagonalGaussianDistribution`.
  public func encode(_ pixels: Value) -> Value {
    let moments = encoder(pixels)
    return quantConv?(moments) ?? moments
  }

  /// - Parameter latents: `[B, h, w, latentChannels]`, unscaled.
  /// - Returns: Pixels `[B, H, W, outChannels]`, about −1…1.
  public func decode(_ latents: Value) -> Value {
    decoder(postQuantConv?(latents) ?? latents)
  }
}
