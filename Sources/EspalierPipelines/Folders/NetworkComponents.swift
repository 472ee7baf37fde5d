import EspalierCheckpoints
public import EspalierGraph
public import EspalierModels
public import EspalierTensors

/// The network that a component's `config.json` names, and its weights; nothing is loaded.
public struct NetworkComponent<Configuration: Sendable, Network>: Sendable {
  public let configuration: Configuration
  public let weights: ComponentWeights
  private let build: @Sendable (Scope) -> Network

  init(
    configuration: Configuration, weights: ComponentWeights,
    build: @escaping @Sendable (Scope) -> Network
  ) {
    self.configuration = configuration
    self.weights = weights
    self.build = build
  }

  /// Declares the network's parameters under the component's name.
  public func declare(in graph: GraphBuilder) -> Network { build(graph.scope(weights.name)) }
}

public typealias DenoiserComponent = NetworkComponent<any DenoiserConfiguration, any Denoiser>
public typealias TextEncoderComponent = NetworkComponent<
  any TextEncoderConfiguration, any TextEncoder
>
public typealias AutoencoderComponent = NetworkComponent<
  any AutoencoderConfiguration, any Autoencoder
>

extension DiffusionFolder {
  /// The UNet.
  ///
  /// - Parameters:
  ///   - storage: The type that the weights are converted to; nil keeps the file's.
  ///   - models: The networks that are known.
  /// - Throws: `PipelineError.missingComponent`; `ModelError` for a class that is not known or no denoiser;
  ///   `CheckpointError` for a configuration or weights that do not fit.
  public func denoiser(
    storage: DType? = nil, models: ModelRegistry = .standard
  ) throws -> DenoiserComponent {
    func component<M: Denoiser>(_ type: M.Type) throws -> DenoiserComponent {
      let (configuration, weights) = try open(.unet, as: type, storage: storage)
      return DenoiserComponent(configuration: configuration, weights: weights) {
        M($0, configuration)
      }
    }
    let json = try configuration(of: .unet)
    return try component(models.model(for: json, as: (any Denoiser.Type).self))
  }

  /// One of the text encoders; see `denoiser`.
  public func textEncoder(
    _ name: Component, storage: DType? = nil, models: ModelRegistry = .standard
  ) throws -> TextEncoderComponent {
    func component<M: TextEncoder>(_ type: M.Type) throws -> TextEncoderComponent {
      let (configuration, weights) = try open(name, as: type, storage: storage)
      return TextEncoderComponent(configuration: configuration, weights: weights) {
        M($0, configuration)
      }
    }
    let json = try configuration(of: name)
    return try component(models.model(for: json, as: (any TextEncoder.Type).self))
  }

  /// The VAE, its weights as the file has them; see `denoiser`.
  public func autoencoder(models: ModelRegistry = .standard) throws -> AutoencoderComponent {
    func component<M: Autoencoder>(_ type: M.Type) throws -> AutoencoderComponent {
      let (configuration, weights) = try open(.vae, as: type)
      return AutoencoderComponent(configuration: configuration, weights: weights) {
        M($0, configuration)
      }
    }
    let json = try configuration(of: .vae)
    return try component(models.model(for: json, as: (any Autoencoder.Type).self))
  }
}
