import EspalierCheckpoints
import EspalierImages
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("Image decoding") struct DecodingTests {
  private func decode(_ bytes: [UInt8]) throws -> Image {
    try bytes.withUnsafeBytes { bytes in
      try Image(decoding: bytes, name: "made up")
    }
  }

  @Test(arguments: [
    ("gray", "gray.png"), ("rgba", "rgba.png"), ("palette", "palette.png"),
    ("photo_jpg", "photo.jpg"),
  ])
  func `files of every kind become the bytes that Pillow gives`(name: String, file: String) throws {
    let golden = try Fixtures.tensors("image_transforms.safetensors").tensor(name + ".rgb_u8")
    let image = try Image(contentsOf: Fixtures.path("images/" + file)).rgb8()
    #expect([image.height, image.width, image.channels] == golden.shape.dims)
    #expect(image.bytes == golden.withUnsafeBytes { Array($0) })
  }

  static let grays: [(UInt8, [UInt8], [UInt8])] = [
    (1, [0b1010_0000], [255, 0, 255]), (2, [0b0001_1011], [0, 85, 170]),
    (4, [0x0F, 0x80], [0, 255, 136]), (8, [1, 2, 3], [1, 2, 3]),
  ]

  @Test(arguments: grays) func `gray of 1 to 8 bits fills the range`(
    depth: UInt8, row: [UInt8], expected: [UInt8]
  )
    throws
  {
    let png = MadeUpPNG(width: 3, bitDepth: depth, data: [0] + row)
    let image = try decode(png.bytes)
    #expect(image == Image(width: 3, height: 1, channels: 1, bytes: expected))
  }

  static let palettes: [(UInt8, [UInt8])] = [
    (1, [0b0100_0000]), (2, [0b0001_1000]), (4, [0x01, 0x20]), (8, [0, 1, 2]),
  ]

  @Test(arguments: palettes)
  func `a palette of 1 to 8 bits gives its colours, transparency as alpha`(
    depth: UInt8, row: [UInt8]
  ) throws {
    var png = MadeUpPNG(width: 3, bitDepth: depth, colorType: 3, data: [0] + row)
    png.before = [("PLTE", [10, 20, 30, 40, 50, 60] + (depth > 1 ? [70, 80, 90] : []))]
    let third: [UInt8] = depth > 1 ? [70, 80, 90] : [10, 20, 30]
    #expect(try decode(png.bytes).bytes == [10, 20, 30, 40, 50, 60] + third)
    png.before.append(("tRNS", [0, 128]))
    let image = try decode(png.bytes)
    let thirdAlpha: [UInt8] = depth > 1 ? [255] : [0]
    #expect(image.bytes == [10, 20, 30, 0, 40, 50, 60, 128] + third + thirdAlpha)
    #expect(image.rgb8().bytes == [10, 20, 30, 40, 50, 60] + third)
  }

  @Test func `16-bit gray keeps all its levels`() throws {
    let png = MadeUpPNG(width: 3, bitDepth: 16, data: [0, 0x00, 0x01, 0x12, 0x34, 0xFF, 0xFF])
    let image = try decode(png.bytes)
    #expect(image == Image(width: 3, height: 1, channels: 1, words: [1, 0x1234, 0xFFFF]))
    #expect(image.rgb8().bytes == [0, 0, 0, 0x12, 0x12, 0x12, 255, 255, 255])
    let expected: [Float] = [1 / 65535, 0x1234 / 65535, 1]
    #expect(image.floats(channels: 1).floats() == expected)
    #expect(image.floats(channels: 3).floats() == expected.flatMap { [$0, $0, $0] })
  }

  @Test func `alpha is dropped, not blended`() throws {
    let gray = MadeUpPNG(width: 2, colorType: 4, data: [0, 9, 0, 8, 128])
    #expect(try decode(gray.bytes).gray8().bytes == [9, 8])
    let rgb = MadeUpPNG(width: 1, colorType: 6, data: [0, 1, 2, 3, 0])
    #expect(try decode(rgb.bytes).rgb8().bytes == [1, 2, 3])
  }

  @Test func `interlaced rows are put in order`() throws {
    // Adam7 for 2×2: pass 1 holds (0, 0), pass 6 holds (1, 0), pass 7 holds row 1.
    let png = MadeUpPNG(width: 2, height: 2, interlaced: true, data: [0, 1, 0, 2, 0, 3, 4])
    #expect(try decode(png.bytes).bytes == [1, 2, 3, 4])
  }

  @Test(arguments: 1...8, [true, false])
  func `EXIF orientation is obeyed`(orientation: Int, littleEndian: Bool) throws {
    // Stored 3×2 as 1 2 3 / 4 5 6; the expectations are what Pillow's exif_transpose gives.
    let upright: [[UInt8]] = [
      [1, 2, 3, 4, 5, 6], [3, 2, 1, 6, 5, 4], [6, 5, 4, 3, 2, 1], [4, 5, 6, 1, 2, 3],
      [1, 4, 2, 5, 3, 6], [4, 1, 5, 2, 6, 3], [6, 3, 5, 2, 4, 1], [3, 6, 2, 5, 1, 4],
    ]
    let exif = madeUpEXIF(orientation: UInt16(orientation), littleEndian: littleEndian)
    var png = MadeUpPNG(width: 3, height: 2, data: [0, 1, 2, 3, 0, 4, 5, 6])
    let turned = orientation > 4
    let expected = Image(
      width: turned ? 2 : 3, height: turned ? 3 : 2, channels: 1, bytes: upright[orientation - 1])
    png.before = [("eXIf", exif)]
    #expect(try decode(png.bytes) == expected)
    png.before = []
    png.after = [("eXIf", exif)]
    #expect(try decode(png.bytes) == expected)
  }

  @Test func `a JPEG's EXIF orientation is obeyed`() throws {
    let path = Fixtures.path("images/photo.jpg")
    let plain = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
    let block = Array("Exif\0\0".utf8) + madeUpEXIF(orientation: 6, littleEndian: false)
    let marked = plain[..<2] + [0xFF, 0xE1, 0, UInt8(block.count + 2)] + block + plain[2...]
    let (upright, turned) = (try decode(plain), try decode(Array(marked)))
    #expect(turned.width == upright.height && turned.height == upright.width)
    // The top right corner of a picture turned clockwise was its top left one.
    #expect(turned.bytes[(turned.width - 1) * 3..<turned.width * 3] == upright.bytes[0..<3])
  }

  @Test func `a damaged EXIF block leaves the picture as it is`() throws {
    let whole = madeUpEXIF(orientation: 6, littleEndian: true)
    for count in 0..<whole.count - 8 {
      var png = MadeUpPNG(width: 2, data: [0, 1, 2])
      png.before = [("eXIf", Array(whole.prefix(count)))]
      #expect(try decode(png.bytes).width == 2)
    }
  }

  @Test func `gray, RGB, CMYK and YCCK JPEG become gray or RGB`() throws {
    #expect(
      try decode(madeUpJPEG([77]))
        == Image(width: 8, height: 8, channels: 1, bytes: [UInt8](repeating: 77, count: 64)))
    #expect(
      try decode(madeUpJPEG([10, 20, 30], adobeTransform: 0)).bytes.prefix(3) == [10, 20, 30])
    // Inverted inks: 255 is no ink. Pillow gives these bytes for the same files.
    let cmyk = try decode(madeUpJPEG([255, 128, 0, 200], adobeTransform: 0))
    #expect(cmyk.channels == 3 && Array(cmyk.bytes.prefix(3)) == [200, 100, 0])
    let ycck = try decode(madeUpJPEG([100, 128, 128, 255], adobeTransform: 2))
    #expect(Array(ycck.bytes.prefix(3)) == [155, 155, 155])
  }

  @Test func `every truncation of a PNG is refused`() throws {
    let whole = MadeUpPNG(width: 2, height: 2, data: [0, 1, 2, 0, 3, 4]).bytes
    for count in 0..<whole.count {
      #expect(throws: ImageError.self) { try decode(Array(whole.prefix(count))) }
    }
    #expect(try decode(whole).bytes == [1, 2, 3, 4])
  }

  @Test func `a truncated JPEG is refused`() throws {
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: Fixtures.path("images/photo.jpg"))))
    for count in stride(from: 3, to: whole.count, by: 997) + [whole.count - 1] {
      let error = #expect(throws: ImageError.self) { try decode(Array(whole.prefix(count))) }
      guard case .damaged = error else {
        Issue.record("\(count) bytes: \(String(describing: error))")
        continue
      }
    }
  }

  @Test func `flipped bits never do harm, and a wrong checksum is refused`() throws {
    let whole = MadeUpPNG(width: 2, height: 2, data: [0, 1, 2, 0, 3, 4]).bytes
    for position in whole.indices {
      var bytes = whole
      bytes[position] ^= 0x40
      #expect(throws: ImageError.self, "byte \(position)") { try decode(bytes) }
    }
    let jpeg = madeUpJPEG([100, 128, 128])
    for position in jpeg.indices {
      for bit in 0..<8 {
        var bytes = jpeg
        bytes[position] ^= 1 << UInt8(bit)
        _ = try? decode(bytes)
      }
    }
  }

  @Test(arguments: [(32769, 1), (1, 32769), (20000, 20000), (2_000_000_000, 2_000_000_000)])
  func `larger pictures are refused before they take memory`(width: Int, height: Int) {
    let png = MadeUpPNG(width: width, height: height, data: [0])
    #expect(throws: ImageError.tooLarge(path: "made up", width: width, height: height)) {
      try decode(png.bytes)
    }
  }

  @Test(arguments: [
    (Array("GIF89a".utf8), "GIF"), (Array("RIFF0000WEBPVP8 ".utf8), "WebP"), ([], "empty"),
    (Array("II*\0".utf8), "TIFF"), ([1, 2], "01 02"),
  ]) func `other formats are named`(bytes: [UInt8], said: String) {
    let error = #expect(throws: ImageError.self) { try decode(bytes) }
    #expect(error?.description.contains(said) == true)
  }

  @Test func `a missing file is named`() {
    #expect(
      throws: ImageError.file(FileError(path: "/nowhere.png", operation: "open", code: ENOENT))
    ) {
      try Image(contentsOf: "/nowhere.png")
    }
  }
}
