import EspalierCheckpoints
import EspalierHost
import EspalierImages
import EspalierModels
import EspalierPipelines
import EspalierTensors
import Foundation
import TestSupport
import Testing

extension Pipelines {
  /// What cannot be opened or generated, and what the message says about it.
  @Suite("Refused models and settings") struct RefusalTests {
    private func message<R>(_ body: () throws -> R) -> String {
      do {
        _ = try body()
        return "no error"
      } catch {
        return "\(error)"
      }
    }

    private func expect<R>(
      _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
      from body: () throws -> R
    ) {
      let text = message(body)
      for part in parts {
        #expect(text.contains(part), Comment(rawValue: text), sourceLocation: sourceLocation)
      }
    }

    /// A copy of the model that a test may damage.
    private func copy(_ folder: TemporaryFolder) throws -> String {
      try FileManager.default.copyItem(atPath: TestModel.path, toPath: folder.file("model"))
      return folder.file("model")
    }

    /// A copy of a component's weights with one tensor changed or, by nil, left out.
    private func rewrite(
      _ file: String, _ change: (String, HostTensor) -> (String, HostTensor)?
    ) throws {
      let source = try SafetensorsFile(path: file)
      let tensors = try source.names.compactMap { name in
        change(name, try source.tensor(name)).map { (name: $0.0, tensor: $0.1) }
      }
      try FileManager.default.removeItem(atPath: file)
      try SafetensorsWriter.write(tensors, to: file)
    }

    private func open(_ path: String, adapters: [AdapterComponent] = []) throws
      -> StableDiffusionXLAdapterPipeline
    {
      try StableDiffusionXLAdapterPipeline(
        DiffusionFolder(path: path), adapters: adapters,
        scheduler: TestModel.scheduler("EulerDiscreteScheduler"), device: TestModel.device())
    }

    private func oneStep(_ images: [[Image]] = []) -> GenerationConfiguration {
      var result = GenerationConfiguration(prompts: ["red circle"])
      result.images = images
      result.numInferenceSteps = 1
      return result
    }

    @Test func `a Hub id is answered with how to download`() {
      expect("does not download", "hf download stabilityai/sdxl --local-dir") {
        try DiffusionFolder(path: "stabilityai/sdxl")
      }
      expect("there is no model folder", "check the path") {
        try DiffusionFolder(path: "/nowhere/at/all")
      }
    }

    @Test func `a component's folder is not a model`() {
      expect("model_index.json", "--pretrained_model_name_or_path") {
        try DiffusionFolder(path: TestModel.path + "/unet")
      }
    }

    @Test func `another pipeline's model is named`() throws {
      let folder = try temporaryFolder()
      try AtomicFile.write(
        #"{"_class_name": "StableDiffusionPipeline"}"#, to: folder.file("model_index.json"))
      expect("StableDiffusionXLPipeline", "StableDiffusionPipeline") {
        try DiffusionFolder(path: folder.path)
      }
    }

    @Test func `a missing component is named`() throws {
      let folder = try temporaryFolder()
      let model = try copy(folder)
      try FileManager.default.removeItem(atPath: model + "/vae")
      expect("the model has no vae", "is the download complete?") { try open(model) }
    }

    @Test func `a missing variant is named`() {
      expect("diffusion_pytorch_model.fp16.safetensors", "leave it out") {
        try DiffusionFolder(path: TestModel.path, variant: "fp16").checkpoint(of: .unet)
      }
    }

    @Test func `a missing or foreign weight is named with its component`() throws {
      let folder = try temporaryFolder()
      let model = try copy(folder)
      try rewrite(model + "/unet/diffusion_pytorch_model.safetensors") { name, tensor in
        name == "conv_in.bias" ? ("conv_inn.bias", tensor) : (name, tensor)
      }
      expect("UNet2DConditionModel (unet)", "conv_in.bias", "near: conv_inn.bias") {
        try open(model)
      }
    }

    @Test(arguments: ["unet", "vae", "text_encoder"])
    func `a weight that is not a number is named with its file`(component: String) throws {
      let folder = try temporaryFolder()
      let model = try copy(folder)
      let names = [
        "unet": "down_blocks.0.resnets.0.conv1.weight", "vae": "decoder.conv_in.weight",
        "text_encoder": "text_model.encoder.layers.0.mlp.fc1.weight",
      ]
      let wrong = try #require(names[component])
      let base = component == "text_encoder" ? "model" : "diffusion_pytorch_model"
      let file = "\(model)/\(component)/\(base).safetensors"
      try rewrite(file) { name, tensor in
        guard name == wrong else { return (name, tensor) }
        var values = tensor.floats()
        values[3] = .nan
        return (name, HostTensor(values, shape: tensor.shape))
      }
      expect("not a number", wrong, file, "element 3") {
        try open(model).generate(oneStep())
      }
    }

    @Test func `a weight that half precision cannot hold is named`() throws {
      let folder = try temporaryFolder()
      let file = folder.file("diffusion_pytorch_model.safetensors")
      for name in ["config.json", "diffusion_pytorch_model.safetensors"] {
        try FileManager.default.copyItem(
          atPath: Fixtures.path("adapter_xl/" + name), toPath: folder.file(name))
      }
      try rewrite(file) { name, tensor in
        guard name == "adapter.conv_in.bias" else { return (name, tensor) }
        return (name, HostTensor([Float](repeating: 1e6, count: tensor.count), shape: tensor.shape))
      }
      let adapter = try AdapterComponent(folder: folder.path, storage: .float16)
      let image = try TestModel.image("condition.png")
      expect("adapter.conv_in.bias", "converted to F16") {
        try open(TestModel.path, adapters: [adapter]).generate(oneStep([[image]]))
      }
    }

    @Test(arguments: ["adapter_full", "adapter_light"])
    func `an adapter for SD 1.5 is refused`(name: String) throws {
      let adapter = try AdapterComponent(folder: Fixtures.path(name))
      expect("the adapter cannot be used", name, "downscale factor is 8", "SD 1.5") {
        try open(TestModel.path, adapters: [adapter])
      }
    }

    @Test func `an adapter for another UNet is refused`() throws {
      let configuration = T2IAdapterConfiguration(
        adapterType: .fullXL, inChannels: 3, channels: [8, 16, 24, 24], numResBlocks: 1,
        downscaleFactor: 16)
      let adapter = AdapterComponent(
        T2IAdapter.self, configuration, name: "the small one", parameters: [:])
      expect("the small one", "a UNet with other channels") {
        try open(TestModel.path, adapters: [adapter])
      }
    }

    @Test func `weights for SD 1.5 under an SDXL configuration are refused`() throws {
      let folder = try temporaryFolder()
      try FileManager.default.copyItem(
        atPath: Fixtures.path("adapter_full/diffusion_pytorch_model.safetensors"),
        toPath: folder.file("diffusion_pytorch_model.safetensors"))
      try FileManager.default.copyItem(
        atPath: Fixtures.path("adapter_xl/config.json"), toPath: folder.file("config.json"))
      expect("T2IAdapter", "8²", "SD 1.5") { try AdapterComponent(folder: folder.path) }
    }

    @Test func `a UNet is no adapter`() {
      expect("UNet2DConditionModel", "ControlAdapter") {
        try AdapterComponent(folder: TestModel.path + "/unet")
      }
    }

    @Test func `an unknown scheduler is answered with the known ones`() {
      expect("no scheduler 'nonsense'", "euler") { try TestModel.scheduler("nonsense") }
    }

    @Test func `sizes must be multiples of 16`() throws {
      let pipeline = try TestModel.pipeline(adapters: [])
      for (height, width, flag) in [
        (120, 128, "--height"), (128, 8, "--width"), (0, 128, "--height"),
      ] {
        var settings = oneStep()
        (settings.height, settings.width) = (height, width)
        expect(flag, "a positive multiple of 16") { try pipeline.check(settings) }
      }
    }

    @Test func `the control image's size is rounded down`() throws {
      let image = try TestModel.image("wide.png")
      let size = try TestModel.pipeline().check(oneStep([[image]]))
      #expect(size.height == image.height / 16 * 16)
      #expect(size.width == image.width / 16 * 16)
    }

    @Test func `numbers of images, adapters, prompts and scales must fit`() throws {
      let image = try TestModel.image("condition.png")
      let one = try TestModel.pipeline()
      let none = try TestModel.pipeline(adapters: [])
      let two = try TestModel.pipeline(adapters: ["adapter_xl", "adapter_xl_second"])
      expect("is 0; expected at least 1") { try one.check(oneStep()) }
      expect("0, since there is no adapter") { try none.check(oneStep([[image]])) }
      expect("2, one for each adapter") { try two.check(oneStep([[image]])) }
      var three = oneStep([[image], [image]])
      three.prompts = ["a", "b", "c"]
      expect("1, or 3 as there are prompts") { try one.check(three) }
      three.images = [[image]]
      three.negativePrompts = ["x", "y"]
      expect("the number of negative prompts", "1, or 3") { try one.check(three) }
      var scaled = oneStep([[image]])
      scaled.adapterConditioningScale = [1, 2]
      expect("--adapter_conditioning_scale", "2") { try one.check(scaled) }
    }

    @Test func `half-precision weights give nearly the same latents`() throws {
      let settings = oneStep([[try TestModel.image("condition.png")]])
      let full = try TestModel.pipeline().generate(settings).latents
      for (storage, limit) in [(DType.float16, 5e-3), (.bfloat16, 5e-2)] {
        let half = try TestModel.pipeline(storage: storage).generate(settings).latents
        expectClose(half, full, relativeL2: limit, "\(storage)")
        #expect(half.floats() != full.floats())
      }
    }
  }
}
