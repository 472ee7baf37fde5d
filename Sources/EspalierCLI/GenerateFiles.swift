import EspalierTensors
import Glibc

/// The files that `espalier generate` writes; found to be writable before anything is computed.
struct GenerateFiles {
  let images: [String]

  /// - Throws: `FileError` for a folder that does not exist or cannot be made.
  init(_ options: GenerateOutputOptions, count: Int, seed: Int) throws {
    let output = options.output
    if output.lowercased().hasSuffix(".png") {
      let stem = output.dropLast(4)
      images = count == 1 ? [output] : (0..<count).map { "\(stem)-\($0)\(output.suffix(4))" }
      try Self.checkParent(of: output)
    } else {
      let folder = output.hasSuffix("/") ? String(output.dropLast()) : output
      images = (0..<count).map { "\(folder)/\(seed)-\($0).png" }
      try Self.makeFolder(folder.isEmpty ? "/" : folder)
    }
    for file in [options.latents, options.profile] { try file.map(Self.checkParent) }
  }

  private static func makeFolder(_ path: String) throws {
    try Folder.make(path)
    guard access(path, W_OK) == 0 else {
      throw FileError(path: path, operation: "write into", code: errno)
    }
  }

  /// Refuses a file whose folder cannot be written.
  static func checkParent(of file: String) throws(FileError) {
    let parent = Folder.parent(of: file)
    guard access(parent, W_OK) == 0 else {
      throw FileError(path: parent, operation: "write into", code: errno)
    }
  }
}
