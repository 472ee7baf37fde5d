import ArgumentParser
import EspalierCheckpoints
import EspalierImages
import EspalierTensors
import Foundation

/// `espalier inspect`: what a file or folder contains, without loading weights.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what a checkpoint, adapter, model folder, training state or image contains.")

  @Argument(
    help: ArgumentHelp(
      "A model or component folder, a training state, a .safetensors file, a config.json, or an image.",
      valueName: "path"))
  var path: String

  @Flag(name: .customLong("tensors"), help: "List every tensor with its type and shape.")
  var listsTensors = false

  func run() throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw FileError(path: path, operation: "open", code: ENOENT)
    }
    let lines =
      isFolder.boolValue
      ? try FolderInspection(listsTensors: listsTensors).lines(of: path) : try fileLines()
    print(lines.joined(separator: "\n"))
  }

  private func fileLines() throws -> [String] {
    let name = path.lowercased()
    if name.hasSuffix(".safetensors") {
      let inspection = CheckpointInspection(listsTensors: listsTensors)
      let checkpoint = try Checkpoint(file: path)
      return try inspection.lines(of: checkpoint) + inspection.fit(file: path, checkpoint)
    }
    if name.hasSuffix(".json") {
      return InspectedConfiguration(try JSONObject(contentsOf: path)).lines
    }
    return try imageLines()
  }

  private func imageLines() throws -> [String] {
    let image = try Image(contentsOf: path)
    var lines = [
      "image     \(image.width) × \(image.height), \(image.channels) channel(s), \(image.bitDepth) bits"
    ]
    // A JPEG has no text chunks.
    if let text = try? Image.text(contentsOf: path) {
      for (key, value) in text.sorted(by: { $0.key < $1.key }) {
        lines += ["", key] + Self.pretty(value).map { "  " + $0 }
      }
    }
    return lines
  }

  /// JSON objects key by key, other texts as they are.
  private static func pretty(_ text: String) -> [String] {
    guard let json = try? JSONValue(parsing: text.utf8), let members = json.members else {
      return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
    return InspectedConfiguration.table(
      members.map { ($0.key, InspectedConfiguration.text($0.value)) })
  }
}
