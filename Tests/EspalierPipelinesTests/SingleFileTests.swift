import EspalierCheckpoints
import EspalierHost
import EspalierImages
import EspalierModels
import EspalierPipelines
import EspalierPresets
import EspalierTensors
import EspalierTokenizers
import Foundation
import TestSupport
import Testing

extension Pipelines {
  /// The fixtures' model in one file under the names of SDXL's authors, and parts of it in files of their own.
  @Suite("Single files") struct SingleFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try temporaryFolder() }

    /// The fixtures' model without weights.
    private static func preset() throws -> ModelPreset {
      let names = try FileManager.default.subpathsOfDirectory(atPath: TestModel.path)
        .filter { $0.hasSuffix(".json") || $0.hasSuffix(".txt") }
      let files = try names.map { name in
        let url = URL(fileURLWithPath: TestModel.path + "/" + name)
        return (name, Array(try Data(contentsOf: url)))
      }
      return ModelPreset(name: "tiny", files: Dictionary(uniqueKeysWithValues: files))
    }

    private func file(addingStrangers: Bool = true) throws -> String {
      let path = folder.file("model.safetensors")
      try OriginalLayout(folder: TestModel.path).write(to: path, addingStrangers: addingStrangers)
      return path
    }

    private func model(_ path: String, vae: String? = nil) throws -> DiffusionFolder {
      try DiffusionFolder(path: path, vaePath: vae, presets: [Self.preset()])
    }

    private func expect<R>(
      _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
      from body: () throws -> R
    ) {
      let text: String
      do {
        _ = try body()
        text = "no error"
      } catch {
        text = "\(error)"
      }
      for part in parts {
        #expect(text.contains(part), Comment(rawValue: text), sourceLocation: sourceLocation)
      }
    }

    @Test(arguments: PipelineCase.all.filter { !$0.isMultiAdapter }.prefix(3))
    func `give the pictures of Diffusers`(golden: PipelineCase) throws {
      // The adapter too is in one file, under its authors' names.
      let adapter = folder.file("adapter.safetensors")
      try AdapterConversion(AdapterSource(path: Fixtures.path("adapter_xl")))
        .write(.original, to: adapter)
      let model = try model(file())
      let name = try #require(golden.json["scheduler"]?.string)
      let pipeline = try StableDiffusionXLAdapterPipeline(
        model, adapters: [AdapterComponent(folder: adapter)],
        scheduler: TestModel.scheduler(
          name, configuration: golden.json["scheduler_config"]), device: TestModel.device())
      let result = try pipeline.generate(golden.configuration())
      let tensors = try Fixtures.tensors("pipeline/\(golden.name).safetensors")
      expectClose(result.latents, try tensors.tensor("latents"), relativeL2: 1e-3, "latents")
      let expected = try tensors.tensor("image").floats()
        .map { ($0 * 255).rounded(.toNearestOrEven) }
      expectClose(
        result.images.flatMap { $0.bytes.map { Float($0) } }, expected, absolute: 2, "pictures")
    }

    @Test func `hold every tensor of the folder, bit for bit, and most of them without a copy`()
      throws
    {
      let model = try model(file())
      let reference = try DiffusionFolder(path: TestModel.path)
      for component in [DiffusionFolder.Component.unet, .vae, .textEncoder, .textEncoder2] {
        let (found, expected) = (
          try model.checkpoint(of: component), try reference.checkpoint(of: component)
        )
        #expect(found.entries.count == expected.entries.count)
        var copies: [String] = []
        for key in expected.entries.keys {
          // The first encoder's keys have lost their prefix in newer versions of Transformers.
          let name =
            component == .textEncoder && !key.hasPrefix("text_model.")
            ? "text_model." + key : key
          let (a, b) = (try found.tensor(name), try expected.tensor(key))
          #expect(a.shape == b.shape && a.dtype == b.dtype, "\(key)")
          #expect(ContentHash(a) == ContentHash(b), "\(key)")
          if !a.isMapped { copies.append(key) }
        }
        #expect(copies == (component == .textEncoder2 ? ["text_projection.weight"] : []))
      }
      #expect(try model.scheduler().className == reference.scheduler().className)
      let text = "a red circle, a blue one"
      for component in [DiffusionFolder.Component.tokenizer, .tokenizer2] {
        #expect(
          try model.tokenizer(component).encode(text)
            == reference.tokenizer(component).encode(text))
      }
    }

    @Test func `are refused when a tensor of the U-Net is missing, named as the model names it`()
      throws
    {
      let source = try SafetensorsFile(path: file())
      let path = folder.file("lacking.safetensors")
      let missing = "model.diffusion_model.middle_block.1.proj_in.weight"
      try SafetensorsWriter.write(
        source.names.filter { $0 != missing }.map { ($0, try source.tensor($0)) }, to: path)
      expect("UNet2DConditionModel", "mid_block.attentions.0.proj_in.weight", path) {
        try model(path)
      }
    }

    @Test func `of another model's sizes are refused with what does not fit`() throws {
      // The presets of the program are SDXL's and the demo's.
      expect("UNet2DConditionModel", "conv_in.weight", "expected [320, 4, 3, 3]") {
        try DiffusionFolder(path: file())
      }
    }

    @Test func `without a VAE ask for one, and take it`() throws {
      let source = try SafetensorsFile(path: file())
      let path = folder.file("no-vae.safetensors")
      try SafetensorsWriter.write(
        source.names.filter { !$0.hasPrefix("first_stage_model.") }
          .map { ($0, try source.tensor($0)) }, to: path)
      expect("the model has no vae", "--pretrained_vae_model_name_or_path") {
        try model(path).autoencoder()
      }
      #expect(
        throws: Never.self
      ) { try model(path, vae: TestModel.path + "/vae").autoencoder() }
    }

    @Test(arguments: ["", "first_stage_model.", "vae."])
    func `of a VAE alone take the place of a model's`(prefix: String) throws {
      let vae = folder.file("vae.safetensors")
      try OriginalLayout(folder: TestModel.path).writeVAE(to: vae, prefix: prefix)
      let diffusers = TestModel.path + "/vae/diffusion_pytorch_model.safetensors"
      let expected = try DiffusionFolder(path: TestModel.path).checkpoint(of: .vae)
      for path in [vae, diffusers] {
        let model = try DiffusionFolder(path: TestModel.path, vaePath: path)
        #expect(throws: Never.self) { try model.autoencoder() }
        let found = try model.checkpoint(of: .vae)
        #expect(found.path == path)
        #expect(found.contentHash() == expected.contentHash())
      }
      expect("--pretrained_vae_model_name_or_path", "a T2I-Adapter") {
        let adapter = Fixtures.path("adapter_xl/diffusion_pytorch_model.safetensors")
        return try DiffusionFolder(path: TestModel.path, vaePath: adapter).autoencoder()
      }
    }

    /// Names and shapes by which other models are known.
    @Test(arguments: [
      (
        [
          "model.diffusion_model.input_blocks.0.0.weight": [2, 4, 3, 3],
          "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": [
            2, 768,
          ],
          "cond_stage_model.transformer.text_model.final_layer_norm.weight": [2],
        ], "Stable Diffusion 1", "descendants"
      ),
      (
        [
          "model.diffusion_model.input_blocks.0.0.weight": [2, 4, 3, 3],
          "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight": [
            2, 1280,
          ],
          "model.diffusion_model.label_emb.0.0.weight": [2, 2560],
          "conditioner.embedders.0.model.ln_final.weight": [2],
        ], "refiner", "descendants"
      ),
      (
        [
          "model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias": [2],
          "first_stage_model.encoder.conv_in.weight": [2, 3, 3, 3],
        ], "Stable Diffusion 3", "descendants"
      ),
      (["adapter.body.0.resnets.0.block1.weight": [2, 2, 3, 3]], "not known", "inspect"),
    ])
    func `of other models are refused by name`(
      names: [String: [Int]], said: String, hint: String
    ) throws {
      let path = folder.file("other.safetensors")
      try SafetensorsWriter.write(
        names.map { ($0.key, HostTensor(dtype: .float16, shape: Shape($0.value))) }, to: path)
      expect(path, "--pretrained_model_name_or_path", said, hint) {
        try DiffusionFolder(path: path)
      }
    }

    @Test func `are refused when they are cut off`() throws {
      let path = try file(addingStrangers: false)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      try bytes.dropLast(1000).write(to: URL(fileURLWithPath: path))
      expect("not a sound safetensors file", path) { try model(path) }
    }
  }
}
