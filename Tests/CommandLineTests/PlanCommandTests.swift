import EspalierCheckpoints
import EspalierImages
import Foundation
import TestSupport
import Testing

/// `espalier plan`, and the plan at the start of every run.
@Suite("espalier plan") struct PlanCommandTests {
  private let folder: TrainingFolder

  init() throws { folder = try TrainingFolder() }

  private func generation(_ more: [String] = []) -> [String] {
    [
      "generate", "--pretrained_model_name_or_path", Fixtures.path("tiny-sdxl"), "--prompt", "x",
      "y", "--height", "64", "--width", "64", "--num_inference_steps", "3", "--seed", "1",
      "--backend", TestBackend.current, "--output", folder.file("picture.png"),
    ] + more
  }

  private func plan(_ arguments: [String]) throws -> JSONValue {
    let result = try Program.run(["plan"] + arguments + ["--json"])
    #expect(result.status == 0, Comment(rawValue: result.error))
    return try JSONValue(parsing: result.output.utf8)
  }

  private func phases(_ plan: JSONValue) -> [String: JSONValue] {
    Dictionary(
      uniqueKeysWithValues: (plan["phases"]?.array ?? []).map { ($0["phase"]?.string ?? "", $0) })
  }

  private func bytes(_ phase: JSONValue?, _ kind: String) -> Int {
    phase?["memory_bytes"]?[kind]?.int ?? -1
  }

  @Test func `a generation's phases come with memory, operations and time`() throws {
    let plan = try plan(generation())
    let phases = phases(plan)
    #expect(
      plan["phases"]?.array?.compactMap { $0["phase"]?.string }
        == ["text encoding", "UNet steps", "VAE decoding"])
    // Two prompts are one batch.
    #expect(phases["UNet steps"]?["runs"]?.int == 3)
    #expect(phases["VAE decoding"]?["runs"]?.int == 2)
    var (operations, seconds) = (0.0, 0.0)
    for (name, phase) in phases {
      #expect(phase["floating_point_operations"]?.double ?? 0 > 1e6, "\(name)")
      #expect(phase["seconds"]?.double ?? 0 > 0, "\(name)")
      #expect(bytes(phase, "activations") > 0, "\(name)")
      #expect(bytes(phase, "weights") + bytes(phase, "mapped_weights") > 100_000, "\(name)")
      #expect(bytes(phase, "trained_state") == 0, "\(name)")
      operations += phase["floating_point_operations"]?.double ?? 0
      seconds += phase["seconds"]?.double ?? 0
    }
    let total = try #require(plan["floating_point_operations"]?.double)
    #expect(abs(total / operations - 1) < 1e-9)
    let time = try #require(plan["seconds"]?.double)
    #expect(abs(time / seconds - 1) < 1e-9)
    #expect(!FileManager.default.fileExists(atPath: folder.file("picture.png")))
  }

  @Test func `twice the steps are twice the operations in the same memory`() throws {
    func unet(_ steps: String) throws -> JSONValue? {
      phases(try plan(generation(["--num_inference_steps", steps, "--weight_cache", "none"])))[
        "UNet steps"]
    }
    let (few, many) = (try unet("3"), try unet("6"))
    let ratio =
      (many?["floating_point_operations"]?.double ?? 0)
      / (few?["floating_point_operations"]?.double ?? 1)
    #expect(abs(ratio - 2) < 1e-9)
    #expect(many?["memory_bytes"] == few?["memory_bytes"])
  }

  @Test func `a training run's plan counts its data, states and caches and writes nothing`() throws
  {
    let arguments = folder.arguments(
      "out", steps: 4,
      [
        "--validation_prompt", "x", "--validation_image", folder.data("c0.png"),
        "--validation_steps", "2", "--num_validation_images", "1", "--checkpointing_steps", "2",
      ])
    let plan = try plan(arguments)
    let phases = phases(plan)
    for name in [
      "text encoding", "VAE encoding", "training steps", "validation: text encoding",
      "validation: adapter", "validation: UNet steps", "validation: VAE decoding",
    ] {
      #expect(phases[name] != nil, "\(name)")
    }
    #expect(phases["VAE encoding"]?["runs"]?.int == TrainingFolder.sampleCount)
    #expect(phases["training steps"]?["runs"]?.int == 4)
    // 20 steps after steps 2 and 4.
    #expect(phases["validation: UNet steps"]?["runs"]?.int == 40)
    let state = bytes(phases["training steps"], "trained_state")
    #expect(state > 0)
    #expect(bytes(phases["validation: UNet steps"], "trained_state") == state)
    // Beside the pictures, less than a copy of all parameters: they are saved one after the other.
    let pictures = TrainingFolder.sampleCount * 64 * 64 * 3
    #expect((0..<state / 4).contains(bytes(phases["training steps"], "host") - pictures))
    let disk = try #require(plan["disk"]?.array)
    // 8 × 8 latents of two times 4 channels in f32, and something for 6 captions and the empty one.
    let latents = TrainingFolder.sampleCount * 8 * 8 * 8 * 4
    #expect(disk[0]["path"]?.string == folder.file("cache"))
    #expect(disk[0]["bytes"]?.int ?? 0 > latents)
    // The adapter and three states, each with weights and two moments: a state is a quarter of parameter, gradient and
    // moments more than the two moments.
    #expect(disk[1]["bytes"]?.int == state / 4 * (1 + 3 * 3))
    for name in ["out", "cache"] {
      #expect(!FileManager.default.fileExists(atPath: folder.file(name)))
    }
  }

  @Test func `the table names every phase, and a run shows it before it starts`() throws {
    let table = try Program.run(["plan"] + generation())
    #expect(table.status == 0, Comment(rawValue: table.error))
    for part in [
      "PHASE", "PEAK", "TFLOP", "text encoding", "UNet steps", "VAE decoding", " in all",
    ] {
      #expect(table.output.contains(part), Comment(rawValue: table.output))
    }
    let run = try Program.run(generation())
    #expect(run.status == 0, Comment(rawValue: run.error))
    let plan = try #require(run.error.range(of: "plan     UNet steps"))
    let start = try #require(run.error.range(of: "encoding the prompts"))
    #expect(plan.lowerBound < start.lowerBound, Comment(rawValue: run.error))
    let training = try folder.train("out", steps: 1)
    #expect(training.error.contains("plan     training steps"), Comment(rawValue: training.error))
  }

  /// The named flag is taken, and the run goes through.
  @Test func `a run that does not fit is told what makes it fit`() throws {
    let kept = phases(try plan(folder.arguments("out", steps: 1)))["training steps"]
    let recomputed = phases(
      try plan(folder.arguments("out", steps: 1, ["--gradient_checkpointing"])))[
        "training steps, recomputing"]
    func need(_ phase: JSONValue?) -> Int {
      [
        "weights", "packed_copies", "activations", "workspace", "trained_state",
        "inputs_and_outputs", "host",
      ].reduce(0) { $0 + bytes(phase, $1) }
    }
    let between = (need(kept) + need(recomputed)) / 2
    #expect(need(recomputed) < between)
    let small = try WrapperBackend.build(
      ["FREE_BYTES": "\(between)", "EXECUTION": "0", "CODE": "ESP_INTERNAL"], in: folder.folder)
    let refused = try Program.run(folder.arguments("out", steps: 1, small))
    folder.expectOneError(
      refused, naming: ["a training step needs ", "it fits with --gradient_checkpointing: "])
    #expect(!FileManager.default.fileExists(atPath: folder.file("out")))
    let planned = try Program.run(["plan"] + folder.arguments("out", steps: 1, small))
    #expect(planned.status == 1)
    #expect(planned.output.contains("training steps"))
    #expect(planned.error.contains("it fits with --gradient_checkpointing: "))
  }

  @Test func `wrong flags are refused as by the commands themselves`() throws {
    for arguments in [
      generation(["--clip_skip", "-1"]), folder.arguments("out", steps: 0),
      generation(["--vae_tiling", "maybe"]),
    ] {
      let result = try Program.run(["plan"] + arguments)
      #expect(result.status == 2, Comment(rawValue: result.error))
      #expect(result.output.isEmpty)
    }
  }

  @Test func `tiling makes no other picture`() throws {
    func picture(_ tiling: String) throws -> [Float] {
      let pictures = folder.file(tiling)
      let result = try Program.run(generation(["--vae_tiling", tiling, "--output", pictures]))
      #expect(result.status == 0, Comment(rawValue: result.error))
      return try Image(contentsOf: pictures + "/1-0.png").bytes.map { Float($0) }
    }
    expectClose(try picture("on"), try picture("off"), absolute: 1)
  }
}
