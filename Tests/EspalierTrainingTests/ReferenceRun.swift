import EspalierCheckpoints
import EspalierGraph
import EspalierHost
import EspalierModels
import EspalierTensors
import EspalierTraining
import Foundation
import TestSupport
import Testing

/// `train.json`.
struct TrainingGolden {
  let loss, gradNorm, rate: [Double]
  /// The seed of micro-batch 0.
  let firstSeed: Int
  /// Of every sample.
  let timeIDs: [Double]

  private struct File: Decodable {
    let loss, gradNorm, rate: [Double]
    let draws: String

    enum CodingKeys: String, CodingKey {
      case loss, draws
      case gradNorm = "grad_norm_before_clip"
      case rate = "lr"
    }
  }

  init() throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("train.json")))
    let file = try JSONDecoder().decode(File.self, from: data)
    (loss, gradNorm, rate) = (file.loss, file.gradNorm, file.rate)
    // "… manual_seed(1000*S+100+n) for micro-batch n, S=0: …"
    let seed = try #require(file.draws.firstMatch(of: /S=(\d+):/)?.1)
    firstSeed = 1000 * (try #require(Int(seed))) + 100
    let ids = try #require(file.draws.firstMatch(of: /time_ids all \[([\d,]+)\]/)?.1)
    timeIDs = ids.split(separator: ",").compactMap { Double($0) }
  }
}

/// The tiny model, its adapter and the draws of the recorded run.
struct ReferenceRun {
  static let accumulation = 2
  let step: TrainingStep
  let optimizer: AdamWOptimizer
  let parameters: TrainedParameters
  let draws: SafetensorsFile
  private let golden: TrainingGolden
  private let device: ComputeDevice

  static func configuration(graph: GraphOptions) throws -> TrainingStep.Configuration {
    let unet = try UNet2DConditionConfiguration(
      JSONObject(contentsOf: Fixtures.path("tiny-sdxl/unet/config.json")))
    let adapter = try T2IAdapterConfiguration(
      JSONObject(contentsOf: Fixtures.path("adapter_xl/config.json")))
    let latents = try Fixtures.tensors("train_draws.safetensors").tensor("0.latents").shape
    var configuration = TrainingStep.Configuration(
      unet: unet, adapter: adapter, batchSize: latents[0], latentHeight: latents[2],
      latentWidth: latents[3])
    configuration.graph = graph
    return configuration
  }

  /// - Parameter storage: The type that the frozen weights are converted to, `nil` for the file's.
  init(graph: GraphOptions = GraphOptions(), storage: DType? = nil) throws {
    draws = try Fixtures.tensors("train_draws.safetensors")
    golden = try TrainingGolden()
    let registry = try PluginRegistry()
    let backend = try registry.backend(named: TestBackend.current)
    device = try ComputeDevice(backend.backend, backend.device)
    let unet = try SafetensorsFile(
      path: Fixtures.path("tiny-sdxl/unet/diffusion_pytorch_model.safetensors"))
    let weights = DeviceWeights(device) { path in
      let tensor = try unet.tensor(String(path.dropFirst("unet.".count)))
      return storage.map { tensor.converted(to: $0) } ?? tensor
    }
    let adapter = try SafetensorsFile(
      path: Fixtures.path("adapter_xl/diffusion_pytorch_model.safetensors"))
    var initial: [String: HostTensor] = [:]
    for name in adapter.names { initial["adapter." + name] = try adapter.tensor(name) }
    parameters = try TrainedParameters(device, initial: initial)
    let arenas = ArenaPool(device)
    step = try TrainingStep(
      Self.configuration(graph: graph), on: device, weights: weights, parameters: parameters,
      accumulates: true, arenas: arenas)
    optimizer = try AdamWOptimizer(device, parameters, arenas: arenas)
  }

  /// A micro-batch drawn as the reference drew it; compared with the stored draws where there are any.
  func batch(_ index: Int) throws -> TrainingBatch {
    var generator = TorchGenerator(seed: golden.firstSeed + index)
    func normal(_ name: String) throws -> HostTensor {
      let shape = try draws.tensor("0.\(name)").shape
      return HostTensor(generator.randn(shape.count), shape: shape)
    }
    let unscaled = try normal("latents")
    let latents = HostTensor(unscaled.floats().map { $0 * 0.9 }, shape: unscaled.shape)
    let noise = try normal("noise")
    let batch = latents.shape[0]
    let timesteps = generator.rand(batch).map { Double(TimestepSampler.cubic($0, count: 1000)) }
    let controlShape = try draws.tensor("0.cond").shape
    let mask: [Float] = generator.rand(controlShape.count).map { $0 > 0.97 ? 1 : 0 }
    let control = HostTensor(mask, shape: controlShape)
    let hidden = try normal("encoder_hidden_states")
    let pooled = try normal("text_embeds")
    if draws.names.contains("\(index).cond") {
      #expect(try draws.tensor("\(index).timesteps").floats().map(Double.init) == timesteps)
      #expect(try draws.tensor("\(index).cond").floats() == control.floats())
      expectClose(
        hidden.floats(), try draws.tensor("\(index).encoder_hidden_states").floats(), absolute: 1e-6
      )
    }
    let scheduler = try PluginRegistry().scheduler(
      named: "ddpm",
      configuration: try String(
        contentsOfFile: Fixtures.path("tiny-sdxl/scheduler/scheduler_config.json"), encoding: .utf8)
    )
    let noisy = HostTensor(
      try scheduler.addNoise(
        timesteps: timesteps, original: latents.floats(), noise: noise.floats()),
      shape: latents.shape)
    return TrainingBatch(
      sample: noisy.channelsLast(), timesteps: timesteps, textEmbeds: pooled,
      timeIDs: [[Double]](repeating: golden.timeIDs, count: batch),
      encoderHiddenStates: hidden, control: control.channelsLast(),
      target: noise.channelsLast(),
      weights: HostTensor([Float](repeating: 1, count: batch), shape: [batch]))
  }

  /// Expects every tensor within 1e-4 in relative L2.
  ///
  /// An adapter's ReLU whose input is zero but for rounding may open in one order of summing and stay shut in another;
  /// AdamW then moves the weights behind it by the full rate. A failure here with right losses and norms says that the
  /// forward pass of the adapter has become less accurate.
  func expectParameters(_ file: String) throws {
    let goldens = try Fixtures.tensors(file)
    let values = try parameters.read(.parameter)
    for name in goldens.names {
      let value = try #require(values["adapter." + name])
      expectClose(value.floats(), try goldens.tensor(name).floats(), relativeL2: 1e-4, name)
    }
  }
}
