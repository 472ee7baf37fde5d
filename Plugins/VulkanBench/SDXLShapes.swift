/// The shapes of the UNet and the VAE of Stable Diffusion XL, for pictures of 1024 and of 512 pixels.
extension BenchmarkCase {
  /// Products, convolutions, attention; the large shapes first.
  static let all: [BenchmarkCase] = linearLayers + convolutionLayers + attentionLayers

  private static let linearLayers: [BenchmarkCase] = [
    products(rows: 4096, columns: 640, depth: 640),
    products(rows: 1024, columns: 1280, depth: 1280),
    products(rows: 1024, columns: 1280, depth: 5120),
    products(rows: 4096, columns: 5120, depth: 640),
    products(rows: 1024, columns: 10240, depth: 1280),
    products(rows: 256, columns: 10240, depth: 1280),
    products(rows: 77, columns: 1280, depth: 2048),
  ].flatMap { $0 }

  private static let convolutionLayers: [BenchmarkCase] = [
    convolutions(side: 128, channels: 320, filters: 320, kernel: 3),
    convolutions(side: 64, channels: 640, filters: 640, kernel: 3),
    convolutions(side: 32, channels: 1280, filters: 1280, kernel: 3),
    convolutions(side: 64, channels: 1920, filters: 640, kernel: 1),
    convolutions(side: 64, channels: 320, filters: 320, kernel: 3),
    convolutions(side: 32, channels: 640, filters: 640, kernel: 3),
    convolutions(side: 16, channels: 1280, filters: 1280, kernel: 3),
  ].flatMap { $0 }

  private static let attentionLayers: [BenchmarkCase] = [
    attentions(queries: 4096, keys: 4096, heads: 10, width: 64),
    attentions(queries: 1024, keys: 1024, heads: 20, width: 64),
    attentions(queries: 4096, keys: 77, heads: 10, width: 64),
    attentions(queries: 16384, keys: 16384, heads: 1, width: 512),
    attentions(queries: 1024, keys: 1024, heads: 10, width: 64),
    attentions(queries: 1024, keys: 1024, heads: 1, width: 512),
  ].flatMap { $0 }
}
