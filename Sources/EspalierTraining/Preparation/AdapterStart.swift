import EspalierCheckpoints
import EspalierModels
import EspalierPipelines
import EspalierTensors
import Foundation

/// The adapter that a run starts from.
struct AdapterStart {
  let configuration: T2IAdapterConfiguration
  /// f32 tensors by parameter path, `adapter.KEY`.
  let parameters: [String: HostTensor]

  /// Reads an existing adapter.
  ///
  /// - Throws: `CheckpointError` if it is damaged or incomplete, `FileError`.
  init(folder path: String) throws {
    let inner = path + "/" + StateFiles.adapterFolder
    let isState = FileManager.default.fileExists(atPath: inner + "/config.json")
    let folder = isState ? inner : path
    configuration = try T2IAdapterConfiguration(JSONObject(contentsOf: folder + "/config.json"))
    let view = try T2IAdapter.weights(folder: folder, configuration)
    var tensors: [String: HostTensor] = [:]
    for (key, _) in T2IAdapter.parameters(configuration) {
      tensors[StateFiles.root + key] = try view.finiteTensor(key).converted(to: .float32)
    }
    parameters = tensors
  }

  /// Makes a fresh adapter for a UNet: `full_adapter_xl` with the UNet's channels, initialised as PyTorch
  /// does, from the run's seed.
  init(fresh unet: UNet2DConditionConfiguration, inChannels: Int, seed: UInt64) {
    let levels = unet.blockOutChannels
    configuration = T2IAdapterConfiguration(
      adapterType: .fullXL, inChannels: inChannels,
      channels: levels + levels.suffix(1), numResBlocks: 2, downscaleFactor: 16)
    var call: UInt64 = 0
    let initial = T2IAdapter.initialParameters(configuration) { count in
      defer { call += 1 }
      return CounterRandom(seed: seed, purpose: .initialization, step: call).uniforms(count)
    }
    parameters = Dictionary(
      uniqueKeysWithValues: initial.map { (StateFiles.root + $0.key, $0.tensor) })
  }

  /// Refuses an adapter whose features are not those of the UNet.
  ///
  /// - Throws: `PipelineError.component`.
  func check(against unet: UNet2DConditionConfiguration, latentScale: Int, name: String) throws {
    try AdapterComponent(
      T2IAdapter.self, configuration, name: name, parameters: parameters
    ).check(against: unet, latentScale: latentScale)
  }
}
