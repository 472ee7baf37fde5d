import EspalierCheckpoints
import EspalierModels
import EspalierPipelines
import EspalierTensors
import Foundation

/// The adapter that a run starts from; its weights are read or made when they are asked for.
struct AdapterStart {
  let configuration: T2IAdapterConfiguration
  /// The folder of an existing adapter; nil for a fresh one.
  private let folder: String?

  /// An existing adapter, whose weights are checked and left in their file.
  ///
  /// - Throws: `CheckpointError` if it is damaged or incomplete, `FileError`.
  init(folder path: String) throws {
    let inner = path + "/" + StateFiles.adapterFolder
    let isState = FileManager.default.fileExists(atPath: inner + "/config.json")
    let folder = isState ? inner : path
    configuration = try T2IAdapterConfiguration(JSONObject(contentsOf: folder + "/config.json"))
    self.folder = folder
    let view = try T2IAdapter.weights(folder: folder, configuration)
    for (key, _) in T2IAdapter.parameters(configuration) {
      try view.finiteTensor(key).releasePages()
    }
  }

  /// A fresh adapter for a UNet: `full_adapter_xl` with the UNet's channels.
  init(fresh unet: UNet2DConditionConfiguration, inChannels: Int) {
    let levels = unet.blockOutChannels
    configuration = T2IAdapterConfiguration(
      adapterType: .fullXL, inChannels: inChannels,
      channels: levels + levels.suffix(1), numResBlocks: 2, downscaleFactor: 16)
    folder = nil
  }

  /// Paths and shapes of its parameters, sorted by path.
  var shapes: [(path: String, shape: Shape)] {
    T2IAdapter.parameters(configuration).map { (StateFiles.root + $0.key, $0.shape) }
      .sorted { $0.0 < $1.0 }
  }

  /// f32 tensors by parameter path, `adapter.KEY`; a fresh adapter's are initialised as PyTorch does, from the run's
  /// seed.
  ///
  /// - Throws: `CheckpointError` if an existing adapter has changed meanwhile.
  func parameters(seed: UInt64) throws -> [String: HostTensor] {
    guard let folder else { return fresh(seed: seed) }
    let view = try T2IAdapter.weights(folder: folder, configuration)
    var tensors: [String: HostTensor] = [:]
    for (key, _) in T2IAdapter.parameters(configuration) {
      tensors[StateFiles.root + key] = try view.finiteTensor(key).converted(to: .float32)
    }
    return tensors
  }

  private func fresh(seed: UInt64) -> [String: HostTensor] {
    var call: UInt64 = 0
    let initial = T2IAdapter.initialParameters(configuration) { count in
      defer { call += 1 }
      return CounterRandom(seed: seed, purpose: .initialization, step: call).uniforms(count)
    }
    return Dictionary(uniqueKeysWithValues: initial.map { (StateFiles.root + $0.key, $0.tensor) })
  }

  /// Refuses an adapter whose features are not those of the UNet.
  ///
  /// - Throws: `PipelineError.component`.
  func check(against unet: UNet2DConditionConfiguration, latentScale: Int, name: String) throws {
    try AdapterComponent(
      T2IAdapter.self, configuration, name: name, parameters: [:]
    ).check(against: unet, latentScale: latentScale)
  }
}
