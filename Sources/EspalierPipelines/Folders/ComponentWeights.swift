public import EspalierCheckpoints
public import EspalierModels
public import EspalierTensors

/// The weights of one component by its graph's parameter paths: `unet.KEY` is the checkpoint's `KEY`.
///
/// Opened, and read when they are asked for.
public struct ComponentWeights: Sendable {
  /// The root of the parameter paths: `unet`, `vae`, `text_encoder`, ….
  public let name: String
  private let view: CheckpointView
  private let storage: DType?

  /// - Parameters:
  ///   - map: Other spellings of keys in files.
  ///   - storage: The type that floating weights are converted to; nil keeps the file's.
  public init(
    name: String, checkpoint: Checkpoint, map: KeyMap = KeyMap(), storage: DType? = nil
  ) {
    self.name = name
    self.storage = storage
    view = checkpoint.view(map)
  }

  /// The file or index that the weights come from.
  public var path: String { view.checkpoint.path }

  /// Compares the weights with the parameters of a model, without reading them.
  public func report<M: Model>(of model: M.Type, _ configuration: M.Configuration) -> LoadReport {
    LoadReport(
      model: "\(M.className) (\(name))", required: M.parameters(configuration), checkpoint: view)
  }

  /// The tensor of a parameter path below the component's root, its numbers checked.
  ///
  /// - Throws: `CheckpointError`, naming tensor and file if a number is infinite or NaN, also after conversion.
  public func tensor(_ path: String) throws(CheckpointError) -> HostTensor {
    try tensor(key: String(path.dropFirst(name.count + 1)))
  }

  /// The tensor of a checkpoint key; see `tensor(_:)`.
  func tensor(key: String) throws(CheckpointError) -> HostTensor {
    let tensor = try view.finiteTensor(key)
    guard tensor.dtype.isFloatingStorage || tensor.dtype == .float64 else {
      throw .unsupportedDType(
        path: self.path, tensor: key, dtype: tensor.dtype.rawValue)
    }
    let target = storage ?? (tensor.dtype == .float64 ? .float32 : tensor.dtype)
    if target == tensor.dtype { return tensor }
    let converted = tensor.converted(to: target)
    if let index = converted.firstNonFinite() {
      throw .nonFinite(
        path: "\(self.path), converted to \(target.rawValue)", tensor: key, index: index)
    }
    return converted
  }
}
