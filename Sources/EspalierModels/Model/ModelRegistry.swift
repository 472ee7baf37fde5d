public import EspalierCheckpoints

/// The models that can be made from a `config.json`, by class name.
public struct ModelRegistry: Sendable {
  private var models: [String: any Model.Type] = [:]

  /// A registry without models.
  public init() {}

  /// The models of this module.
  public static let standard: ModelRegistry = {
    var registry = ModelRegistry()
    registry.register(UNet2DConditionModel.self)
    registry.register(AutoencoderKL.self)
    registry.register(CLIPTextModel.self)
    registry.register(CLIPTextModelWithProjection.self)
    registry.register(T2IAdapter.self)
    return registry
  }()

  /// The class names, sorted.
  public var classNames: [String] { models.keys.sorted() }

  /// Adds a model under its class name, in place of an earlier one of that name.
  public mutating func register(_ model: any Model.Type) { models[model.className] = model }

  /// The model that a configuration names.
  ///
  /// - Throws: `ModelError.unknownClass`.
  public func model(for json: JSONObject) throws(ModelError) -> any Model.Type {
    guard let name = json.className, let model = models[name] else {
      throw .unknownClass(path: json.path, found: json.className, known: classNames)
    }
    return model
  }

  /// The model that a configuration names, in a role: `(any Denoiser.Type).self`.
  ///
  /// - Throws: `ModelError.unknownClass` or `.wrongRole`.
  public func model<Role>(for json: JSONObject, as role: Role.Type) throws(ModelError) -> Role {
    let model = try model(for: json)
    guard let model = model as? Role else {
      throw .wrongRole(path: json.path, found: json.className ?? "", role: "\(role)")
    }
    return model
  }
}
