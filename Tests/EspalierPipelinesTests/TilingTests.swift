import EspalierCheckpoints
import EspalierGraph
import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors
import TestSupport
import Testing

extension Pipelines {
  /// A VAE in bands of rows against the whole: trained weights, all sizes, both directions.
  @Suite("VAE in bands", .onEveryBackend) struct TilingTests {
    static let models =
      [Fixtures.path("tiny-sdxl")]
      + (Fixtures.isFullSize ? [] : [Fixtures.project + "/Sources/EspalierDemo/BaseModel"])
    static let latentSizes =
      Fixtures.isFullSize ? [(64, 64), (128, 128)] : [(8, 8), (7, 5), (3, 16)]
    static let pixelSizes = Fixtures.isFullSize ? [(512, 512)] : [(64, 64), (72, 48), (57, 83)]

    /// Small enough that even small pictures are cut into many bands; those of the program at full size.
    private var limits: AutoencoderProgram.Limits {
      var limits = AutoencoderProgram.Limits()
      if Fixtures.isFullSize { return limits }
      limits.bandBytes = 1
      limits.wholeMapBytes = 1 << 12
      return limits
    }

    private func random(_ shape: Shape, seed: Int) -> HostTensor {
      var generator = TorchGenerator(seed: seed)
      return HostTensor(generator.randn(shape.count), shape: shape)
    }

    private func vae(_ path: String) throws -> AutoencoderComponent {
      try DiffusionFolder(path: path).autoencoder()
    }

    @Test(arguments: models, latentSizes)
    func `decodes the same picture`(path: String, size: (Int, Int)) throws {
      let vae = try vae(path)
      let device = try TestModel.device()
      let latents = random([1, size.0, size.1, 4], seed: size.0)
      func decoded(_ tiling: VAETiling) throws -> HostTensor {
        let program = AutoencoderProgram(
          .decode, vae, height: size.0, width: size.1, device: device, limits: limits)
        let decoder = try LatentDecoder(program, vae, device: device, tiling: tiling)
        #expect(decoder.isTiled == (tiling == .on))
        return try decoder(latents)
      }
      // 2 of 255 would be invisible; rounding alone is far below.
      expectClose(try decoded(.on), try decoded(.off), absolute: 1e-4)
    }

    @Test(arguments: models, pixelSizes)
    func `encodes to the same latents`(path: String, size: (Int, Int)) throws {
      let vae = try vae(path)
      let device = try TestModel.device()
      let pixels = random([1, size.0, size.1, 3], seed: size.1)
      func encoded(_ tiling: VAETiling) throws -> DiagonalGaussianDistribution {
        let program = AutoencoderProgram(
          .encode, vae, height: size.0, width: size.1, device: device, limits: limits)
        let encoder = try LatentEncoder(program, vae, device: device, tiling: tiling)
        #expect(encoder.isTiled == (tiling == .on))
        return try encoder(pixels)
      }
      let (tiled, whole) = (try encoded(.on), try encoded(.off))
      expectClose(tiled.mean, whole.mean, relativeL2: 1e-5)
      expectClose(tiled.std, whole.std, relativeL2: 1e-5)
    }

    /// Bands of an even and an odd number of rows, and none that is left over.
    @Test(arguments: [1, 2, 3, 5, 8, 64])
    func `does not depend on where the bands are cut`(rows: Int) throws {
      let vae = try vae(Self.models[0])
      let device = try TestModel.device()
      let latents = random([1, 6, 6, 4], seed: 1)
      var limits = limits
      // The widest band of this model is some 50 floats for each pixel of a row of 48.
      limits.bandBytes = rows * 48 * 50 * 4
      func decoded(_ tiling: VAETiling) throws -> HostTensor {
        let program = AutoencoderProgram(
          .decode, vae, height: 6, width: 6, device: device, limits: limits)
        return try LatentDecoder(program, vae, device: device, tiling: tiling)(latents)
      }
      expectClose(try decoded(.on), try decoded(.off), absolute: 1e-4)
    }

    @Test func `needs less memory, and its plan says how much`() throws {
      let vae = try vae(Self.models[0])
      let device = try TestModel.device()
      for (direction, side) in [(AutoencoderProgram.Direction.decode, 64), (.encode, 512)] {
        var limits = limits
        limits.bandBytes = 1 << 18
        let program = AutoencoderProgram(
          direction, vae, height: side, width: side, device: device, limits: limits)
        let (tiled, whole) = (try program.plan(.on), try program.plan(.off))
        #expect(tiled.isBanded && !whole.isBanded)
        #expect(tiled.memory.resident * 4 < whole.memory.resident * 3)
        let operations = tiled.work.reduce(0) {
          $0 + $1.plan.program.cost.floatingPointOperations * Double($1.runs)
        }
        let once = whole.work.reduce(0) { $0 + $1.plan.program.cost.floatingPointOperations }
        // Rows where bands meet are computed twice, and the map behind the last upsampling too.
        #expect(operations > once && operations < 2.5 * once)
      }
    }

    @Test func `is chosen by size alone where there is room`() throws {
      let vae = try vae(Self.models[0])
      let device = try TestModel.device()
      let small = AutoencoderProgram(.decode, vae, height: 8, width: 8, device: device)
      #expect(try !small.plan(.auto).isBanded)
      let large = AutoencoderProgram(.decode, vae, height: 1024, width: 1024, device: device)
      #expect(try large.plan(.auto).isBanded)
    }

    @Test func `statistics of parts are those of the whole`() {
      let values = (0..<40).map { 1000 + 3 * Double($0 * 7 % 11) }
      func moments(_ part: ArraySlice<Double>) -> (mean: Double, variance: Double) {
        let mean = part.reduce(0, +) / Double(part.count)
        return (mean, part.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(part.count))
      }
      var sum = GroupMoments()
      for part in [values[0..<3], values[3..<4], values[4..<40]] {
        let (mean, variance) = moments(part)
        sum.add(
          count: Double(part.count), mean: mean,
          reciprocalDeviation: 1 / (variance + 1e-6).squareRoot(), epsilon: 1e-6)
      }
      let whole = moments(values[...])
      #expect(abs(sum.mean - whole.mean) < 1e-9)
      let expected = 1 / (whole.variance + 1e-6).squareRoot()
      #expect(abs(sum.reciprocalDeviation(epsilon: 1e-6) / expected - 1) < 1e-9)
    }
  }
}
