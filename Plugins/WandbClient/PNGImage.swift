import EspalierPluginKit
import PluginPNG

/// An image as the file that the server keeps: `media/images/TAG_STEP_INDEX_CHECKSUM.png`.
struct PNGImage {
  let name: String
  let bytes: [UInt8]

  init(_ image: LoggedImage, tag: String, step: Int64, index: Int) throws(PluginError) {
    bytes = try PNGFile.encode(image)
    let digits = String(Checksum.crc32(bytes), radix: 16)
    let checksum = String(repeating: "0", count: 8 - digits.count) + digits
    name = "\(MediaFolder.images)/\(Self.path(tag))_\(step)_\(index)_\(checksum).png"
  }

  /// A tag as a relative path: its slashes make folders, what is unusual in names becomes `_`.
  private static func path(_ tag: String) -> String {
    let parts = tag.split(separator: "/").map { part -> String in
      let safe = String(
        part.map { character in
          character.isASCII
            && (character.isLetter || character.isNumber || "-_. ".contains(character))
            ? character : "_"
        }.prefix(100))
      return safe.allSatisfy { $0 == "." } ? "_" : safe
    }
    return parts.isEmpty ? "image" : parts.joined(separator: "/")
  }
}
