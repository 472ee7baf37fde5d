import EspalierCheckpoints
import EspalierImages
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("espalier generate with every scheduler") struct GenerateSchedulerTests {
  /// The short name of every class that the plugins offer, the first one of each class.
  private func names() throws -> [String] {
    let listing = try Program.run(["plugins", "--json"])
    let plugins = try #require(try JSONValue(parsing: listing.output.utf8)["plugins"]?.array)
    let schedulers = plugins.flatMap { $0["schedulers"]?.array ?? [] }
    var seen: Set<String> = []
    return try schedulers.compactMap { scheduler in
      let isFirst = seen.insert(try #require(scheduler["className"]?.string)).inserted
      return isFirst ? scheduler["shortName"]?.string : nil
    }
  }

  @Test func `every class draws a picture that follows its own path`() throws {
    let folder = try temporaryFolder()
    let names = try names()
    #expect(names.count >= 15)
    var latents: [String: [Float]] = [:]
    for name in names {
      let (png, file) = (folder.file("\(name).png"), folder.file("\(name).safetensors"))
      let result = try Program.run([
        "generate", "--pretrained_model_name_or_path", Fixtures.path("tiny-sdxl"),
        "--adapter", Fixtures.path("adapter_xl"), "--image",
        Fixtures.path("images/condition.png"), "--height", "64", "--width", "64", "--prompt", "red",
        "--seed", "1", "--num_inference_steps", "4", "--scheduler", name, "--backend",
        TestBackend.current, "--output", png, "--save_latents", file,
      ])
      #expect(result.status == 0, Comment(rawValue: name + ": " + result.error))
      let picture = try Image(contentsOf: png)
      #expect(picture.width == 64 && Set(picture.bytes).count > 8, "\(name)")
      let values = try SafetensorsFile(path: file).tensor("latents").floats()
      #expect(values.allSatisfy { $0.isFinite }, "\(name)")
      #expect(!latents.values.contains(values), "\(name) repeats another one's latents")
      latents[name] = values
    }
  }
}
