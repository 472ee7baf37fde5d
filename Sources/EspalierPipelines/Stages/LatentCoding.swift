import EspalierCheckpoints
import EspalierGraph
public import EspalierHost
public import EspalierModels
public import EspalierTensors

/// The VAE's decoder for pictures of one size, one at a time, which keeps the memory low.
public final class LatentDecoder {
  private let configuration: any AutoencoderConfiguration
  private let executable: Executable

  /// - Parameters:
  ///   - vae: The network and its weights.
  ///   - height: Of the latents, as `width`.
  /// - Throws: `GraphError`, `BackendError`; `CheckpointError` if a weight is not finite.
  public init(
    _ vae: AutoencoderComponent, height: Int, width: Int, device: ComputeDevice,
    arenas: ArenaPool? = nil
  ) throws {
    configuration = vae.configuration
    executable = try Executable(
      Self.program(vae, height: height, width: width), on: device,
      weights: DeviceWeights(device, vae.weights), arenas: arenas, name: Self.name)
  }

  /// For messages.
  static let name = "the VAE's decoder"

  static func program(
    _ vae: AutoencoderComponent, height: Int, width: Int
  ) throws -> GraphProgram {
    let graph = GraphBuilder()
    let latents = graph.input("latents", [1, height, width, vae.configuration.latentChannels])
    graph.output("pixels", vae.declare(in: graph).decode(latents))
    return try graph.lowered()
  }

  /// Decodes one picture.
  ///
  /// - Parameter latents: As the UNet leaves them, f32 `[1, h, w, C]`.
  /// - Returns: f32 `[H, W, 3]`, clamped to 0…1.
  /// - Throws: `BackendError`; `PipelineError.notFinite`, so that no picture comes out black.
  public func callAsFunction(
    _ latents: HostTensor, profile: ExecutionProfile? = nil
  ) throws -> HostTensor {
    let outputs = try executable.run(
      ["latents": configuration.unscaled(latents)], profile: profile)
    guard let pixels = outputs["pixels"] else { preconditionFailure("pixels are an output") }
    guard pixels.firstNonFinite() == nil else {
      throw PipelineError.notFinite(
        component: "VAE",
        hint: "the latents are out of its range; try --mixed_precision no, or another VAE with "
          + "--pretrained_vae_model_name_or_path")
    }
    let dims = pixels.shape.dims
    let values = pixels.floats().map { min(max($0 / 2 + 0.5, 0), 1) }
    return HostTensor(values, shape: [dims[1], dims[2], dims[3]])
  }
}

/// The VAE's encoder for pictures of one size, one at a time.
public final class LatentEncoder {
  private let executable: Executable

  /// - Parameters:
  ///   - vae: The network and its weights.
  ///   - height: Of the pictures in pixels, as `width`.
  /// - Throws: `GraphError`, `BackendError`; `CheckpointError` if a weight is not finite.
  public init(
    _ vae: AutoencoderComponent, height: Int, width: Int, device: ComputeDevice,
    arenas: ArenaPool? = nil
  ) throws {
    let graph = GraphBuilder()
    let pixels = graph.input("pixels", [1, height, width, 3])
    graph.output("moments", vae.declare(in: graph).encode(pixels))
    executable = try Executable(
      graph.lowered(), on: device, weights: DeviceWeights(device, vae.weights), arenas: arenas,
      name: "the VAE's encoder")
  }

  /// Encodes one picture.
  ///
  /// - Parameter pixels: f32 `[1, H, W, 3]` in −1…1.
  /// - Returns: The distribution of the latents, unscaled; see `AutoencoderConfiguration.scaled`.
  /// - Throws: `BackendError`; `PipelineError.notFinite`.
  public func callAsFunction(
    _ pixels: HostTensor, profile: ExecutionProfile? = nil
  ) throws -> DiagonalGaussianDistribution {
    let outputs = try executable.run(["pixels": pixels], profile: profile)
    guard let moments = outputs["moments"] else { preconditionFailure("moments are an output") }
    guard moments.firstNonFinite() == nil else {
      throw PipelineError.notFinite(
        component: "VAE", hint: "try another VAE with --pretrained_vae_model_name_or_path")
    }
    return DiagonalGaussianDistribution(moments: moments)
  }
}
