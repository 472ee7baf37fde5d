import EspalierCheckpoints
public import EspalierHost
public import EspalierModels
public import EspalierTensors

/// The VAE's decoder for pictures of one size, one at a time, which keeps the memory low.
public final class LatentDecoder {
  private let configuration: any AutoencoderConfiguration
  private let run: AutoencoderRun

  /// - Parameters:
  ///   - vae: The network and its weights.
  ///   - height: Of the latents, as `width`.
  /// - Throws: `GraphError`, `BackendError`; `CheckpointError` if a weight is not finite; `PipelineError.component` if
  ///   the network cannot be tiled and is to be.
  public convenience init(
    _ vae: AutoencoderComponent, height: Int, width: Int, device: ComputeDevice,
    tiling: VAETiling = .auto, arenas: ArenaPool? = nil
  ) throws {
    let program = AutoencoderProgram(.decode, vae, height: height, width: width, device: device)
    try self.init(program, vae, device: device, tiling: tiling, arenas: arenas)
  }

  package init(
    _ program: AutoencoderProgram, _ vae: AutoencoderComponent, device: ComputeDevice,
    tiling: VAETiling, arenas: ArenaPool? = nil
  ) throws {
    configuration = vae.configuration
    run = try AutoencoderRun(program, vae, tiling: tiling, device: device, arenas: arenas)
  }

  /// True if it works on bands of rows.
  public var isTiled: Bool { run.isBanded }

  /// Decodes one picture.
  ///
  /// - Parameter latents: As the UNet leaves them, f32 `[1, h, w, C]`.
  /// - Returns: f32 `[H, W, 3]`, clamped to 0…1.
  /// - Throws: `BackendError`; `PipelineError.notFinite`, so that no picture comes out black; `.cancelled`.
  public func callAsFunction(
    _ latents: HostTensor, profile: ExecutionProfile? = nil
  ) throws -> HostTensor {
    let pixels = try run(configuration.unscaled(latents), profile: profile)
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
  private let run: AutoencoderRun

  /// - Parameters:
  ///   - vae: The network and its weights.
  ///   - height: Of the pictures in pixels, as `width`.
  /// - Throws: As `LatentDecoder.init`.
  public convenience init(
    _ vae: AutoencoderComponent, height: Int, width: Int, device: ComputeDevice,
    tiling: VAETiling = .auto, arenas: ArenaPool? = nil
  ) throws {
    let program = AutoencoderProgram(.encode, vae, height: height, width: width, device: device)
    try self.init(program, vae, device: device, tiling: tiling, arenas: arenas)
  }

  package init(
    _ program: AutoencoderProgram, _ vae: AutoencoderComponent, device: ComputeDevice,
    tiling: VAETiling, arenas: ArenaPool? = nil
  ) throws {
    run = try AutoencoderRun(program, vae, tiling: tiling, device: device, arenas: arenas)
  }

  /// True if it works on bands of rows.
  public var isTiled: Bool { run.isBanded }

  /// What encoding pictures takes; nothing is loaded.
  ///
  /// - Parameter runs: How many.
  /// - Throws: As `init`.
  public static func phase(
    _ vae: AutoencoderComponent, height: Int, width: Int, device: ComputeDevice,
    tiling: VAETiling, runs: Int
  ) throws -> PlannedPhase {
    let plan = try AutoencoderProgram(
      .encode, vae, height: height, width: width, device: device
    ).plan(tiling, runs: runs)
    return PlannedPhase(
      plan.isBanded ? "VAE encoding, tiled" : "VAE encoding",
      subject: AutoencoderProgram.Direction.encode.subject, memory: plan.memory, work: plan.work)
  }

  /// Encodes one picture.
  ///
  /// - Parameter pixels: f32 `[1, H, W, 3]` in −1…1.
  /// - Returns: The distribution of the latents, unscaled; see `AutoencoderConfiguration.scaled`.
  /// - Throws: `BackendError`; `PipelineError.notFinite`, `.cancelled`.
  public func callAsFunction(
    _ pixels: HostTensor, profile: ExecutionProfile? = nil
  ) throws -> DiagonalGaussianDistribution {
    let moments = try run(pixels, profile: profile)
    guard moments.firstNonFinite() == nil else {
      throw PipelineError.notFinite(
        component: "VAE", hint: "try another VAE with --pretrained_vae_model_name_or_path")
    }
    return DiagonalGaussianDistribution(moments: moments)
  }
}
