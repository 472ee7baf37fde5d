import EspalierImages
import Foundation
import TestSupport
import Testing

/// Data sets and validation images that cannot be used: one clear error each.
@Suite("espalier train refuses data") struct TrainDataRefusalTests {
  private let folder: TrainingFolder

  init() throws { folder = try TrainingFolder() }

  private func expectRefused(
    _ more: [String] = [], naming parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let result = try Program.run(folder.arguments("out", steps: 2, more))
    folder.expectOneError(result, naming: parts, sourceLocation: sourceLocation)
    #expect(folder.checkpoints("out").isEmpty, sourceLocation: sourceLocation)
  }

  @Test func `an absent column`() throws {
    try expectRefused(["--caption_column", "caption"], naming: "caption", "--caption_column")
    try expectRefused(["--image_column", "pixels"], naming: "pixels", "--image_column")
    try expectRefused(
      ["--conditioning_image_column", "edges"], naming: "edges", "--conditioning_image_column")
  }

  @Test func `a file that is no picture, and one that is cut off`() throws {
    let png = try Data(contentsOf: URL(fileURLWithPath: folder.data("2.png")))
    for bytes in [Data("hello".utf8), Data(), png.prefix(png.count / 2), png.prefix(20)] {
      try bytes.write(to: URL(fileURLWithPath: folder.data("2.png")))
      try expectRefused(naming: folder.data("2.png"), "metadata.jsonl:3")
    }
  }

  @Test func `a picture that is not there`() throws {
    try FileManager.default.removeItem(atPath: folder.data("c4.png"))
    try expectRefused(naming: folder.data("c4.png"))
  }

  @Test func `picture and control of different shape`() throws {
    try TrainingFolder.control(1, width: 128, height: 64).writePNG(to: folder.data("c3.png"))
    try expectRefused(naming: "c3.png", "3.png", "128×64", "128×128")
  }

  @Test func `metadata that are damaged, empty or missing`() throws {
    try folder.write(["{\"file_name\": \"0.png\","], to: "metadata.jsonl")
    try expectRefused(naming: "metadata.jsonl")
    try folder.write([], to: "metadata.jsonl")
    try expectRefused(naming: "metadata.jsonl")
    try FileManager.default.removeItem(atPath: folder.data("metadata.jsonl"))
    try expectRefused(naming: folder.file("data"))
    try expectRefused(["--train_data_dir", "/nowhere/data"], naming: "/nowhere/data")
  }

  @Test func `a validation image that cannot be read`() throws {
    try expectRefused(
      ["--validation_prompt", "a", "--validation_image", "/nowhere/v.png"], naming: "/nowhere/v.png"
    )
  }

  @Test func `a damaged cache is made again`() throws {
    try folder.train("a", steps: 2)
    let packs = try FileManager.default.contentsOfDirectory(atPath: folder.file("cache"))
    #expect(packs.count == 2)
    for pack in packs {
      let url = URL(fileURLWithPath: folder.file("cache/" + pack))
      try Data(contentsOf: url).dropLast(10).write(to: url)
    }
    let result = try folder.train("b", steps: 2)
    #expect(result.error.contains("warning"), Comment(rawValue: result.error))
    #expect(try folder.adapterBytes("a") == folder.adapterBytes("b"))
  }
}
