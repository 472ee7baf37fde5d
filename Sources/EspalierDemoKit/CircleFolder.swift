public import EspalierCheckpoints
import EspalierImages
import EspalierTensors
import Foundation

/// A folder of circle pictures in fill50k's layout: `prompt.json`, `source/`, `target/`; and, for held-out
/// pictures, `circles.json` with what was drawn.
public struct CircleFolder: Sendable {
  public let path: String

  public init(path: String) { self.path = path }

  /// One picture of a folder.
  public struct Entry: Sendable, Equatable {
    public let circle: Circle
    /// Paths relative to the folder: the control image and the target.
    public let source: String
    public let target: String
  }

  /// Draws `count` circles and writes them; pictures of that name are replaced.
  ///
  /// - Throws: `FileError`, `ImageError`; Foundation's errors for folders that cannot be made.
  public func write(_ generator: CircleGenerator, count: Int, resolution: Int) throws {
    for folder in ["source", "target"] {
      try FileManager.default.createDirectory(
        atPath: path + "/" + folder, withIntermediateDirectories: true)
    }
    let entries = (0..<count).map { index in
      Entry(
        circle: generator.circle(index), source: "source/\(index).png",
        target: "target/\(index).png")
    }
    for entry in entries {
      try entry.circle.sourceImage(resolution: resolution).writePNG(to: path + "/" + entry.source)
      try entry.circle.targetImage(resolution: resolution).writePNG(to: path + "/" + entry.target)
    }
    try AtomicFile.write(entries.map(\.promptLine).joined(), to: path + "/prompt.json")
    if generator.split == .heldOut {
      try JSONValue.object([
        "resolution": .number(resolution), "seed": .number(String(generator.seed)),
        "circles": .array(entries.map(\.json)),
      ]).write(to: path + "/circles.json")
    }
  }

  /// What `circles.json` lists.
  ///
  /// - Throws: `CheckpointError.file`, `.configuration`.
  public func entries() throws(CheckpointError) -> [Entry] {
    let file = try JSONObject(contentsOf: path + "/circles.json")
    guard let list = file.value("circles")?.array, !list.isEmpty else {
      throw .configuration(
        path: file.path, key: "circles", expected: "a list of circles",
        found: file.value("circles")?.kind ?? "nothing")
    }
    var entries: [Entry] = []
    for (index, value) in list.enumerated() {
      entries.append(try Entry(JSONObject(value.members ?? [], path: "\(file.path) (\(index))")))
    }
    return entries
  }
}

extension CircleFolder.Entry {
  /// The line of `prompt.json`; names of colours and files need no escapes.
  fileprivate var promptLine: String {
    #"{"source": "\#(source)", "target": "\#(target)", "prompt": "\#(circle.prompt)"}"# + "\n"
  }

  fileprivate var json: JSONValue {
    .object([
      "source": .string(source), "target": .string(target), "prompt": .string(circle.prompt),
      "center": .array([.number(Double(circle.centerX)), .number(Double(circle.centerY))]),
      "radius": .number(Double(circle.radius)), "color": .string(circle.color.name),
      "background": .string(circle.background.name),
    ])
  }

  fileprivate init(_ json: JSONObject) throws(CheckpointError) {
    let center = try json.doubles("center")
    guard center.count == 2 else {
      throw .configuration(
        path: json.path, key: "center", expected: "two numbers", found: "\(center.count)")
    }
    source = try json.string("source")
    target = try json.string("target")
    circle = Circle(
      centerX: Float(center[0]), centerY: Float(center[1]),
      radius: Float(try json.double("radius")), color: try Self.color("color", json),
      background: try Self.color("background", json))
  }

  private static func color(
    _ key: String, _ json: JSONObject
  ) throws(CheckpointError) -> CSSColor {
    let name = try json.string(key)
    guard let color = CSSColor.all.first(where: { $0.name == name }) else {
      throw .configuration(
        path: json.path, key: key, expected: "the name of a CSS colour", found: name)
    }
    return color
  }
}
