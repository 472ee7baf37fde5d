import EspalierCheckpoints
import EspalierModels
import EspalierPipelines
import EspalierTensors

/// The adapter that a run starts from; its weights are read or made when they are asked for.
struct AdapterStart {
  let configuration: T2IAdapterConfiguration
  /// An existing adapter; nil for a fresh one.
  private let source: AdapterSource?

  /// An existing adapter, a folder or a file, whose weights are checked and left there; see `AdapterSource`.
  ///
  /// - Throws: `CheckpointError` if it is damaged or incomplete, `PipelineError`, `FileError`.
  init(path: String) throws {
    let source = try AdapterSource(path: path)
    configuration = try T2IAdapterConfiguration(source.configuration)
    self.source = source
    let view = try Self.view(of: source, configuration)
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
    source = nil
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
    guard let source else { return fresh(seed: seed) }
    let view = try Self.view(of: source, configuration)
    var tensors: [String: HostTensor] = [:]
    for (key, _) in T2IAdapter.parameters(configuration) {
      tensors[StateFiles.root + key] = try view.finiteTensor(key).converted(to: .float32)
    }
    return tensors
  }

  /// The adapter's weights by their keys, all of them there and of their shapes.
  private static func view(
    of source: AdapterSource, _ configuration: T2IAdapterConfiguration
  ) throws -> CheckpointView {
    let view = source.checkpoint.view(configuration.keyMap)
    try LoadReport(
      model: T2IAdapter.className, required: T2IAdapter.parameters(configuration), checkpoint: view
    ).check()
    return view
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
