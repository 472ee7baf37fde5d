import EspalierCheckpoints
import EspalierTensors
import TestSupport
import Testing

@Suite("espalier inspect") struct InspectCommandTests {
  private func inspect(_ arguments: String...) throws -> String {
    let result = try Program.run(["inspect"] + arguments)
    #expect(result.status == 0, Comment(rawValue: result.error))
    return result.output
  }

  @Test func `an adapter shows class, configuration, counts and fit`() throws {
    let path = Fixtures.path("adapter_xl")
    let file = try SafetensorsFile(path: path + "/diffusion_pytorch_model.safetensors")
    let numbers = file.entries.values.reduce(0) { $0 + $1.shape.count }
    let text = try inspect(path)
    #expect(text.contains("class     T2IAdapter"))
    #expect(text.contains("full_adapter_xl"))
    #expect(text.contains("tensors   \(file.names.count)\n"))
    #expect(text.contains("numbers   \(numbers)"))
    #expect(text.contains("fit       every tensor"))
    #expect(!text.contains("adapter.conv_in.weight"))
  }

  @Test func `tensors are listed on request`() throws {
    let path = Fixtures.path("adapter_xl/diffusion_pytorch_model.safetensors")
    let file = try SafetensorsFile(path: path)
    let text = try inspect(path, "--tensors")
    for (name, entry) in file.entries {
      #expect(text.contains(name))
      #expect(text.contains("\(entry.dtypeName) \(entry.shape)"))
    }
  }

  @Test func `a model shows all components`() throws {
    let text = try inspect(Fixtures.path("tiny-sdxl"))
    for part in [
      "StableDiffusionXLPipeline", "UNet2DConditionModel", "AutoencoderKL", "CLIPTextModel",
      "CLIPTextModelWithProjection", "EulerDiscreteScheduler", "tokenizer_2",
    ] { #expect(text.contains(part), Comment(rawValue: part)) }
    #expect(!text.contains("fit       no"), Comment(rawValue: text))
  }

  @Test func `a folder of a run shows its files and adapters`() throws {
    let folder = try temporaryFolder()
    try AtomicFile.write(#"{"step": 12, "seed": 3}"#, to: folder.file("state.json"))
    try SafetensorsWriter.write(
      [(name: "moment", tensor: HostTensor([1, 2, 3] as [Float], shape: [3]))],
      metadata: ["step": "12"],
      to: folder.file("optimizer.safetensors"))
    let text = try inspect(folder.path)
    for part in ["step  12", "optimizer.safetensors", "tensors   1", "12 bytes F32", "step: 12"] {
      #expect(text.contains(part), Comment(rawValue: part + "\n" + text))
    }
  }

  @Test func `what does not exist or cannot be read exits with 1`() throws {
    let folder = try temporaryFolder()
    try AtomicFile.write("not a safetensors file", to: folder.file("x.safetensors"))
    for (path, part) in [
      ("/nowhere", "cannot open /nowhere"), (folder.file("x.safetensors"), "sound"),
    ] {
      let result = try Program.run(["inspect", path])
      #expect(result.status == 1)
      #expect(result.error.contains(part), Comment(rawValue: result.error))
    }
  }
}
