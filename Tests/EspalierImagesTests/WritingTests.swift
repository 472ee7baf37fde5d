import EspalierImages
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("PNG writing") struct WritingTests {
  @Test(arguments: 1...4, [false, true])
  func `what is written is read back`(channels: Int, wide: Bool) throws {
    let folder = try temporaryFolder()
    let path = folder.file("a.png")
    let count = 5 * 7 * channels
    let image =
      wide
      ? Image(
        width: 5, height: 7, channels: channels, words: (0..<count).map { UInt16($0 * 257 + 3) })
      : Image(width: 5, height: 7, channels: channels, bytes: (0..<count).map { UInt8($0) })
    try image.writePNG(to: path)
    #expect(try Image(contentsOf: path) == image)
    #expect(try folder.contents() == ["a.png"])
  }

  @Test func `texts of any script are read back`() throws {
    let folder = try temporaryFolder()
    let path = folder.file("a.png")
    let text = [
      "prompt": "pale golden rod circle\nwith old lace background", "Größe": "über µ",
      "negative prompt": "模糊, \u{1F600}", "empty": "", "control": "a\u{7}b\u{85}c",
      "long": String(repeating: "0123456789", count: 100_000),
    ]
    try Image(width: 1, height: 1, channels: 3, bytes: [1, 2, 3]).writePNG(to: path, text: text)
    #expect(try Image.text(contentsOf: path) == text)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(bytes.range(of: Data("tEXtprompt\0".utf8)) != nil)
    #expect(bytes.range(of: Data("iTXtnegative prompt\0".utf8)) != nil)
  }

  @Test(arguments: ["", String(repeating: "k", count: 80), "模", "a\nb", " a", "a  b"])
  func `keys that PNG forbids are refused`(key: String) throws {
    let image = Image(width: 1, height: 1, channels: 1, bytes: [0])
    #expect(throws: ImageError.self) { try image.pngBytes(text: [key: "v"], name: "a.png") }
    #expect(throws: ImageError.self) { try image.pngBytes(text: ["k": "a\0b"], name: "a.png") }
  }

  @Test func `text before and after the pixels is found, and pictures without text have none`()
    throws
  {
    let folder = try temporaryFolder()
    var png = MadeUpPNG(width: 2, height: 2, interlaced: true, data: [0, 1, 0, 2, 0, 3, 4])
    try AtomicFile.write(png.bytes, to: folder.file("none.png"))
    #expect(try Image.text(contentsOf: folder.file("none.png")).isEmpty)
    png.before = [("tEXt", Array("a\0first".utf8))]
    png.after = [("tEXt", Array("b\0".utf8) + [0xE9])]
    try AtomicFile.write(png.bytes, to: folder.file("some.png"))
    #expect(try Image.text(contentsOf: folder.file("some.png")) == ["a": "first", "b": "é"])
  }

  @Test func `an empty picture and a missing folder are refused`() {
    #expect(throws: ImageError.self) {
      try Image(width: 0, height: 0, channels: 1, bytes: []).pngBytes(name: "a.png")
    }
    #expect(throws: FileError.self) {
      try Image(width: 1, height: 1, channels: 1, bytes: [0]).writePNG(to: "/nowhere/a.png")
    }
  }
}
