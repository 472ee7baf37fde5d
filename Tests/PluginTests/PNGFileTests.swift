import EspalierImages
import PluginPNG
import Testing

@Suite struct PNGFileTests {
  @Test(arguments: [(7, 5), (1, 1), (64, 3)])
  func `a picture is the same after decoding`(width: Int, height: Int) throws {
    let pixels = (0..<3 * width * height).map { UInt8(truncatingIfNeeded: $0 * $0 &* 31 + 7) }
    let file = try pixels.withUnsafeBufferPointer {
      try PNGFile.encode(width: width, height: height, rgb: $0)
    }
    let read = try file.withUnsafeBytes { try Image(decoding: $0, name: "a.png") }
    #expect(read == Image(width: width, height: height, channels: 3, bytes: pixels))
  }

  @Test func `a picture without pixels or with too few bytes is refused`() {
    let pixels = [UInt8](repeating: 0, count: 12)
    pixels.withUnsafeBufferPointer { pixels in
      let sides = [(0, 4), (4, 0), (3, 2), (-2, -2), (Int(Int32.max), 1)]
      for (width, height) in sides {
        #expect(throws: (any Error).self, "\(width) × \(height)") {
          try PNGFile.encode(width: width, height: height, rgb: pixels)
        }
      }
    }
  }
}
