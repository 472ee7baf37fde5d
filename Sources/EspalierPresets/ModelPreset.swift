import CEspalierPresets
public import EspalierCheckpoints

/// A model folder without weights that the program carries: configurations, scheduler, tokenizers.
public struct ModelPreset: Sendable {
  /// As `--preset` names it.
  public let name: String
  /// Paths below the model folder, sorted: `unet/config.json`.
  public let paths: [String]
  private let contents: [String: Content]

  // SAFETY: constant data of the program, never written and never freed.
  private struct Content: @unchecked Sendable {
    let bytes: UnsafeRawBufferPointer
  }

  /// All presets: `sdxl-base-1.0` as published, `mini` as the demo's base model.
  public static let all: [ModelPreset] = (0..<espalier_preset_count()).map {
    ModelPreset(espalier_preset_at($0).pointee)
  }

  /// The preset of that name; nil if there is none.
  public static func named(_ name: String) -> ModelPreset? { all.first { $0.name == name } }

  private init(_ preset: espalier_preset) {
    name = String(cString: preset.name)
    let files = UnsafeBufferPointer(start: preset.files, count: preset.file_count).map {
      (
        String(cString: $0.path),
        Content(bytes: UnsafeRawBufferPointer(start: $0.bytes, count: $0.count))
      )
    }
    paths = files.map(\.0).sorted()
    contents = Dictionary(files) { first, _ in first }
  }

  /// The bytes of a file; nil if the preset has none at this path.
  public func bytes(of path: String) -> UnsafeRawBufferPointer? { contents[path]?.bytes }

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
