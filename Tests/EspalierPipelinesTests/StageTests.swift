import EspalierCheckpoints
import EspalierHost
import EspalierImages
import EspalierModels
import EspalierPipelines
import EspalierTensors
import TestSupport
import Testing

extension Pipelines {
  /// The stages by themselves. Goldens: `make_fixtures.py`.
  @Suite("Stages", .onEveryBackend) struct StageTests {
    /// The first sample of an NCHW golden as NHWC.
    private func first(_ tensor: HostTensor) -> HostTensor {
      let dims = [1] + tensor.shape.dims.dropFirst()
      let size = tensor.count / tensor.shape[0]
      return HostTensor(Array(tensor.floats()[..<size]), shape: Shape(dims)).channelsLast()
    }

    @Test(arguments: [
      ("adapter_xl", "cond", "xl"), ("adapter_xl", "cond_odd", "odd"),
      ("adapter_xl_gray", "cond_gray", "gray"),
    ])
    func `an adapter's feature maps are those of Diffusers, times the scale`(
      folder: String, input: String, name: String
    ) throws {
      let goldens = try Fixtures.tensors("adapter.safetensors")
      let image = first(try goldens.tensor(input))
      let features = try AdapterFeatures(
        [AdapterComponent(folder: Fixtures.path(folder))], height: image.shape[1],
        width: image.shape[2], device: TestModel.device())
      let maps = try features([image], scales: [0.5])
      #expect(maps.map(\.shape) == features.shapes)
      for (k, map) in maps.enumerated() {
        let golden = first(try goldens.tensor("\(name).\(k)"))
        expectClose(
          map, HostTensor(golden.floats().map { $0 / 2 }, shape: golden.shape), relativeL2: 1e-4,
          "map \(k)")
      }
    }

    @Test func `several adapters are weighted and summed`() throws {
      let goldens = try Fixtures.tensors("adapter.safetensors")
      let image = first(try goldens.tensor("cond"))
      let adapters = try ["adapter_xl", "adapter_xl_second"].map {
        try AdapterComponent(folder: Fixtures.path($0))
      }
      let features = try AdapterFeatures(
        adapters, height: image.shape[1], width: image.shape[2], device: TestModel.device())
      for (k, map) in try features([image, image], scales: [0.7, 0.4]).enumerated() {
        expectClose(
          map, first(try goldens.tensor("multi.\(k)")), relativeL2: 1e-4, "map \(k)")
      }
    }

    @Test func `the decoder scales latents back and gives 0 to 1`() throws {
      let goldens = try Fixtures.tensors("vae.safetensors")
      let latents = first(try goldens.tensor("latents"))
      let vae = try DiffusionFolder(path: TestModel.path).autoencoder()
      let decoder = try LatentDecoder(
        vae, height: latents.shape[1], width: latents.shape[2], device: TestModel.device())
      let pixels = try decoder(vae.configuration.scaled(latents))
      let golden = first(try goldens.tensor("decoded"))
      #expect(pixels.shape.dims == Array(golden.shape.dims.dropFirst()))
      expectClose(
        pixels.floats(), golden.floats().map { min(max($0 / 2 + 0.5, 0), 1) }, absolute: 1e-4)
    }

    @Test(arguments: [("pixels", "mean"), ("pixels_odd", "mean_odd")])
    func `the encoder gives Diffusers' distribution`(input: String, name: String) throws {
      let goldens = try Fixtures.tensors("vae.safetensors")
      let pixels = first(try goldens.tensor(input))
      let encoder = try LatentEncoder(
        DiffusionFolder(path: TestModel.path).autoencoder(), height: pixels.shape[1],
        width: pixels.shape[2], device: TestModel.device())
      let distribution = try encoder(pixels)
      expectClose(distribution.mean, first(try goldens.tensor(name)), relativeL2: 1e-4)
    }

    @Test(arguments: ["wide", "square"])
    func `control images are resized as Pillow does`(name: String) throws {
      let golden = try Fixtures.tensors("image_transforms.safetensors")
        .tensor("\(name).lanczos_96x112_u8")
      let (height, width) = (golden.shape[0], golden.shape[1])
      let image = try TestModel.image(name + ".png")
      let tensor = ControlImage.tensor(image, channels: 3, height: height, width: width)
      #expect(tensor.shape == [1, height, width, 3])
      expectClose(tensor.floats(), golden.floats().map { $0 / 255 }, absolute: 1e-7)
      let gray = ControlImage.tensor(image, channels: 1, height: height, width: width)
      #expect(gray.shape == [1, height, width, 1])
    }

    @Test func `a VAE from another folder takes the model's place`() throws {
      for path in [TestModel.path, TestModel.path + "/vae"] {
        let folder = try DiffusionFolder(path: TestModel.path, vaePath: path)
        #expect(
          try folder.checkpoint(of: .vae).path.hasPrefix(TestModel.path + "/vae/"))
        #expect(try folder.autoencoder().configuration.latentChannels == 4)
      }
      #expect(throws: PipelineError.self) {
        try DiffusionFolder(path: TestModel.path, vaePath: TestModel.path + "/tokenizer")
      }
    }
  }
}
