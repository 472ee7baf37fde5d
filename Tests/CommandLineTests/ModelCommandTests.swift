import EspalierCheckpoints
import EspalierImages
import EspalierTensors
import Foundation
import TestSupport
import Testing

/// `espalier init-model`, and what it writes in the other commands.
@Suite("espalier init-model and single files") struct ModelCommandTests {
  private let folder: TemporaryFolder
  private static let base = Fixtures.project + "/Sources/EspalierDemo/BaseModel"

  init() throws { folder = try temporaryFolder() }

  @discardableResult
  private func run(
    _ arguments: String..., status: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Program.Result {
    let result = try Program.run(arguments)
    #expect(
      result.status == status && !result.isKilled, Comment(rawValue: result.error),
      sourceLocation: sourceLocation)
    return result
  }

  private func generate(_ model: String, to png: String, _ more: [String] = []) throws -> [UInt8] {
    let result = try Program.run(
      [
        "generate", "--pretrained_model_name_or_path", model, "--prompt", "red circle", "--seed",
        "3", "--num_inference_steps", "2", "--height", "64", "--width", "64", "--backend",
        TestBackend.current, "--output", png,
      ] + more)
    #expect(result.status == 0, Comment(rawValue: result.error))
    return try Image(contentsOf: png).bytes
  }

  @Test func `a random model is inspected, generates and is inspected as one file`() throws {
    let model = folder.file("mini")
    let result = try run("init-model", "--preset", "mini", "--seed", "5", model)
    #expect(result.output == model + "\n")
    #expect(result.error.contains("unet: 16.1 MiB"))
    let shown = try run("inspect", model).output
    #expect(shown.components(separatedBy: "fit       every tensor").count == 5)
    let picture = try generate(model, to: folder.file("a.png"))
    #expect(Set(picture).count > 50)
    let file = folder.file("mini.safetensors")
    try OriginalLayout(folder: model).write(to: file)
    #expect(try generate(file, to: folder.file("b.png")) == picture)
    let one = try run("inspect", file).output
    #expect(one.contains("this is   a whole model in one file: Stable Diffusion XL\n"))
    for part in ["unet", "vae", "text_encoder", "text_encoder_2"] {
      #expect(one.contains("\(part): fit       every tensor, and none is missing"))
    }
  }

  @Test func `the demo's base model trains from one file as from its folder`() throws {
    let training = try TrainingFolder()
    let file = folder.file("base.safetensors")
    try OriginalLayout(folder: Self.base).write(to: file)
    for (output, model) in [("folder", Self.base), ("file", file)] {
      let result = try Program.run(training.arguments(output, steps: 2, model: model))
      #expect(result.status == 0, Comment(rawValue: result.error))
    }
    #expect(try training.adapterBytes("folder") == training.adapterBytes("file"))
    #expect(try training.metrics("folder")["loss"] == training.metrics("file")["loss"])
  }

  @Test func `an adapter is converted there and back, and used in either layout`() throws {
    let (original, back) = (folder.file("a.safetensors"), folder.file("back"))
    let adapter = Fixtures.path("adapter_xl")
    try run("convert", "--to", "original", adapter, original)
    try run("convert", "--to", "diffusers", original, back)
    #expect(
      try Checkpoint(folder: back).contentHash() == Checkpoint(folder: adapter).contentHash())
    #expect(
      try run("inspect", original).output.contains(
        "this is   a T2I-Adapter in its authors' layout: full_adapter_xl"))
    #expect(
      try run("inspect", back).output.contains(
        "this is   a T2I-Adapter in Diffusers' layout: full_adapter_xl"))
    let control = ["--image", Fixtures.path("images/condition.png")]
    let tiny = Fixtures.path("tiny-sdxl")
    let pictures = try [adapter, original, back].enumerated().map { index, path in
      try generate(tiny, to: folder.file("\(index).png"), ["--adapter", path] + control)
    }
    #expect(pictures[0] == pictures[1] && pictures[0] == pictures[2])
  }

  @Test func `wrong settings are answered before anything is written`() throws {
    let target = folder.file("new")
    for (arguments, said) in [
      (["--preset", "sdxl"], "sdxl-base-1.0"), ([], "either --preset or --adapter"),
      (["--preset", "mini", "--adapter", "full_adapter_xl"], "either --preset or --adapter"),
      (["--adapter", "light_adapter"], "full_adapter_xl"),
      (["--preset", "mini", "--dtype", "f8"], "f8"),
      (["--preset", "mini", "--max_shard_size", "many"], "many"),
      (["--preset", "mini", "--variant", "../x"], "--variant"),
    ] {
      let result = try Program.run(["init-model"] + arguments + [target])
      #expect(result.status == 2)
      #expect(result.error.contains(said), Comment(rawValue: result.error))
    }
    let result = try run("init-model", "--preset", "mini", folder.path + "/..", status: 1)
    #expect(result.error.contains("not empty"), Comment(rawValue: result.error))
    #expect(try folder.contents().isEmpty)
  }

  @Test func `Ctrl-C leaves nothing behind`() throws {
    let model = folder.file("large")
    let program = try Program.start(["init-model", "--preset", "sdxl-base-1.0", model])
    while program.isRunning, !program.error.contains("text_encoder: ") { usleep(10_000) }
    program.send(SIGINT)
    let result = try program.result()
    #expect(result.status == 130 && !result.isKilled, Comment(rawValue: result.error))
    #expect(result.error.contains("stopped"))
    #expect(try folder.contents().isEmpty)
  }

  /// The model in several files, of which one is damaged in turn.
  @Test func `training refuses shards that are missing or do not hold what the index says`() throws
  {
    let training = try TrainingFolder()
    let model = training.file("model")
    try run("init-model", "--preset", "mini", "--max_shard_size", "4MB", model)
    let files = FileManager.default
    let unet = model + "/unet/"
    let second = unet + "diffusion_pytorch_model-00002-of-00005.safetensors"
    let index = unet + "diffusion_pytorch_model.safetensors.index.json"
    func expectRefused(
      _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let result = try Program.run(training.arguments("out", steps: 2, model: model))
      #expect(result.status == 1 && !result.isKilled, sourceLocation: sourceLocation)
      for part in parts {
        #expect(
          result.error.contains(part), Comment(rawValue: result.error),
          sourceLocation: sourceLocation)
      }
      #expect(!files.fileExists(atPath: training.file("out")), sourceLocation: sourceLocation)
    }
    let bytes = try Data(contentsOf: URL(fileURLWithPath: second))
    try bytes.dropLast(1).write(to: URL(fileURLWithPath: second))
    try expectRefused(second, "not a sound safetensors file")
    try files.removeItem(atPath: second)
    try expectRefused(index, "00002-of-00005", "is the download complete?")
    let first = unet + "diffusion_pytorch_model-00001-of-00005.safetensors"
    try files.copyItem(atPath: first, toPath: second)
    try expectRefused(index, "the tensor in diffusion_pytorch_model-00002-of-00005.safetensors")
  }

  @Test func `models that are not SDXL are refused by name`() throws {
    let training = try TrainingFolder()
    let file = folder.file("sd15.safetensors")
    let toK = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
    try SafetensorsWriter.write(
      [
        ("model.diffusion_model.input_blocks.0.0.weight", HostTensor(shape: [2, 4, 3, 3])),
        (toK, HostTensor(shape: [2, 768])),
        ("cond_stage_model.transformer.text_model.final_layer_norm.weight", HostTensor(shape: [2])),
      ], to: file)
    let shown = try run("inspect", file).output
    #expect(shown.contains("this is   a whole model in one file: Stable Diffusion 1"))
    var models = [(file, "Stable Diffusion 1")]
    for (name, said) in [
      ("StableDiffusionPipeline", "Stable Diffusion 1 or 2"),
      ("StableDiffusion3Pipeline", "Stable Diffusion 3"), ("FluxPipeline", "FLUX"),
    ] {
      try AtomicFile.write(#"{"_class_name": "\#(name)"}"#, to: folder.file(name + ".json"))
      try Folder.make(folder.file(name))
      try FileManager.default.moveItem(
        atPath: folder.file(name + ".json"), toPath: folder.file(name + "/model_index.json"))
      models.append((folder.file(name), said))
    }
    for (model, said) in models {
      for arguments in [
        training.arguments("out", steps: 2, model: model),
        [
          "generate", "--pretrained_model_name_or_path", model, "--prompt", "x", "--output",
          training.file("x.png"),
        ],
      ] {
        let result = try Program.run(arguments)
        #expect(result.status == 1 && !result.isKilled)
        for part in [model, said, "Stable Diffusion XL"] {
          #expect(result.error.contains(part), Comment(rawValue: result.error))
        }
      }
    }
    #expect(!FileManager.default.fileExists(atPath: training.file("out")))
  }
}
