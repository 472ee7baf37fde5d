import EspalierCheckpoints
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("espalier train") struct TrainCommandTests {
  private let accumulating = [
    "--gradient_accumulation_steps", "2", "--lr_scheduler", "cosine", "--lr_warmup_steps", "2",
  ]

  @Test func `a run leaves an adapter in Diffusers' layout, one row per step and a summary`() throws
  {
    let folder = try TrainingFolder()
    let result = try folder.train("out", steps: 5, accumulating)
    #expect(result.output == folder.file("out") + "\n")
    let golden = Fixtures.path("adapter_xl")
    let (found, expected) = (
      try SafetensorsFile(path: folder.file("out/diffusion_pytorch_model.safetensors")),
      try SafetensorsFile(path: golden + "/diffusion_pytorch_model.safetensors")
    )
    #expect(Set(found.names) == Set(expected.names))
    for (name, entry) in expected.entries {
      #expect(found.entries[name]?.shape == entry.shape, Comment(rawValue: name))
      #expect(found.entries[name]?.dtypeName == "F32")
    }
    let config = try folder.json("out/config.json")
    let reference = try JSONObject(contentsOf: golden + "/config.json")
    #expect(config["_class_name"]?.string == "T2IAdapter")
    #expect(config["adapter_type"]?.string == "full_adapter_xl")
    #expect(config["channels"]?.ints == (try reference.ints("channels")))
    #expect(config["downscale_factor"]?.int == 16)

    let metrics = try folder.metrics("out")
    #expect(metrics["step"] == [1, 2, 3, 4, 5])
    #expect(metrics["lr"]?.prefix(3) == [0, 5e-4, 1e-3])
    for name in ["loss", "grad_norm", "images_per_second"] {
      #expect(metrics[name]?.count == 5)
      #expect(metrics[name]?.allSatisfy { $0.isFinite && $0 > 0 } == true, Comment(rawValue: name))
    }
    let summary = try folder.json("out/training_summary.json")
    #expect(summary["training_steps"]?.int == 5)
    #expect(summary["interrupted"]?.bool == false)
    #expect(summary["final_loss"]?.double == metrics["loss"]?.last)
    for key in [
      "training_seconds", "preparation_seconds", "images_per_second", "peak_memory_bytes",
    ] {
      #expect((summary[key]?.double ?? 0) > 0, Comment(rawValue: key))
    }
    #expect(folder.checkpoints("out") == [5])
    try folder.expectWhole("out", 5)
  }

  @Test func `all metadata layouts give the same adapter`() throws {
    let adapters = try TrainingFolder.Layout.allCases.map { layout in
      let folder = try TrainingFolder(layout)
      try folder.train("out", steps: 2)
      return try folder.adapterBytes("out")
    }
    #expect(Set(adapters).count == 1)
  }

  @Test func `another seed gives another adapter`() throws {
    let folder = try TrainingFolder()
    try folder.train("a", steps: 1)
    try folder.train("b", steps: 1, ["--seed", "4"])
    #expect(try folder.adapterBytes("a") != folder.adapterBytes("b"))
  }

  @Test func `recomputation gives the same losses, and half precision nearly`() throws {
    let folder = try TrainingFolder()
    try folder.train("plain", steps: 4, accumulating)
    let plain = try #require(try folder.metrics("plain")["loss"])
    for (flags, tolerance) in [
      (["--gradient_checkpointing"], 1e-5), (["--mixed_precision", "bf16"], 0.05),
      (["--mixed_precision", "fp16"], 0.01),
    ] {
      let name = flags.joined()
      try folder.train(name, steps: 4, accumulating + flags)
      let losses = try #require(try folder.metrics(name)["loss"])
      expectClose(losses.map { Float($0) }, plain.map { Float($0) }, absolute: tolerance, name)
    }
  }

  @Test func `training goes on from an adapter, also of one channel`() throws {
    let folder = try TrainingFolder()
    for name in ["adapter_xl", "adapter_xl_gray"] {
      let path = Fixtures.path(name)
      try folder.train(name, steps: 1, ["--adapter_model_name_or_path", path])
      let before = try SafetensorsFile(path: path + "/diffusion_pytorch_model.safetensors")
      let after = try SafetensorsFile(
        path: folder.file(name + "/diffusion_pytorch_model.safetensors"))
      #expect(Set(after.names) == Set(before.names))
      for key in before.names {
        let (old, new) = (try before.tensor(key), try after.tensor(key))
        #expect(new.floats() != old.floats(), Comment(rawValue: key))
        // AdamW's first update changes every weight by at most the rate, and by its decay.
        expectClose(new, old, absolute: 1.1e-3, key)
      }
    }
  }

  @Test func `validation pictures are made at their steps and at the end`() throws {
    let folder = try TrainingFolder()
    try folder.train(
      "out", steps: 3,
      [
        "--validation_prompt", "bar", "--validation_image", folder.data("c1.png"),
        "--num_validation_images", "1", "--validation_steps", "2",
      ])
    for step in [2, 3] {
      let names = try FileManager.default.contentsOfDirectory(
        atPath: folder.file("out/validation/step-\(step)"))
      #expect(names == ["0.png"])
    }
    try folder.train("plain", steps: 3)
    #expect(try folder.adapterBytes("out") == folder.adapterBytes("plain"))
  }

  @Test(arguments: [(steps: 4, profiled: 2), (steps: 2, profiled: 1), (steps: 1, profiled: 1)])
  func `a profile holds the steps after the first, all operations, and changes nothing`(
    steps: Int, profiled: Int
  ) throws {
    let folder = try TrainingFolder()
    let trace = folder.file("trace.json")
    try folder.train(
      "out", steps: steps, accumulating + ["--profile", trace, "--profile_steps", "2"])
    let json = try folder.json("trace.json")
    let events = try #require(json["traceEvents"]?.array)
    let share = try #require(json["otherData"]?["shareOutsideProducts"]?.double)
    #expect(share > 0 && share < 1)
    func count(_ layer: String, _ category: String? = nil) -> Int {
      events.count { event in
        event["args"]?["layer"]?.string?.hasPrefix(layer) == true
          && (category == nil || event["cat"]?.string == category)
      }
    }
    #expect(count("optimizer") == profiled)
    #expect(count("gradient norm") == profiled)
    for layer in ["unet.", "adapter."] {
      #expect(count(layer, "forward") >= 2 * profiled, "two micro-batches for each step")
      #expect(count(layer, "backward") >= 2 * profiled)
    }
    #expect(events.allSatisfy { ($0["ts"]?.double ?? -1) >= 0 && ($0["dur"]?.double ?? -1) >= 0 })
    try folder.train("plain", steps: steps, accumulating)
    #expect(try folder.adapterBytes("out") == folder.adapterBytes("plain"))
  }

  @Test func `a profile that cannot be written is refused at the start`() throws {
    let folder = try TrainingFolder()
    let result = try Program.run(
      folder.arguments("out", steps: 1, ["--profile", "/nowhere/at/all.json"]))
    folder.expectOneError(result, naming: ["/nowhere/at"])
    #expect(!FileManager.default.fileExists(atPath: folder.file("out")))
    let count = try Program.run(folder.arguments("out", steps: 1, ["--profile_steps", "0"]))
    #expect(count.status == 2 && count.error.contains("--profile_steps is 0"))
  }

  @Test func `an old run's metrics are kept when a new one starts`() throws {
    let folder = try TrainingFolder()
    try folder.train("out", steps: 2)
    try folder.train("out", steps: 1)
    #expect(try folder.metrics("out")["step"] == [1])
    let old = try String(
      contentsOfFile: folder.file("out/logs/metrics.1.csv"), encoding: .utf8)
    #expect(old.split(separator: "\n").count == 3)
  }
}
