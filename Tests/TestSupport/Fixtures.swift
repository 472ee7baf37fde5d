public import EspalierCheckpoints
import Foundation

/// The golden files that tests compare with.
public enum Fixtures {
  /// The root of the project.
  public static let project: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/")
  }()

  /// `$ESPALIER_FIXTURES` if set, else `Tests/Fixtures`.
  public static let folder: String = {
    let chosen = ProcessInfo.processInfo.environment["ESPALIER_FIXTURES"] ?? ""
    return chosen.isEmpty ? project + "/Tests/Fixtures" : chosen
  }()

  /// Whether the goldens' model is so large that a pass takes minutes, as `full_size_goldens.py` makes them.
  public static let isFullSize: Bool = {
    let unet = path("tiny-sdxl/unet/diffusion_pytorch_model.safetensors")
    let attributes = try? FileManager.default.attributesOfItem(atPath: unet)
    return (attributes?[.size] as? Int ?? 0) > 1 << 30
  }()

  /// The configurations and tokenizers of SDXL's base model, as the program carries them.
  public static let sdxlFolder = project + "/Sources/CEspalierPresets/sdxl-base-1.0"

  /// The path of a file or folder below `folder`.
  public static func path(_ name: String) -> String { folder + "/" + name }

  /// A golden safetensors file.
  public static func tensors(_ file: String) throws -> SafetensorsFile {
    try SafetensorsFile(path: path(file))
  }

  /// A golden JSON file: `json("train.json")["losses"]?.doubles`.
  public static func json(_ file: String) throws -> JSONValue {
    try JSONValue(parsing: Data(contentsOf: URL(fileURLWithPath: path(file))))
  }

  /// A golden JSON file as a `Decodable` type.
  public static func decode<T: Decodable>(_ type: T.Type, from file: String) throws -> T {
    try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: path(file))))
  }
}
