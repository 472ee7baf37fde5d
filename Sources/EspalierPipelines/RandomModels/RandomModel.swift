import EspalierCheckpoints
import EspalierHost
public import EspalierModels
public import EspalierPresets
public import EspalierTensors

/// A model, or an adapter, with random weights: runs and measures like a trained one of its size.
///
/// The numbers of a parameter depend on the seed, its component and its name alone.
public struct RandomModel: Sendable {
  /// How the weights are written.
  public struct Options: Sendable {
    public var seed: UInt64
    /// f32, f16 or bf16.
    public var dtype: DType
    /// `fp16` for `diffusion_pytorch_model.fp16.safetensors`.
    public var variant: String?
    /// Most bytes of tensors in one file.
    public var maxShardSize: Int

    public init(seed: UInt64, dtype: DType, variant: String? = nil, maxShardSize: Int) {
      self.seed = seed
      self.dtype = dtype
      self.variant = variant
      self.maxShardSize = maxShardSize
    }
  }

  /// A network of the model.
  struct Component: Sendable {
    /// Its folder below the model's; empty for the model's own.
    let folder: String
    /// `diffusion_pytorch_model` or `model`.
    let baseName: String
    let parameters: [RandomWeights.Parameter]
  }

  /// A file that is not weights.
  struct File: Sendable {
    let path: String
    let bytes: [UInt8]
  }

  let components: [Component]
  let files: [File]

  /// The networks that a preset's configurations describe.
  ///
  /// - Throws: `CheckpointError`, `ModelError` for a configuration that no model here has.
  public init(_ preset: ModelPreset, models: ModelRegistry = .standard) throws {
    files = preset.paths.map { path in
      File(path: path, bytes: preset.bytes(of: path) ?? [])
    }
    let suffix = "/config.json"
    components = try preset.paths.filter { $0.hasSuffix(suffix) }.map { path in
      let json = try preset.json(path)
      return Component(
        folder: String(path.dropLast(suffix.count)),
        baseName: json.has("_class_name") ? "diffusion_pytorch_model" : "model",
        parameters: try Self.parameters(models.model(for: json), json))
    }
  }

  /// An adapter in a folder of its own.
  public init(_ adapter: T2IAdapterConfiguration) {
    files = [File(path: "config.json", bytes: Array(adapter.json.fileText.utf8))]
    components = [
      Component(
        folder: "", baseName: "diffusion_pytorch_model",
        parameters: RandomWeights.parameters(T2IAdapter.parameters(adapter)))
    ]
  }

  private static func parameters<M: Model>(
    _: M.Type, _ json: JSONObject
  ) throws -> [RandomWeights.Parameter] {
    RandomWeights.parameters(M.parameters(try M.Configuration(json)))
  }

  /// How many numbers all weights have.
  public var parameterCount: Int {
    components.reduce(0) { $1.parameters.reduce($0) { $0 + $1.shape.count } }
  }
}
