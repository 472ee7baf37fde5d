import EspalierCheckpoints
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("Checkpoint") struct CheckpointTests {
  private let folder: TemporaryFolder
  private let one = HostTensor([Float(1)], shape: [1])

  init() throws { folder = try temporaryFolder() }

  private func write(_ file: String, _ names: String...) throws {
    try SafetensorsWriter.write(names.map { ($0, one) }, to: folder.file(file))
  }

  private func write(text: String, to file: String) throws {
    try AtomicFile.write(text, to: folder.file(file))
  }

  @Test(arguments: ["unet", "vae", "text_encoder", "text_encoder_2"])
  func `opens every component of a model folder`(component: String) throws {
    let checkpoint = try Checkpoint(folder: Fixtures.path("tiny-sdxl/" + component))
    #expect(!checkpoint.entries.isEmpty && checkpoint.files.count == 1)
    #expect(try checkpoint.firstNonFinite() == nil)
  }

  @Test func `the variant decides between files`() throws {
    try write("model.safetensors", "full")
    try write("model.fp16.safetensors", "half")
    #expect(try Checkpoint(folder: folder.path).entries.keys.sorted() == ["full"])
    #expect(try Checkpoint(folder: folder.path, variant: "fp16").entries.keys.sorted() == ["half"])
    let error = #expect(throws: CheckpointError.self) {
      try Checkpoint(folder: folder.path, variant: "bf16")
    }
    #expect(error?.description.contains("leave it out to use model.safetensors") == true)
  }

  @Test func `a folder with only a variant says which`() throws {
    try write("model.fp16.safetensors", "half")
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(folder: folder.path) }
    #expect(error?.description.contains("ask for the variant fp16") == true)
  }

  @Test(arguments: [
    (nil, "model.safetensors.index.json"), ("fp16", "model.safetensors.index.fp16.json"),
  ])
  func `tensors are found across several files`(variant: String?, index: String) throws {
    try write("part1.safetensors", "a", "b")
    try write("part2.safetensors", "c")
    try write(
      text:
        #"{"metadata":{"total_size":12},"weight_map":{"a":"part1.safetensors","b":"part1.safetensors","c":"part2.safetensors"}}"#,
      to: index)
    let checkpoint = try Checkpoint(folder: folder.path, variant: variant)
    #expect(checkpoint.entries.keys.sorted() == ["a", "b", "c"])
    #expect(checkpoint.files.count == 2)
    #expect(try checkpoint.tensor("c").floats() == [1])
    #expect(checkpoint.file(of: "c") == folder.file("part2.safetensors"))
  }

  @Test(arguments: [
    (#"{"a":"gone.safetensors"}"#, "gone.safetensors"), (#"{"x":"part.safetensors"}"#, "x"),
    (#"{"a":"../part.safetensors"}"#, "same folder"), (#"{"a":7}"#, "7"), (#"[]"#, "weight_map"),
  ])
  func `a broken index is refused with the reason`(map: String, said: String) throws {
    try write("part.safetensors", "a")
    try write(text: #"{"weight_map":\#(map)}"#, to: "model.safetensors.index.json")
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(folder: folder.path) }
    #expect(error?.description.contains(said) == true, "\(String(describing: error))")
  }

  @Test(arguments: ["diffusion_pytorch_model.bin", "model.ckpt"])
  func `pickled weights are refused with the way to convert them`(file: String) throws {
    try write(text: "x", to: file)
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(folder: folder.path) }
    #expect(error?.description.contains("convert \(file)") == true)
  }

  @Test func `a folder without weights lists what is there`() throws {
    try write(text: "{}", to: "config.json")
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(folder: folder.path) }
    #expect(error?.description.contains("config.json") == true)
    #expect(
      throws: CheckpointError.file(FileError(path: "/nowhere", operation: "list", code: ENOENT))
    ) {
      try Checkpoint(folder: "/nowhere")
    }
  }

  @Test(arguments: [
    (["text_model.a.weight", "text_model.embeddings.position_ids"], "a.weight"),
    (["a.weight"], "text_model.a.weight"), (["text_model.a.weight"], "text_model.a.weight"),
  ])
  func `text encoders are read in both spellings`(inFile: [String], asked: String) throws {
    try SafetensorsWriter.write(inFile.map { ($0, one) }, to: folder.file("model.safetensors"))
    let view = try Checkpoint(folder: folder.path).view(.clipTextModel)
    #expect(try view.tensor(asked).floats() == [1])
    let report = LoadReport(model: "CLIPTextModel", required: [(asked, [1])], checkpoint: view)
    #expect(report.fits, "\(report)")
  }

  @Test(arguments: [DType.float16, .bfloat16, .float32], [Float.nan, .infinity, -.infinity])
  func `an infinite weight is found at its place`(dtype: DType, bad: Float) throws {
    for index in [0, 1, 16383, 16384, 40000] {
      var values = [Float](repeating: -65504, count: 40001)
      values[index] = bad
      let tensor = HostTensor(values, shape: [40001]).converted(to: dtype)
      #expect(tensor.firstNonFinite() == index)
      values[index] = 0
      #expect(HostTensor(values, shape: [40001]).converted(to: dtype).firstNonFinite() == nil)
    }
    try SafetensorsWriter.write(
      [("ok", one), ("w", HostTensor([0, bad], shape: [2]).converted(to: dtype))],
      to: folder.file("model.safetensors"))
    let checkpoint = try Checkpoint(folder: folder.path)
    #expect(try #require(try checkpoint.firstNonFinite()) == ("w", 1))
    #expect(
      throws: CheckpointError.nonFinite(
        path: folder.file("model.safetensors"), tensor: "w", index: 1)
    ) { try checkpoint.finiteTensor("w") }
  }
}
