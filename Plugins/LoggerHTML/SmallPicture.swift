import CPluginJPEG
import EspalierABI
import EspalierPluginKit
import Glibc

/// A picture made small enough for the page, as a JPEG file.
struct SmallPicture {
  private static let quality: Int32 = 88
  let width: Int
  let height: Int
  let file: [UInt8]

  /// - Parameter longestSide: A picture with a longer side is made smaller.
  init(_ image: LoggedImage, longestSide: Int) throws(PluginError) {
    guard image.width > 0, image.height > 0, image.rgb.count == 3 * image.width * image.height
    else {
      throw .invalidArgument(
        "html logger: \(image.rgb.count) bytes for \(image.width) × \(image.height) pixels")
    }
    let longest = max(image.width, image.height)
    let isSmall = longest <= longestSide
    let scaled = { (side: Int) in
      isSmall ? side : max(1, (side * longestSide + longest / 2) / longest)
    }
    (width, height) = (scaled(image.width), scaled(image.height))
    file =
      isSmall
      ? try Self.jpeg(Array(image.rgb), width, height)
      : try Self.jpeg(Self.averaged(image, width, height), width, height)
  }

  /// Each pixel of the result is the mean of the area that it covers.
  private static func averaged(_ image: LoggedImage, _ width: Int, _ height: Int) -> [UInt8] {
    let columns = weights(from: image.width, to: width)
    let rows = weights(from: image.height, to: height)
    var result = [UInt8](repeating: 0, count: 3 * width * height)
    // The rows of the source that a row of the result covers, added up.
    var sums = [Float](repeating: 0, count: 3 * image.width)
    for (y, row) in rows.enumerated() {
      for index in sums.indices { sums[index] = 0 }
      for (offset, weight) in row.weights.enumerated() {
        let start = (row.first + offset) * sums.count
        for index in sums.indices { sums[index] += weight * Float(image.rgb[start + index]) }
      }
      for (x, column) in columns.enumerated() {
        for channel in 0..<3 {
          var sum: Float = 0.5
          for (offset, weight) in column.weights.enumerated() {
            sum += weight * sums[3 * (column.first + offset) + channel]
          }
          result[3 * (y * width + x) + channel] = UInt8(min(max(sum, 0), 255))
        }
      }
    }
    return result
  }

  /// For each place of the result, the places of the source that it covers, with weights that sum to 1.
  private static func weights(from source: Int, to count: Int) -> [(first: Int, weights: [Float])] {
    let ratio = Double(source) / Double(count)
    return (0..<count).map { index in
      let (start, end) = (Double(index) * ratio, Double(index + 1) * ratio)
      let first = Int(start)
      let last = max(first, min(source, Int(end.rounded(.up))) - 1)
      let weights = (first...last).map { place in
        Float((min(end, Double(place + 1)) - max(start, Double(place))) / ratio)
      }
      return (first, weights)
    }
  }

  private static func jpeg(_ rgb: [UInt8], _ width: Int, _ height: Int) throws(PluginError)
    -> [UInt8]
  {
    var message = [CChar](repeating: 0, count: Int(ESPALIER_PLUGIN_JPEG_MESSAGE_SIZE))
    var size = 0
    let memory = rgb.withUnsafeBufferPointer { rgb -> UnsafeMutablePointer<UInt8>? in
      guard let pixels = rgb.baseAddress else { return nil }
      return espalier_plugin_jpeg_encode(
        pixels, UInt32(clamping: width), UInt32(clamping: height), quality, &size, &message)
    }
    guard let memory else {
      let reason = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw PluginError(
        ESP_INTERNAL,
        "html logger: libjpeg refused a picture: \(String(decoding: reason, as: UTF8.self))")
    }
    defer { free(memory) }
    return Array(UnsafeBufferPointer(start: memory, count: size))
  }
}
