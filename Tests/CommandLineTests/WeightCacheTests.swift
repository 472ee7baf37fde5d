import EspalierCheckpoints
import Foundation
import TestSupport
import Testing

/// `--weight_cache` in `train`, `generate` and `plan`, on the backend that keeps copies.
@Suite("--weight_cache") struct WeightCacheTests {
  private let folder: TrainingFolder

  init() throws { folder = try TrainingFolder() }

  /// Two pictures with half-precision weights, in enough steps for copies to pay.
  private func generation(_ more: [String]) -> [String] {
    [
      "generate", "--pretrained_model_name_or_path", Fixtures.path("tiny-sdxl"), "--prompt", "x",
      "y", "--height", "64", "--width", "64", "--num_inference_steps", "30", "--seed", "1",
      "--mixed_precision", "fp16", "--backend", "blas", "--output", folder.file("picture.png"),
    ] + more
  }

  private func training(_ output: String, steps: Int, _ more: [String]) -> [String] {
    folder.arguments(
      output, steps: steps, ["--mixed_precision", "fp16", "--backend", "blas"] + more)
  }

  /// Bytes of the copies that a phase keeps.
  private func copies(_ arguments: [String], in phase: String) throws -> Int {
    let result = try Program.run(["plan"] + arguments + ["--json"])
    #expect(result.status == 0, Comment(rawValue: result.error))
    let phases = try JSONValue(parsing: result.output.utf8)["phases"]?.array
    let found = try #require(phases?.first { $0["phase"]?.string == phase })
    return try #require(found["memory_bytes"]?["packed_copies"]?.int)
  }

  private func size(_ size: String) -> [String] { ["--weight_cache", size] }

  @Test func `a plan counts the copies, none above the size that was given`() throws {
    func unet(_ size: String, steps: String = "30") throws -> Int {
      try copies(
        generation(self.size(size) + ["--num_inference_steps", steps]), in: "UNet steps")
    }
    let all = try unet("1GiB")
    #expect(all > 1 << 20)
    #expect(try unet("none") == 0)
    let half = try unet("\(all / 2)")
    #expect(half <= all / 2 && half > all / 4)
    #expect(try unet("\(all)") == all)
    #expect(try unet("1GiB", steps: "1") == 0)
    let auto = try unet("auto")
    #expect(auto > 0 && auto <= all)
    let table = try Program.run(["plan"] + generation(size("1GiB")))
    #expect(table.output.contains("of copies of weights in UNet steps; see --weight_cache"))
  }

  @Test func `a training's copies are there in its validations too`() throws {
    let arguments = training(
      "out", steps: 400,
      size("1GiB") + [
        "--validation_prompt", "x", "--validation_image", folder.data("c0.png"),
      ])
    let step = try copies(arguments, in: "training steps")
    #expect(step > 1 << 20)
    #expect(try copies(arguments, in: "validation: UNet steps") == step)
    #expect(try copies(arguments, in: "validation: VAE decoding") == step)
    #expect(try copies(arguments, in: "validation: text encoding") == 0)
    #expect(try copies(arguments, in: "text encoding") == 0)
  }

  @Test func `pictures are the same with copies and without`() throws {
    func latents(_ more: [String]) throws -> Data {
      let file = folder.file("latents.safetensors")
      let result = try Program.run(generation(more + ["--save_latents", file]))
      #expect(result.status == 0, Comment(rawValue: result.error))
      return try Data(contentsOf: URL(fileURLWithPath: file))
    }
    let plain = try latents(size("none"))
    #expect(try latents(size("1GiB")) == plain)
    // Batches of two and of one share what is the same.
    let three = ["--prompt", "x", "y", "z"]
    #expect(try latents(size("1GiB") + three) == latents(size("none") + three))
  }

  /// With micro-batches, whose programs share their copies, and blocks that are computed again.
  @Test(arguments: [[], ["--gradient_accumulation_steps", "2"], ["--gradient_checkpointing"]])
  func `a training is the same with copies and without`(flags: [String]) throws {
    let more =
      flags + [
        "--validation_prompt", "x", "--validation_image", folder.data("c0.png"),
        "--validation_steps", "30", "--num_validation_images", "1",
      ]
    for size in ["none", "1GiB"] {
      let result = try Program.run(training(size, steps: 60, self.size(size) + more))
      #expect(result.status == 0, Comment(rawValue: result.error))
      #expect(
        result.error.contains("copies of weights") == (size != "none"),
        Comment(rawValue: result.error))
    }
    #expect(try folder.adapterBytes("1GiB") == folder.adapterBytes("none"))
    for step in [30, 60] {
      let pictures = try ["none", "1GiB"].map { size in
        try Data(
          contentsOf: URL(
            fileURLWithPath: folder.file(size) + "/validation/step-\(step)/0.png"))
      }
      #expect(pictures[0] == pictures[1])
    }
  }

  @Test func `copies count against what is free, and 'none' is the way out`() throws {
    let plain = training("out", steps: 400, size("none"))
    let result = try Program.run(["plan"] + plain + ["--json"])
    let phases = try JSONValue(parsing: result.output.utf8)["phases"]?.array ?? []
    var largest = 0
    for phase in phases {
      var need = 0
      for member in phase["memory_bytes"]?.members ?? [] where member.key != "mapped_weights" {
        need += member.value.int ?? 0
      }
      largest = max(largest, need)
    }
    let free = largest + (64 << 10)
    let small = try WrapperBackend.build(
      ["FREE_BYTES": "\(free)", "EXECUTION": "0", "CODE": "ESP_INTERNAL"], around: "blas",
      in: folder.folder)
    func plan(_ size: String) throws -> Program.Result {
      try Program.run(["plan"] + training("out", steps: 400, self.size(size) + small))
    }
    let refused = try plan("1GiB")
    #expect(refused.status == 1)
    #expect(
      refused.error.contains("packed copies ")
        && refused.error.contains("it fits with --weight_cache none: "),
      Comment(rawValue: refused.error))
    #expect(try plan("none").status == 0)
    #expect(try plan("auto").status == 0)
  }

  @Test func `a plugin that knows nothing of copies runs without`() throws {
    let old = try WrapperBackend.build(
      ["BEFORE_COPIES": "1", "EXECUTION": "0", "CODE": "ESP_INTERNAL"], around: "blas",
      in: folder.folder)
    let arguments = generation(size("1GiB") + old)
    #expect(try copies(arguments, in: "UNet steps") == 0)
    let result = try Program.run(arguments)
    #expect(result.status == 0, Comment(rawValue: result.error))
  }

  @Test(arguments: ["0", "-1GiB", "much", "4XB", ""])
  func `another size is refused as a wrong flag`(size: String) throws {
    for arguments in [
      generation(self.size(size)), training("out", steps: 1, self.size(size)),
      ["plan"] + generation(self.size(size)), ["bench", "--weight-cache", size, "--list"],
    ] {
      let result = try Program.run(arguments)
      #expect(result.status == 2, Comment(rawValue: result.error))
    }
  }
}
