import EspalierCheckpoints
import EspalierModels
import EspalierTensors
import Foundation

/// Writing and reading what a training state consists of.
///
/// `t2iadapter/` holds the adapter in Diffusers' layout, `optimizer.safetensors` the moments,
/// `training_state.json` the rest.
struct StateFiles {
  let adapter: T2IAdapterConfiguration
  static let adapterFolder = "t2iadapter"
  static let optimizerFile = "optimizer.safetensors"
  /// The root of the adapter's parameter paths, before the checkpoint keys.
  static let root = "adapter."

  /// How many copies of the parameters are on the host while a state is written.
  static let savedKinds = 2

  /// Writes an adapter that Diffusers' `T2IAdapter.from_pretrained` loads.
  func writeAdapter(_ parameters: TrainedParameters, to folder: String) throws {
    try Folder.make(folder)
    let tensors = try parameters.read(.parameter).sorted { $0.key < $1.key }
      .map { (name: String($0.key.dropFirst(Self.root.count)), tensor: $0.value) }
    try SafetensorsWriter.write(tensors, to: folder + "/diffusion_pytorch_model.safetensors")
    try adapter.json.write(to: folder + "/config.json")
  }

  /// Fills a folder with everything that a continuation needs.
  func write(_ state: TrainingState, _ parameters: TrainedParameters, to folder: String) throws {
    try writeAdapter(parameters, to: folder + "/" + Self.adapterFolder)
    var moments: [(name: String, tensor: HostTensor)] = []
    for kind in [TrainedParameters.Kind.firstMoment, .secondMoment] {
      for (path, tensor) in try parameters.read(kind) {
        moments.append((kind.rawValue + "/" + path.dropFirst(Self.root.count), tensor))
      }
    }
    moments.sort { $0.name < $1.name }
    try SafetensorsWriter.write(moments, to: folder + "/" + Self.optimizerFile)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try AtomicFile.write(
      Array(try encoder.encode(state)), to: folder + "/" + TrainingState.fileName)
  }

  /// The state that a folder holds; the weights are not touched.
  static func readState(_ folder: String) throws -> TrainingState {
    let path = folder + "/" + TrainingState.fileName
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw FileError(path: path, operation: "read", code: FileError.code(of: error))
    }
    guard let state = try? JSONDecoder().decode(TrainingState.self, from: data) else {
      throw TrainingError.checkpoint(
        path: folder, reason: "its \(TrainingState.fileName) is damaged; continue from another one")
    }
    guard state.format == TrainingState.currentFormat else {
      throw TrainingError.checkpoint(
        path: folder,
        reason: "its format is \(state.format), expected \(TrainingState.currentFormat)")
    }
    guard TrainingConfiguration.stepRange.contains(state.step),
      (0...state.step).contains(state.updates)
    else {
      throw TrainingError.checkpoint(
        path: folder,
        reason: "its \(TrainingState.fileName) says step \(state.step), updates \(state.updates)")
    }
    return state
  }

  /// Puts the weights and moments of a folder into the parameters.
  func readTensors(_ folder: String, into parameters: TrainedParameters) throws {
    let weights = try SafetensorsFile(
      path: folder + "/" + Self.adapterFolder + "/diffusion_pytorch_model.safetensors")
    let moments = try SafetensorsFile(path: folder + "/" + Self.optimizerFile)
    for kind in [TrainedParameters.Kind.parameter, .firstMoment, .secondMoment] {
      var values: [String: HostTensor] = [:]
      for (path, shape) in parameters.shapes {
        let key = String(path.dropFirst(Self.root.count))
        let tensor =
          kind == .parameter
          ? try weights.tensor(key) : try moments.tensor(kind.rawValue + "/" + key)
        guard tensor.shape == shape, tensor.dtype == .float32 else {
          throw TrainingError.checkpoint(
            path: folder,
            reason: "\(key) is \(tensor.dtype.rawValue)\(tensor.shape), expected F32\(shape)")
        }
        values[path] = tensor
      }
      try parameters.write(kind, values)
    }
  }
}
