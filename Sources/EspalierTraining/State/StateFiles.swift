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

  /// Writes an adapter that Diffusers' `T2IAdapter.from_pretrained` loads.
  func writeAdapter(_ parameters: TrainedParameters, to folder: String) throws {
    try Folder.make(folder)
    try SafetensorsWriter.write(
      streamed: Self.tensors(parameters, .parameter),
      to: folder + "/diffusion_pytorch_model.safetensors")
    try adapter.json.write(to: folder + "/config.json")
  }

  /// Fills a folder with everything that a continuation needs.
  func write(_ state: TrainingState, _ parameters: TrainedParameters, to folder: String) throws {
    try writeAdapter(parameters, to: folder + "/" + Self.adapterFolder)
    let moments = [TrainedParameters.Kind.firstMoment, .secondMoment].flatMap {
      Self.tensors(parameters, $0, prefix: $0.rawValue + "/")
    }
    try SafetensorsWriter.write(streamed: moments, to: folder + "/" + Self.optimizerFile)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try AtomicFile.write(
      Array(try encoder.encode(state)), to: folder + "/" + TrainingState.fileName)
  }

  /// What is kept of every parameter by checkpoint key, copied from the device one after the other while it is written.
  private static func tensors(
    _ parameters: TrainedParameters, _ kind: TrainedParameters.Kind, prefix: String = ""
  ) -> [StreamedTensor] {
    parameters.shapes.map { path, shape in
      StreamedTensor(name: prefix + path.dropFirst(root.count), dtype: .float32, shape: shape) {
        write in
        try parameters.read(kind, of: path, shape)?.withUnsafeBytes { try write($0) }
      }
    }
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
