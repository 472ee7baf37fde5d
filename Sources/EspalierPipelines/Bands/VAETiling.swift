/// Whether the VAE works on a whole picture or on bands of rows (`--vae_tiling`).
///
/// Bands give the same picture: group norms see the whole of it, see `BandStage`. They take about half of the memory, and
/// somewhat longer, since the rows where bands meet are computed twice, and the largest map is.
public enum VAETiling: String, Sendable, CaseIterable, Codable {
  /// Bands where the whole takes more than 3 GiB or does not fit into the device.
  case auto
  case on
  case off

  /// What a whole picture may take under `auto`, in bytes.
  static let wholeByteLimit = 3 << 30
}
