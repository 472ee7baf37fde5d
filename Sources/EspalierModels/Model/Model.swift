public import EspalierCheckpoints
public import EspalierGraph
public import EspalierTensors

/// A network: reads its configuration, declares parameters by checkpoint key, and emits graph
/// values when called.
///
/// The models of this module are Diffusers' and Transformers'. Other packages add theirs by
/// conforming to one of the roles (`Denoiser`, `TextEncoder`, `Autoencoder`, `ControlAdapter`) and
/// registering in a `ModelRegistry`.
public protocol Model: SendableMetatype {
  associatedtype Configuration: ModelConfiguration

  /// The name in `config.json`: `_class_name` (Diffusers) or an entry of `architectures`
  /// (Transformers).
  static var className: String { get }

  var configuration: Configuration { get }

  /// Declares the parameters under `scope`; nothing is allocated.
  init(_ scope: Scope, _ configuration: Configuration)
}

/// The contents of a model's `config.json`.
public protocol ModelConfiguration: Sendable {
  /// Reads the keys that the model needs, with the reference's defaults.
  ///
  /// - Throws: `CheckpointError.configuration` with the key, what is supported and what was found.
  init(_ json: JSONObject) throws(CheckpointError)

  /// How checkpoints spell the model's keys.
  var keyMap: KeyMap { get }

  /// How the files of the model's authors name the tensors; empty if they are not known.
  var originalNames: OriginalNames { get }
}

extension ModelConfiguration {
  public var keyMap: KeyMap { KeyMap() }

  public var originalNames: OriginalNames { OriginalNames() }
}

extension Model {
  /// Reads the configuration and declares the parameters under `scope`.
  ///
  /// - Throws: `CheckpointError.configuration`.
  public init(_ scope: Scope, json: JSONObject) throws(CheckpointError) {
    self.init(scope, try Configuration(json))
  }

  /// The weights in a component's folder, known to fit the configuration exactly.
  ///
  /// - Parameter variant: Such as `fp16`, the part of the file names that tells one set of weights.
  /// - Throws: `CheckpointError.mismatch` with a report, and what `Checkpoint` throws.
  public static func weights(
    folder: String, _ configuration: Configuration, variant: String? = nil
  ) throws(CheckpointError) -> CheckpointView {
    let view = try Checkpoint(folder: folder, variant: variant).view(configuration.keyMap)
    try LoadReport(model: className, required: parameters(configuration), checkpoint: view).check()
    return view
  }

  /// The checkpoint keys and shapes of all parameters in the order of their declaration; nothing is
  /// run.
  public static func parameters(
    _ configuration: Configuration
  ) -> [(key: String, shape: Shape)] {
    let graph = GraphBuilder()
    let scope = graph.scope("model")
    _ = Self(scope, configuration)
    let shapes = graph.parameterShapes
    return graph.parameterPaths.compactMap { path in
      shapes[path].map { (String(path.dropFirst(scope.path.count + 1)), $0) }
    }
  }
}
