import ArgumentParser
import EspalierDemoKit

/// `espalier-demo make-data`: circle pictures in fill50k's layout.
struct MakeData: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "make-data",
    abstract: "Draws circle pictures like fill50k's: prompt.json, source/, target/.")

  @Option(help: "The folder for the pictures; held-out ones go into its held_out/.")
  var output: String

  @Option(help: "How many training pictures to draw.")
  var count: Int

  @Option(help: "The side of the pictures in pixels.")
  var resolution = 128

  @Option(help: "Equal seeds give equal files.")
  var seed: UInt64 = 0

  @Option(help: "How many held-out pictures to draw, whose two colours differ clearly.")
  var heldOut = 0

  func validate() throws {
    guard count >= 0, heldOut >= 0, count + heldOut > 0 else {
      throw ValidationError(
        "--count is \(count), --held-out \(heldOut); expected at least one picture")
    }
    guard (8...8192).contains(resolution) else {
      throw ValidationError("--resolution is \(resolution); expected 8 to 8192")
    }
  }

  func run() throws {
    if count > 0 {
      try CircleFolder(path: output).write(
        CircleGenerator(seed: seed, split: .training), count: count, resolution: resolution)
      print("\(count) training pictures: \(output)")
    }
    if heldOut > 0 {
      let folder = output + "/held_out"
      try CircleFolder(path: folder).write(
        CircleGenerator(seed: seed, split: .heldOut), count: heldOut, resolution: resolution)
      print("\(heldOut) held-out pictures: \(folder)")
    }
  }
}
