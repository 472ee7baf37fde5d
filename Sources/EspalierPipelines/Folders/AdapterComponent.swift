import EspalierCheckpoints
import EspalierGraph
import EspalierHost
public import EspalierModels
public import EspalierTensors

/// A control adapter ready for generation: its configuration, its network and where its weights come from.
public struct AdapterComponent: Sendable {
  /// The folder, or what stands for it in messages.
  public let path: String
  public let configuration: any ControlAdapterConfiguration
  private let build: @Sendable (Scope) -> any ControlAdapter
  private let parameter: @Sendable (_ key: String) throws -> HostTensor
  private let parameterStorage: @Sendable (_ key: String) throws -> WeightStorage

  /// Opens an adapter's folder or file; see `AdapterSource`.
  ///
  /// - Parameters:
  ///   - storage: The type that the weights are converted to; nil keeps the file's.
  ///   - models: The adapters that are known.
  /// - Throws: `PipelineError`, `ModelError`, `CheckpointError`.
  public init(
    folder path: String, storage: DType? = nil, models: ModelRegistry = .standard
  ) throws {
    let source = try AdapterSource(path: path)
    let type = try models.model(for: source.configuration, as: (any ControlAdapter.Type).self)
    try self.init(type, source, storage)
  }

  private init<Adapter: ControlAdapter>(
    _ type: Adapter.Type, _ source: AdapterSource, _ storage: DType?
  ) throws {
    let configuration = try Adapter.Configuration(source.configuration)
    path = source.path
    self.configuration = configuration
    build = { Adapter($0, configuration) }
    let weights = ComponentWeights(
      name: "adapter", checkpoint: source.checkpoint, map: configuration.keyMap, storage: storage)
    try weights.report(of: Adapter.self, configuration).check()
    parameter = { try weights.tensor(key: $0) }
    parameterStorage = { try weights.storage(key: $0) }
  }

  /// An adapter whose weights are in memory, such as one in training; to plan with, they may be left out.
  ///
  /// - Parameters:
  ///   - name: What stands for the folder in messages.
  ///   - parameters: All parameters by checkpoint key.
  public init<Adapter: ControlAdapter>(
    _: Adapter.Type, _ configuration: Adapter.Configuration, name: String,
    parameters: [String: HostTensor]
  ) {
    path = name
    self.configuration = configuration
    build = { Adapter($0, configuration) }
    parameter = { key in
      guard let tensor = parameters[key] else {
        throw CheckpointError.missingTensor(path: name, tensor: key, near: [])
      }
      return tensor
    }
    parameterStorage = { _ in WeightStorage(dtype: .float32, isMapped: false) }
  }

  /// Declares the adapter's parameters under `scope`.
  func declare(_ scope: Scope) -> any ControlAdapter { build(scope) }

  /// The tensor of a checkpoint key.
  func tensor(key: String) throws -> HostTensor { try parameter(key) }

  /// How the tensor of a checkpoint key is stored.
  func storage(key: String) throws -> WeightStorage { try parameterStorage(key) }

  /// Refuses an adapter whose feature maps are not the UNet's.
  ///
  /// - Parameter latentScale: Pixels per latent along a side.
  /// - Throws: `PipelineError.component`.
  public func check(
    against unet: any DenoiserConfiguration, latentScale: Int
  ) throws(PipelineError) {
    func refused(_ expected: String, _ found: String, _ hint: String) -> PipelineError {
      .component("adapter", path: path, expected: expected, found: found, hint: hint)
    }
    guard configuration.inChannels == 1 || configuration.inChannels == 3 else {
      throw refused(
        "in_channels 1 or 3", "\(configuration.inChannels)", "control images are gray or RGB")
    }
    let side = leastCommonMultiple(
      configuration.totalDownscaleFactor, latentScale * Self.roundFreeLatents)
    let found = configuration.featureShapes(batch: 1, height: side, width: side)
    let expected = unet.adapterFeatureShapes(
      batch: 1, height: side / latentScale, width: side / latentScale)
    guard found.count <= expected.count, zip(found, expected).allSatisfy({ $0 == $1 }) else {
      let factor = configuration.downscaleFactor
      throw refused(
        "feature maps \(expected.map(\.description).joined(separator: " ")) for an image of "
          + "\(side) × \(side)",
        found.map(\.description).joined(separator: " "),
        factor < 2 * latentScale
          ? "its downscale factor is \(factor): an adapter for SD 1.5; SDXL's have 16"
          : "it was made for a UNet with other channels")
    }
  }

  /// Sides of latents that no UNet here rounds when it halves them.
  private static let roundFreeLatents = 64
}
