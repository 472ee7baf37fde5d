import EspalierCheckpoints
import EspalierGraph
import EspalierHost
import EspalierModels
import EspalierTensors
import TestSupport
import Testing

/// Every network against Diffusers and Transformers, on a device. One test at a time: a device has
/// one owner.
@Suite("Networks on a device", .serialized, .onEveryBackend) struct GoldenTests {
  @Test(arguments: [
    ("xl", "adapter_xl", "cond"), ("second", "adapter_xl_second", "cond"),
    ("gray", "adapter_xl_gray", "cond_gray"), ("odd", "adapter_xl", "cond_odd"),
    ("full", "adapter_full", "cond"), ("light", "adapter_light", "cond"),
  ])
  func `adapters give the reference's feature maps`(
    name: String, folder: String, image: String
  ) throws {
    let golden = try Fixtures.tensors("adapter.safetensors")
    let run = GoldenRun()
    let adapter = try run.model(T2IAdapter.self, folder: folder, component: "adapter")
    let pixels = try golden.tensor(image).channelsLast()
    let features = adapter.features(of: run.input("image", pixels))
    #expect(
      features.map(\.shape)
        == adapter.configuration.featureShapes(
          batch: pixels.shape[0], height: pixels.shape[1], width: pixels.shape[2]))
    let results = try run.run(named(features))
    #expect(golden.names.count { $0.hasPrefix(name + ".") } == features.count)
    for k in features.indices {
      try expectGolden(results["\(k)"], golden.tensor("\(name).\(k)"), "\(name).\(k)")
    }
  }

  @Test func `several adapters give the weighted sum of their feature maps`() throws {
    let golden = try Fixtures.tensors("adapter.safetensors")
    let run = GoldenRun()
    let adapters = try ["adapter_xl", "adapter_xl_second"].enumerated().map {
      try run.model(T2IAdapter.self, folder: $1, component: "adapter_\($0)")
    }
    let image = run.input("image", try golden.tensor("cond").channelsLast())
    let weights = [0.7, 0.4].enumerated().map { index, weight in
      run.input("weight_\(index)", HostTensor([Float(weight)], shape: [1]))
    }
    let features = try MultiAdapter(adapters).features(of: [image, image], weights: weights)
    let results = try run.run(named(features))
    for k in features.indices {
      try expectGolden(results["\(k)"], golden.tensor("multi.\(k)"), "multi.\(k)")
    }
  }

  @Test func `the first text encoder gives the reference's hidden states`() throws {
    let golden = try Fixtures.tensors("text.safetensors")
    let run = GoldenRun()
    let encoder = try run.model(
      CLIPTextModel.self, folder: "tiny-sdxl/text_encoder", component: "text_encoder")
    let ids = try tokens(golden.tensor("ids_1"))
    let output = encoder(run.input("ids", ids))
    var outputs = named(output.hiddenStates)
    outputs["last"] = output.lastHiddenState
    let results = try run.run(outputs)
    let penultimate = "\(output.hiddenStates.count - 2)"
    try expectGolden(results["last"], golden.tensor("last_1"), "last")
    try expectGolden(results[penultimate], golden.tensor("hidden_1_penultimate"), "penultimate")
    for k in output.hiddenStates.indices {
      // Only the first prompts are stored.
      let expected = try golden.tensor("hidden_1_\(k)")
      let actual = try #require(results["\(k)"])
      let head = HostTensor(
        Array(actual.floats().prefix(expected.count)), shape: expected.shape)
      try expectGolden(head, expected, "hidden state \(k)")
    }
  }

  @Test func `the second text encoder gives the reference's pooled embedding`() throws {
    let golden = try Fixtures.tensors("text.safetensors")
    let run = GoldenRun()
    let encoder = try run.model(
      CLIPTextModelWithProjection.self, folder: "tiny-sdxl/text_encoder_2",
      component: "text_encoder_2")
    let ids = try golden.tensor("ids_2")
    let rows = stride(from: 0, to: ids.count, by: ids.shape[1]).map { start in
      ids.integers()[start..<start + ids.shape[1]].map { Int32($0) }
    }
    let eos = encoder.configuration.eosPositions(rows)
    let output = encoder(
      run.input("ids", tokens(ids)),
      eosPositions: run.input("eos", HostTensor(eos, shape: [rows.count])))
    let results = try run.run([
      "penultimate": output.hiddenStates[output.hiddenStates.count - 2],
      "last": output.lastHiddenState, "pooled": try #require(output.textEmbeds),
    ])
    try expectGolden(
      results["penultimate"], golden.tensor("hidden_2_penultimate"), "penultimate")
    try expectGolden(results["last"], golden.tensor("last_2"), "last")
    try expectGolden(results["pooled"], golden.tensor("pooled"), "pooled")
  }

  @Test func `the VAE's distribution and its draw are the reference's`() throws {
    let golden = try Fixtures.tensors("vae.safetensors")
    let distribution = try encode(golden.tensor("pixels"))
    try expectGolden(distribution.mean, golden.tensor("mean"), "mean")
    try expectGolden(distribution.logvar, golden.tensor("logvar"), "logvar")
    try expectGolden(distribution.std, golden.tensor("std"), "std")
    let expected = try golden.tensor("sample_seed7")
    var generator = TorchGenerator(seed: 7)
    let sample = distribution.sample(noise: generator.randn(expected.shape).channelsLast())
    try expectGolden(sample, expected, "sample")
    let odd = try encode(golden.tensor("pixels_odd"))
    try expectGolden(odd.mean, golden.tensor("mean_odd"), "mean of odd sides")
  }

  @Test func `the VAE decodes latents to the reference's pixels`() throws {
    let golden = try Fixtures.tensors("vae.safetensors")
    let run = GoldenRun()
    let vae = try run.model(AutoencoderKL.self, folder: "tiny-sdxl/vae", component: "vae")
    let pixels = vae.decode(run.input("latents", try golden.tensor("latents").channelsLast()))
    try expectGolden(try run.run(["y": pixels])["y"], golden.tensor("decoded"), "decoded")
  }

  @Test func `the U-Net predicts what the reference predicts, without and with an adapter`() throws
  {
    let golden = try Fixtures.tensors("unet.safetensors")
    for (name, features) in [("out_plain", 0), ("out_adapter", 4)] {
      let residuals = try (0..<features).map { try golden.tensor("residual.\($0)") }
      let results = try predict(
        golden, latents: "latents", timesteps: golden.tensor("timesteps").integers(),
        residuals: residuals)
      try expectGolden(results["prediction"], golden.tensor(name), name)
    }
  }

  @Test func `every activation of the U-Net is the reference's, at odd sides`() throws {
    let golden = try Fixtures.tensors("unet.safetensors")
    let adapter = try Fixtures.tensors("adapter.safetensors")
    let residuals = try adapter.names.filter { $0.hasPrefix("odd.") }.sorted()
      .map(adapter.tensor)
    let stored = golden.names.filter { $0.hasPrefix("act.") }.map { String($0.dropFirst(4)) }
    #expect(!stored.isEmpty && residuals.count == 4)
    // The goldens' script runs this pass at time 500.
    let results = try predict(
      golden, latents: "latents_odd", timesteps: [500], residuals: residuals, recording: stored)
    for name in stored { try expectGolden(results[name], golden.tensor("act." + name), name) }
    try expectGolden(results["prediction"], golden.tensor("out_odd"), "out_odd")
  }

  // MARK: - Parts

  /// Runs the U-Net for as many of the stored samples as there are timesteps.
  ///
  /// - Returns: The `prediction` and the activations named in `recording`.
  private func predict(
    _ golden: SafetensorsFile, latents: String, timesteps: [Int], residuals: [HostTensor],
    recording: [String] = []
  ) throws -> [String: HostTensor] {
    let run = GoldenRun()
    let unet = try run.model(
      UNet2DConditionModel.self, folder: "tiny-sdxl/unet", component: "unet")
    let batch = timesteps.count
    let ids = try golden.tensor("time_ids")
    let rows = (0..<batch).map { row in
      ids.floats()[row * ids.shape.last..<(row + 1) * ids.shape.last].map { Double($0) }
    }
    let added = try #require(
      unet.configuration.additionProjection(
        textEmbeds: first(batch, of: golden.tensor("text_embeds")), timeIDs: rows))
    var activations: [String: Value] = [:]
    let time = unet.configuration.timeProjection(timesteps.map { Double($0) })
    let prediction = unet(
      DenoiserInputs(
        sample: run.input("sample", try golden.tensor(latents).channelsLast()),
        timeEmbedding: run.input("time", time), addEmbedding: run.input("added", added),
        encoderHiddenStates: run.input(
          "text", first(batch, of: try golden.tensor("encoder_hidden_states"))),
        adapterFeatures: residuals.enumerated().map {
          run.input("residual.\($0)", $1.channelsLast())
        }),
      recorder: ActivationRecorder { name, value in
        if recording.contains(name) { activations[name] = value }
      })
    activations["prediction"] = prediction
    return try run.run(activations)
  }

  private func encode(_ pixels: HostTensor) throws -> DiagonalGaussianDistribution {
    let run = GoldenRun()
    let vae = try run.model(AutoencoderKL.self, folder: "tiny-sdxl/vae", component: "vae")
    let moments = vae.encode(run.input("pixels", pixels.channelsLast()))
    return DiagonalGaussianDistribution(
      moments: try #require(try run.run(["moments": moments])["moments"]))
  }

  /// The first samples of a tensor.
  private func first(_ batch: Int, of tensor: HostTensor) -> HostTensor {
    let shape = Shape([batch] + tensor.shape.dims.dropFirst())
    return HostTensor(Array(tensor.floats().prefix(shape.count)), shape: shape)
  }

  private func tokens(_ ids: HostTensor) -> HostTensor {
    HostTensor(ids.integers().map { Int32($0) }, shape: ids.shape)
  }

  private func named(_ values: [Value]) -> [String: Value] {
    Dictionary(uniqueKeysWithValues: values.enumerated().map { ("\($0)", $1) })
  }
}
