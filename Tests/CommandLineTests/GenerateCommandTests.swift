import EspalierCheckpoints
import EspalierImages
import Foundation
import TestSupport
import Testing

@Suite("espalier generate") struct GenerateCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try temporaryFolder() }

  private let model = ["--pretrained_model_name_or_path", Fixtures.path("tiny-sdxl")]
  private let adapter = [
    "--adapter", Fixtures.path("adapter_xl"), "--image", Fixtures.path("images/condition.png"),
  ]
  private let quick = ["--num_inference_steps", "2", "--backend", TestBackend.current]

  private func generate(_ arguments: [String]) throws -> Program.Result {
    try Program.run(["generate"] + arguments)
  }

  private func parameters(_ file: String) throws -> JSONValue {
    let text = try #require(try Image.text(contentsOf: file)["parameters"])
    return try JSONValue(parsing: text.utf8)
  }

  @Test func `a golden comes out of the program`() throws {
    let cases = try #require(try Fixtures.json("pipeline.json")["cases"]?.array)
    let golden = try #require(cases.first { $0["name"]?.string == "nocfg" })
    let (png, latents) = (folder.file("a.png"), folder.file("a.safetensors"))
    func number(_ key: String) throws -> String {
      guard case .number(let text)? = golden[key] else { throw PipelineJSONError(key: key) }
      return text
    }
    let result = try generate(
      model + adapter + [
        "--prompt", try #require(golden["prompt"]?.string), "--seed", try number("seed"),
        "--num_inference_steps", try number("num_inference_steps"),
        "--guidance_scale", try number("guidance_scale"), "--scheduler",
        try #require(golden["scheduler"]?.string), "--backend", TestBackend.current, "--output",
        png,
        "--save_latents", latents,
      ])
    #expect(result.status == 0, Comment(rawValue: result.error))
    #expect(result.output == png + "\n")
    let expected = try Fixtures.tensors("pipeline/nocfg.safetensors").tensor("latents")
    expectClose(
      try SafetensorsFile(path: latents).tensor("latents"), expected, relativeL2: 1e-3)
    let picture = try Image(contentsOf: png)
    let reference = try Image(contentsOf: Fixtures.path("pipeline/nocfg.png"))
    expectClose(
      picture.bytes.map { Float($0) }, reference.bytes.map { Float($0) }, absolute: 2)
  }

  @Test func `the settings stand in the picture, without folders`() throws {
    let png = folder.file("b.png")
    let result = try generate(
      model + adapter + quick + [
        "--prompt", "naïve café 日本語", "--negative_prompt", "", "--seed", "7", "--clip_skip", "1",
        "--adapter_conditioning_scale", "0.5", "--output", png,
      ])
    #expect(result.status == 0, Comment(rawValue: result.error))
    let text = try parameters(png)
    #expect(text["prompt"]?.string == "naïve café 日本語")
    #expect(text["negative_prompt"]?.string == "")
    #expect(text["seed"]?.int == 7)
    #expect(text["image_index"]?.int == 0)
    #expect(text["clip_skip"]?.int == 1)
    #expect(text["num_inference_steps"]?.int == 2)
    #expect(text["adapter_conditioning_scale"]?.doubles == [0.5])
    #expect(text["model"]?.string == "tiny-sdxl")
    #expect(text["adapters"]?.strings == ["adapter_xl"])
    #expect(text["images"]?.strings == ["condition.png"])
    #expect(text["scheduler"]?.string == "EulerDiscreteScheduler")
    let all = try #require(try Image.text(contentsOf: png)["parameters"])
    #expect(!all.contains("/"), Comment(rawValue: all))
    let shown = try Program.run(["inspect", png])
    #expect(shown.status == 0)
    #expect(shown.output.contains("naïve café 日本語"))
  }

  @Test func `several pictures get numbered names`() throws {
    let file = try generate(
      model + adapter + quick + [
        "--prompt", "red", "blue", "--num_images_per_prompt", "2", "--seed", "3", "--output",
        folder.file("many.png"),
      ])
    #expect(file.status == 0, Comment(rawValue: file.error))
    let names = (0..<4).map { folder.file("many-\($0).png") }
    #expect(file.output == names.map { $0 + "\n" }.joined())
    #expect(
      try names.map { try parameters($0)["prompt"]?.string } == ["red", "red", "blue", "blue"])
    #expect(try names.map { try parameters($0)["image_index"]?.int } == [0, 1, 2, 3])
    let inFolder = try generate(
      model + adapter + quick + [
        "--prompt", "red", "--num_images_per_prompt", "2", "--seed", "3", "--output",
        folder.file("new/folder"),
      ])
    #expect(inFolder.status == 0, Comment(rawValue: inFolder.error))
    #expect(
      inFolder.output == (0..<2).map { folder.file("new/folder/3-\($0).png") + "\n" }.joined())
  }

  @Test func `a drawn seed is printed and written`() throws {
    let png = folder.file("c.png")
    let result = try generate(
      model + quick + ["--prompt", "red", "--height", "64", "--width", "64", "--output", png])
    #expect(result.status == 0, Comment(rawValue: result.error))
    let line = try #require(
      result.error.split(separator: "\n").first { $0.hasPrefix("seed ") })
    let seed = try #require(try parameters(png)["seed"]?.int)
    #expect(line == "seed \(seed)")
  }

  @Test func `a profile names operations and layers, and tells how the time splits`() throws {
    let trace = folder.file("trace.json")
    let result = try generate(
      model + quick + [
        "--prompt", "red", "--height", "64", "--width", "64", "--seed", "1", "--output",
        folder.file("d.png"), "--profile", trace,
      ])
    #expect(result.status == 0, Comment(rawValue: result.error))
    let json = try JSONValue(parsing: Data(contentsOf: URL(fileURLWithPath: trace)))
    let events = try #require(json["traceEvents"]?.array)
    #expect(events.contains { $0["args"]?["layer"]?.string?.hasPrefix("unet.") == true })
    #expect(events.contains { $0["args"]?["layer"]?.string?.hasPrefix("vae.") == true })
    let products: Set = ["linear", "conv2d"]
    var (inside, outside) = (0.0, 0.0)
    for event in events {
      let duration = try #require(event["dur"]?.double)
      let name = try #require(event["name"]?.string)
      if products.contains(name) { inside += duration } else { outside += duration }
    }
    let share = try #require(json["otherData"]?["shareOutsideProducts"]?.double)
    #expect(abs(share - outside / (inside + outside)) < 1e-3)
    #expect(share > 0 && share < 1)
    #expect(result.error.contains("outside linear layers and convolutions: "))
  }

  @Test(arguments: [
    (["--prompt", "x", "--output", "x.png", "--height", "100"], "--height is 100"),
    (["--prompt", "x", "--output", "x.png", "--adapter", "a"], "--image names 0 file(s)"),
    (["--prompt", "x", "--output", "x.png", "--image", "a.png"], "no --adapter"),
    (["--prompt", "x", "--output", "x.png", "--num_inference_steps", "0"], "at least 1"),
    (["--prompt", "x", "--output", "x.png", "--guidance_rescale", "2"], "0 to 1"),
    (["--prompt", "x", "--output", "x.png", "--mixed_precision", "fp8"], "fp8"),
    (["--prompt", "x", "y", "z", "--negative_prompt", "a", "b", "--output", "x.png"], "1, or 3"),
    (["--output", "x.png"], "--prompt"),
  ])
  func `a wrong command line exits with 2 and says why`(arguments: [String], part: String) throws {
    let result = try generate(model + arguments)
    #expect(result.status == 2)
    #expect(result.error.hasPrefix("error: "), Comment(rawValue: result.error))
    #expect(result.error.contains(part), Comment(rawValue: result.error))
    #expect(result.output.isEmpty)
  }

  @Test func `what a model refuses about the settings exits with 2`() throws {
    let result = try generate(
      model + quick + ["--prompt", "x", "--clip_skip", "1000", "--output", folder.file("e.png")])
    #expect(result.status == 2)
    #expect(result.error.contains("--clip_skip is 1000"), Comment(rawValue: result.error))
  }

  @Test func `a run that fails exits with 1 and says why`() throws {
    let out = ["--prompt", "x", "--seed", "1", "--output", folder.file("f.png")]
    let cases: [([String], String)] = [
      (["--pretrained_model_name_or_path", "stabilityai/sdxl"], "does not download"),
      (model + ["--scheduler", "nonsense"], "there is no scheduler 'nonsense'"),
      (model + ["--backend", "nonsense"], "there is no backend 'nonsense'"),
      (
        model + ["--adapter", Fixtures.path("adapter_full")] + adapter.suffix(2),
        "an adapter for SD 1.5"
      ),
      (
        model + ["--adapter", Fixtures.path("adapter_xl"), "--image", "nowhere.png"], "nowhere.png"
      ),
      (model + ["--save_latents", "/nowhere/at/all/x.safetensors"], "/nowhere/at/all"),
    ]
    for (arguments, part) in cases {
      let result = try generate(arguments + out)
      #expect(result.status == 1, Comment(rawValue: "\(arguments)"))
      #expect(result.error.contains("error: "), Comment(rawValue: result.error))
      #expect(result.error.contains(part), Comment(rawValue: result.error))
    }
  }
}

/// A key of the fixtures that is not as expected.
private struct PipelineJSONError: Error {
  let key: String
}
