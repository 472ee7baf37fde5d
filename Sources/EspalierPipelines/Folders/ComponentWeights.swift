public import EspalierCheckpoints
public import EspalierHost
public import EspalierModels
public import EspalierTensors

/// The weights of one component by its graph's parameter paths: `unet.KEY` is the checkpoint's `KEY`.
///
/// Opened, and read when they are asked for.
public struct ComponentWeights: WeightSource, Sendable {
  /// The root of the parameter paths: `unet`, `vae`, `text_encoder`, ….
  public let name: String
  private let view: CheckpointView
  private let target: DType?

  /// - Parameters:
  ///   - map: Other spellings of keys in files.
  ///   - storage: The type that floating weights are converted to; nil keeps the file's.
  public init(
    name: String, checkpoint: Checkpoint, map: KeyMap = KeyMap(), storage: DType? = nil
  ) {
    self.name = name
    target = storage
    view = checkpoint.view(map)
  }

  /// The file or index that the weights come from.
  public var path: String { view.checkpoint.path }

  /// Compares the weights with the parameters of a model, without reading them.
  public func report<M: Model>(of model: M.Type, _ configuration: M.Configuration) -> LoadReport {
    LoadReport(
      model: "\(M.className) (\(name))", required: M.parameters(configuration), checkpoint: view)
  }

  /// As `tensor(_:)` will give it, without reading its numbers.
  ///
  /// - Throws: `CheckpointError`.
  public func storage(of path: String) throws(CheckpointError) -> WeightStorage {
    try storage(key: key(path))
  }

  /// As `storage(of:)`, by checkpoint key.
  func storage(key: String) throws(CheckpointError) -> WeightStorage {
    let tensor = try view.tensor(key)
    let dtype = try dtype(tensor, key)
    return WeightStorage(dtype: dtype, isMapped: tensor.isMapped && dtype == tensor.dtype)
  }

  /// The tensor of a parameter path below the component's root, its numbers checked.
  ///
  /// - Throws: `CheckpointError`, naming tensor and file if a number is infinite or NaN, also after conversion.
  public func tensor(_ path: String) throws(CheckpointError) -> HostTensor {
    try tensor(key: key(path))
  }

  /// The tensor of a checkpoint key; see `tensor(_:)`.
  func tensor(key: String) throws(CheckpointError) -> HostTensor {
    let tensor = try view.finiteTensor(key)
    let target = try dtype(tensor, key)
    if target == tensor.dtype { return tensor }
    let converted = tensor.converted(to: target)
    tensor.releasePages()
    if let index = converted.firstNonFinite() {
      throw .nonFinite(
        path: "\(self.path), converted to \(target.rawValue)", tensor: key, index: index)
    }
    return converted
  }

  public func fetch(_ path: String) { try? view.tensor(key(path)).fetchPages() }

  private func key(_ path: String) -> String { String(path.dropFirst(name.count + 1)) }

  /// The type that a tensor of the files is converted to.
  private func dtype(_ tensor: HostTensor, _ key: String) throws(CheckpointError) -> DType {
    guard tensor.dtype.isFloatingStorage || tensor.dtype == .float64 else {
      throw .unsupportedDType(path: path, tensor: key, dtype: tensor.dtype.rawValue)
    }
    return target ?? (tensor.dtype == .float64 ? .float32 : tensor.dtype)
  }
}
