import Foundation
import TestSupport
import Testing

/// Runs that do not fit into a device: refused with the numbers before anything is computed.
@Suite("A run that cannot fit") struct DeviceMemoryTests {
  private let folder: TrainingFolder

  init() throws { folder = try TrainingFolder() }

  private func plugin(_ macros: [String: String]) throws -> [String] {
    try WrapperBackend.build(
      macros.merging(["EXECUTION": "1", "CODE": "ESP_INTERNAL"]) { a, _ in a }, around: "blas",
      in: folder.folder)
  }

  private func generate(_ more: [String]) throws -> Program.Result {
    try Program.run(
      [
        "generate", "--pretrained_model_name_or_path", Fixtures.path("tiny-sdxl"), "--prompt", "x",
        "--height", "64", "--width", "64", "--num_inference_steps", "1", "--seed", "1", "--output",
        folder.file("x.png"),
      ] + more)
  }

  /// Weights count on a GPU, and trained state is four times the adapter.
  @Test func `training is refused before the data is prepared`() throws {
    let gpu = ["CLASS": "ESP_DEVICE_DISCRETE_GPU"]
    for memory in [["FREE_BYTES": "1048576"], ["FREE_BYTES": "0", "MEMORY_BYTES": "1048576"]] {
      let result = try Program.run(
        folder.arguments("out", steps: 1, try plugin(gpu.merging(memory) { $1 })))
      folder.expectOneError(
        result,
        naming: [
          "1.0 MiB free, but a training step needs ", "(weights ", ", activations ",
          ", trained state ", "--train_batch_size", "--resolution", "--gradient_checkpointing",
        ])
      #expect(!result.error.contains("encoding"), Comment(rawValue: result.error))
      #expect(!FileManager.default.fileExists(atPath: folder.file("cache")))
    }
  }

  @Test func `weights that stay in their files count for nothing on a CPU`() throws {
    let result = try Program.run(
      folder.arguments("out", steps: 1, try plugin(["FREE_BYTES": "1048576"])))
    folder.expectOneError(result, naming: ["a training step needs ", "(activations "])
  }

  @Test func `recomputation makes a run fit that does not fit without`() throws {
    func need(_ flags: [String]) throws -> Double {
      let result = try Program.run(
        folder.arguments("out", steps: 1, flags + (try plugin(["FREE_BYTES": "4096"]))))
      let size = try #require(result.error.firstMatch(of: /activations ([0-9.]+) ([KM])iB/))
      return try #require(Double(size.1)) * (size.2 == "M" ? 1024 : 1)
    }
    #expect(try need(["--gradient_checkpointing"]) < need([]))
  }

  @Test func `generation is refused before the first step`() throws {
    let small = try plugin(["CLASS": "ESP_DEVICE_DISCRETE_GPU", "FREE_BYTES": "65536"])
    let result = try generate(small)
    folder.expectOneError(
      result, naming: ["64.0 KiB free, but the UNet needs ", "--height", "--max_batch_size"])
    #expect(!result.error.contains("encoding"), Comment(rawValue: result.error))
  }

  /// The decoder needs the most at this size, so there is a memory that only it does not fit into.
  @Test func `what comes last is refused first`() throws {
    var memory = 1 << 20
    while memory < 1 << 32 {
      let result = try generate(
        ["--height", "512", "--width", "512", "--vae_tiling", "off"]
          + plugin(["FREE_BYTES": "\(memory)"]))
      folder.expectOneError(result, naming: [" free, but "])
      #expect(!result.error.contains("encoding"), Comment(rawValue: result.error))
      if result.status == 0 || result.error.contains("but the VAE's decoder needs ") { return }
      memory += memory / 2
    }
    Issue.record("the decoder was never refused")
  }

  @Test func `a tensor that is too large for a buffer is named with its layer`() throws {
    let weight = try generate(plugin(["MAX_BUFFER_BYTES": "4096"]))
    folder.expectOneError(weight, naming: ["the weight text_encoder.", "a buffer of ", "4.0 KiB"])
    // The picture fits, maps with more channels do not.
    let side = 1024
    let result = try generate(
      ["--height", "\(side)", "--width", "\(side)", "--vae_tiling", "off"]
        + plugin(["MAX_BUFFER_BYTES": "\(side * side * 3 * 4)"]))
    folder.expectOneError(result, naming: ["12.0 MiB", "--height"])
    #expect(
      result.error.contains(/the (result|scratch) of [A-Za-z0-9]+ in (unet|vae)\.[a-z]/),
      Comment(rawValue: result.error))
    let training = try Program.run(
      folder.arguments("out", steps: 1, plugin(["MAX_BUFFER_BYTES": "4096"])))
    folder.expectOneError(training, naming: ["4.0 KiB", "--train_batch_size"])
    #expect(!FileManager.default.fileExists(atPath: folder.file("cache")))
  }
}
