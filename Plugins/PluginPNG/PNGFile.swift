import CPluginPNG
import EspalierABI
public import EspalierPluginKit

/// Pictures as PNG files, for loggers that keep or send them.
public enum PNGFile {
  /// The bytes of a PNG file of 8-bit RGB; libpng's default compression.
  ///
  /// - Throws: `PluginError` for a picture without pixels, or one that PNG cannot hold.
  public static func encode(_ image: LoggedImage) throws(PluginError) -> [UInt8] {
    try encode(width: image.width, height: image.height, rgb: image.rgb)
  }

  /// The same for rows from the top, without gaps: `3 · width · height` bytes.
  public static func encode(
    width: Int, height: Int, rgb: UnsafeBufferPointer<UInt8>
  ) throws(PluginError) -> [UInt8] {
    let bound = espalier_plugin_png_bound(UInt32(clamping: width), UInt32(clamping: height))
    guard bound > 0, rgb.count == 3 * width * height, let pixels = rgb.baseAddress else {
      throw .invalidArgument(
        "PNG: \(rgb.count) bytes for \(width) × \(height) pixels; expected sides of 1 or more and "
          + "3 bytes a pixel")
    }
    var message = [CChar](repeating: 0, count: Int(ESPALIER_PLUGIN_PNG_MESSAGE_SIZE))
    let file = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      guard let out = buffer.baseAddress else { return }
      count = espalier_plugin_png_encode(
        pixels, UInt32(width), UInt32(height), out, bound, &message)
    }
    guard !file.isEmpty else {
      let reason = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw PluginError(
        ESP_INTERNAL, "PNG: libpng refused a picture: \(String(decoding: reason, as: UTF8.self))")
    }
    return file
  }
}
