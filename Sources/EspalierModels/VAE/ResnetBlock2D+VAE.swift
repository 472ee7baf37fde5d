import EspalierGraph

extension ResnetBlock2D {
  /// A residual block as the VAE has them: without a time embedding.
  ///
  /// Source: Diffusers `models/autoencoders/vae.py`, `resnet_eps`.
  init(
    _ scope: Scope, _ configuration: AutoencoderKLConfiguration, inChannels: Int, outChannels: Int
  ) {
    self.init(
      scope, inChannels: inChannels, outChannels: outChannels, timeEmbedDim: nil,
      groups: configuration.normNumGroups, epsilon: 1e-6)
  }
}
