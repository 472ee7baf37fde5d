import EspalierCheckpoints
import EspalierTensors
import Foundation
import TestSupport
import Testing

/// A copy of the tiny model, made of links to its files, in which one file is replaced.
struct DamagedModel {
  let path: String
  private static let unet = "unet/diffusion_pytorch_model.safetensors"

  /// - Parameter file: The file to replace, relative to the model's folder.
  init(_ folder: TrainingFolder, replacing file: String = Self.unet, with bytes: Data) throws {
    path = folder.file("model-" + UUID().uuidString)
    let (files, source) = (FileManager.default, Fixtures.path("tiny-sdxl"))
    for name in try files.subpathsOfDirectory(atPath: source) {
      let target = path + "/" + name
      var isFolder: ObjCBool = false
      _ = files.fileExists(atPath: source + "/" + name, isDirectory: &isFolder)
      try files.createDirectory(
        atPath: isFolder.boolValue ? target : (target as NSString).deletingLastPathComponent,
        withIntermediateDirectories: true)
      if isFolder.boolValue { continue }
      if name == file {
        try bytes.write(to: URL(fileURLWithPath: target))
      } else {
        try files.createSymbolicLink(atPath: target, withDestinationPath: source + "/" + name)
      }
    }
  }

  static func bytes(_ file: String = Self.unet) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("tiny-sdxl/" + file)))
  }

  /// The UNet's file with other tensors.
  static func rewritten(
    _ folder: TrainingFolder, _ change: (inout [String: HostTensor]) throws -> Void
  ) throws -> Data {
    let file = try Fixtures.tensors("tiny-sdxl/" + unet)
    var tensors: [String: HostTensor] = [:]
    for name in file.names { tensors[name] = try file.tensor(name) }
    try change(&tensors)
    let path = folder.file("rewritten.safetensors")
    try SafetensorsWriter.write(tensors.map { (name: $0.key, tensor: $0.value) }, to: path)
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }

  /// The UNet's file with another header.
  static func withHeader(_ change: (inout [String: [String: Any]]) throws -> Void) throws -> Data {
    let bytes = try bytes()
    let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
    let object = try JSONSerialization.jsonObject(with: bytes[8..<8 + length])
    var header = try #require(object as? [String: [String: Any]])
    try change(&header)
    var text = try JSONSerialization.data(withJSONObject: header)
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    return size(text.count) + text + bytes[(8 + length)...]
  }

  /// A length as the first 8 bytes of a file.
  static func size(_ value: Int) -> Data {
    Data((0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
  }
}
