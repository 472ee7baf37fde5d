import CEspalierPresets
public import EspalierCheckpoints

/// A model folder without weights: configurations, scheduler, tokenizers.
public struct ModelPreset: Sendable {
  /// As `--preset` names it.
  public let name: String
  /// Paths below the model folder, sorted: `unet/config.json`.
  public let paths: [String]
  private let contents: [String: Content]

  private enum Content: Sendable {
    case program(Constant)
    case memory([UInt8])
  }

  // SAFETY: constant data of the program, never written and never freed.
  private struct Constant: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer
  }

  /// Those that the program carries: `sdxl-base-1.0` as published, `mini` as the demo's base model.
  public static let all: [ModelPreset] = (0..<espalier_preset_count()).map {
    ModelPreset(espalier_preset_at($0).pointee)
  }

  /// The preset of that name; nil if there is none.
  public static func named(_ name: String) -> ModelPreset? { all.first { $0.name == name } }

  /// A preset of one's own.
  ///
  /// - Parameter files: Contents by path below the model folder.
  public init(name: String, files: [String: [UInt8]]) {
    self.init(name: name, contents: files.mapValues { .memory($0) })
  }

  private init(_ preset: espalier_preset) {
    let files = UnsafeBufferPointer(start: preset.files, count: preset.file_count).map { file in
      let bytes = UnsafeRawBufferPointer(start: file.bytes, count: file.count)
      return (String(cString: file.path), Content.program(Constant(bytes: bytes)))
    }
    self.init(
      name: String(cString: preset.name), contents: Dictionary(files) { first, _ in first })
  }

  private init(name: String, contents: [String: Content]) {
    self.name = name
    self.contents = contents
    paths = contents.keys.sorted()
  }

  /// The content of a file; nil if the preset has none at this path.
  public func bytes(of path: String) -> [UInt8]? {
    switch contents[path] {
    case .program(let constant): Array(constant.bytes)
    case .memory(let bytes): bytes
    case nil: nil
    }
  }

  /// A file that is a JSON object; messages call it by preset and path.
  ///
  /// - Throws: `CheckpointError.configuration` if there is no such file.
  public func json(_ path: String) throws(CheckpointError) -> JSONObject {
    let title = "\(name)/\(path)"
    guard let bytes = bytes(of: path) else {
      throw .configuration(
        path: title, key: nil, expected: "a file of the preset", found: "none")
    }
    return try JSONObject(parsing: bytes, path: title)
  }
}
