import EspalierCheckpoints
import EspalierTensors
import Foundation
import TestSupport
import Testing

/// Models that cannot be trained with: one clear error each, no crash, nothing half-written.
@Suite("espalier train refuses models") struct TrainModelRefusalTests {
  private let folder: TrainingFolder

  init() throws { folder = try TrainingFolder() }

  private func expectRefused(
    model: String? = nil, _ more: [String] = [], naming parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try Program.run(folder.arguments("out", steps: 2, model: model, more))
    folder.expectOneError(result, naming: parts, sourceLocation: sourceLocation)
    #expect(folder.checkpoints("out").isEmpty, sourceLocation: sourceLocation)
    #expect(
      !FileManager.default.fileExists(atPath: folder.file("out/config.json")),
      sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    "unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/model.safetensors",
  ])
  func `a truncated file`(file: String) throws {
    let bytes = try DamagedModel.bytes(file)
    for count in [bytes.count - 100, 200, 4, 0] {
      let model = try DamagedModel(folder, replacing: file, with: bytes.prefix(count))
      try expectRefused(model: model.path, naming: model.path + "/" + file)
    }
  }

  @Test func `a header of impossible length`() throws {
    let bytes = try DamagedModel.bytes()
    for length in [1 << 62, -1, bytes.count, 1 << 40] {
      let model = try DamagedModel(folder, with: DamagedModel.size(length) + bytes.dropFirst(8))
      try expectRefused(model: model.path, naming: model.path + "/unet/")
    }
  }

  @Test func `tensors that overlap, or have another shape than their bytes`() throws {
    let overlapping = try DamagedModel.withHeader { header in
      let offsets = header["conv_in.weight"]?["data_offsets"]
      header["conv_out.weight"]?["data_offsets"] = offsets
    }
    let tooLarge = try DamagedModel.withHeader { header in
      header["conv_out.weight"]?["shape"] = [1 << 40, 1 << 40, 3, 3]
    }
    let outside = try DamagedModel.withHeader { header in
      header["conv_out.weight"]?["data_offsets"] = [0, 1 << 62]
    }
    for bytes in [overlapping, tooLarge, outside] {
      let model = try DamagedModel(folder, with: bytes)
      try expectRefused(model: model.path, naming: model.path + "/unet/", "conv_")
    }
  }

  @Test func `a wrong shape and a missing key are named`() throws {
    let turned = try DamagedModel.withHeader { header in
      let shape = try #require(header["conv_in.weight"]?["shape"] as? [Int])
      header["conv_in.weight"]?["shape"] = [shape[1], shape[0], shape[2], shape[3]]
    }
    let model = try DamagedModel(folder, with: turned)
    try expectRefused(model: model.path, naming: "conv_in.weight", "expected")
    let lacking = try DamagedModel.rewritten(folder) { $0["conv_in.bias"] = nil }
    let other = try DamagedModel(folder, with: lacking)
    try expectRefused(model: other.path, naming: "conv_in.bias")
  }

  @Test func `weights that are no numbers are found before the first step`() throws {
    for value in [Float.nan, .infinity] {
      let bytes = try DamagedModel.rewritten(folder) { tensors in
        let old = try #require(tensors["mid_block.resnets.0.conv1.weight"])
        var values = old.floats()
        values[7] = value
        tensors["mid_block.resnets.0.conv1.weight"] = HostTensor(values, shape: old.shape)
      }
      let model = try DamagedModel(folder, with: bytes)
      try expectRefused(model: model.path, naming: "mid_block.resnets.0.conv1.weight")
    }
  }

  @Test func `a configuration that is no JSON, or lacks or misstates a key`() throws {
    let text = String(decoding: try DamagedModel.bytes("unet/config.json"), as: UTF8.self)
    for (bytes, part) in [
      (Data("{\"a\":".utf8), "config.json"), (Data(), "config.json"),
      (Data("[]".utf8), "config.json"),
      (
        Data(text.replacing("\"block_out_channels\"", with: "\"other\"").utf8), "block_out_channels"
      ),
      (
        Data(text.replacing("\"layers_per_block\": 2", with: "\"layers_per_block\": -2").utf8),
        "layers_per_block"
      ),
    ] {
      let model = try DamagedModel(folder, replacing: "unet/config.json", with: bytes)
      try expectRefused(model: model.path, naming: part)
    }
  }

  @Test func `an adapter for SD 1.5, a light one, and one that is not there`() throws {
    for name in ["adapter_full", "adapter_light"] {
      try expectRefused(
        ["--adapter_model_name_or_path", Fixtures.path(name)], naming: name)
    }
    try expectRefused(["--adapter_model_name_or_path", "/nowhere/a"], naming: "/nowhere/a")
  }

  @Test func `a model, backend, logger or scheduler that is not there`() throws {
    try expectRefused(model: "stabilityai/sdxl", naming: "stabilityai/sdxl")
    try expectRefused(["--backend", "nonsense"], naming: "there is no backend 'nonsense'")
    try expectRefused(["--report_to", "csv,nonsense"], naming: "there is no logger 'nonsense'")
    try expectRefused(["--plugin", "/nowhere/x.so"], naming: "/nowhere/x.so")
    let json = String(
      decoding: try DamagedModel.bytes("scheduler/scheduler_config.json"), as: UTF8.self)
    let model = try DamagedModel(
      folder, replacing: "scheduler/scheduler_config.json",
      with: Data(json.replacing("EulerDiscreteScheduler", with: "NonsenseScheduler").utf8))
    try expectRefused(
      model: model.path,
      ["--validation_prompt", "a", "--validation_image", folder.data("c0.png")],
      naming: "NonsenseScheduler")
  }
}

extension TrainingFolder {
  /// Expects exit code 1 with one error that names all the parts.
  func expectOneError(
    _ result: Program.Result, naming parts: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let comment = Comment(rawValue: result.error)
    #expect(result.status == 1 && !result.isKilled, comment, sourceLocation: sourceLocation)
    let errors = result.error.split(separator: "\n").filter { $0.hasPrefix("error: ") }
    #expect(errors.count == 1, comment, sourceLocation: sourceLocation)
    #expect(!result.error.contains("Error Domain"), comment, sourceLocation: sourceLocation)
    #expect(result.output.isEmpty, comment, sourceLocation: sourceLocation)
    for part in parts {
      #expect(
        result.error.contains(part), Comment(rawValue: part + " is not in: " + result.error),
        sourceLocation: sourceLocation)
    }
  }
}
