import EspalierImages
import EspalierPipelines
import EspalierTensors
import TestSupport
import Testing

extension Pipelines {
  /// Which picture is made of which prompt, control image and noise.
  @Suite("Order of pictures") struct OrderingTests {
    private let prompts = ["red circle", "pale golden rod circle with old lace background"]
    private let negatives = ["blue background", "old lace"]

    private func configuration(_ prompts: [String], _ images: [[Image]]) -> GenerationConfiguration
    {
      var result = GenerationConfiguration(prompts: prompts)
      result.images = images
      result.numInferenceSteps = 2
      return result
    }

    private func noise(_ count: Int, height: Int, width: Int) -> HostTensor {
      var generator = TorchGenerator(seed: 11)
      return generator.randn([count, 4, height / 8, width / 8])
    }

    /// The latents of one picture as a batch of one.
    private func picture(_ latents: HostTensor, _ index: Int) -> HostTensor {
      let size = latents.count / latents.shape[0]
      let dims = [1] + latents.shape.dims.dropFirst()
      return HostTensor(
        Array(latents.floats()[index * size..<(index + 1) * size]), shape: Shape(dims))
    }

    @Test(arguments: [1, 3, 8])
    func `prompts, images and pictures per prompt pair up prompt by prompt`(batch: Int) throws {
      let pipeline = try TestModel.pipeline()
      let images = try ["condition.png", "square.png"].map { [try TestModel.image($0)] }
      var all = configuration(prompts, images)
      all.negativePrompts = negatives
      all.numImagesPerPrompt = 2
      all.maxBatchSize = batch
      let size = try pipeline.check(all)
      #expect(size.count == 4)
      all.latents = noise(4, height: size.height, width: size.width)
      let latents = try #require(all.latents)
      let result = try pipeline.generate(all)
      #expect(result.sources.map(\.prompt) == [prompts[0], prompts[0], prompts[1], prompts[1]])
      #expect(result.sources.map(\.imageSet) == [0, 0, 1, 1])
      for index in 0..<4 {
        var one = configuration([prompts[index / 2]], [images[index / 2]])
        one.negativePrompts = [negatives[index / 2]]
        (one.height, one.width) = (size.height, size.width)
        one.latents = picture(latents, index)
        let single = try pipeline.generate(one)
        expectClose(
          picture(result.latents, index), single.latents, relativeL2: 1e-4, "picture \(index)")
        #expect(result.images[index].width == single.images[0].width)
      }
    }

    @Test func `one control image serves all prompts`() throws {
      let pipeline = try TestModel.pipeline()
      let image = try TestModel.image("condition.png")
      var shared = configuration(prompts, [[image]])
      shared.seed = 5
      var repeated = configuration(prompts, [[image], [image]])
      repeated.seed = 5
      let (a, b) = (try pipeline.generate(shared), try pipeline.generate(repeated))
      #expect(a.latents.floats() == b.latents.floats())
      #expect(a.images == b.images)
    }

    @Test func `the cut into batches changes no noise`() throws {
      let pipeline = try TestModel.pipeline(scheduler: "EulerAncestralDiscreteScheduler")
      var whole = configuration([prompts[0]], [[try TestModel.image("condition.png")]])
      whole.numImagesPerPrompt = 3
      whole.seed = 21
      whole.maxBatchSize = 3
      var cut = whole
      cut.maxBatchSize = 2
      expectClose(
        try pipeline.generate(cut).latents, try pipeline.generate(whole).latents,
        relativeL2: 1e-3)
    }

    @Test func `works without an adapter, and a weight of zero is the same`() throws {
      let image = try TestModel.image("condition.png")
      var plain = configuration([prompts[0]], [])
      (plain.height, plain.width) = (image.height / 16 * 16, image.width / 16 * 16)
      var off = configuration([prompts[0]], [[image]])
      off.adapterConditioningScale = [0]
      var never = configuration([prompts[0]], [[image]])
      never.adapterConditioningFactor = 0
      let expected = try TestModel.pipeline(adapters: []).generate(plain).latents
      let pipeline = try TestModel.pipeline()
      expectClose(try pipeline.generate(off).latents, expected, relativeL2: 1e-5)
      expectClose(try pipeline.generate(never).latents, expected, relativeL2: 1e-5)
      let on = try pipeline.generate(configuration([prompts[0]], [[image]])).latents
      #expect(relativeL2(on.floats(), expected.floats()) > 1e-3)
    }

    @Test func `an empty negative prompt is not an absent one`() throws {
      let pipeline = try TestModel.pipeline()
      let absent = configuration([prompts[0]], [[try TestModel.image("condition.png")]])
      var empty = absent
      empty.negativePrompts = [""]
      let (a, b) = (try pipeline.generate(absent), try pipeline.generate(empty))
      #expect(relativeL2(b.latents.floats(), a.latents.floats()) > 1e-3)
    }

    @Test func `steps and pictures are reported`() throws {
      let pipeline = try TestModel.pipeline()
      var three = configuration([prompts[0]], [[try TestModel.image("condition.png")]])
      three.numImagesPerPrompt = 3
      three.maxBatchSize = 2
      var events: [GenerationEvent] = []
      _ = try pipeline.generate(three) { events.append($0) }
      let steps = (1...4).map { GenerationEvent.step($0, of: 4) }
      #expect(events.filter { if case .step = $0 { true } else { false } } == steps)
      let decoded = (1...3).map { GenerationEvent.decoded($0, of: 3) }
      #expect(events.filter { if case .decoded = $0 { true } else { false } } == decoded)
    }
  }
}
