import EspalierCheckpoints
import EspalierImages
import EspalierTensors
import TestSupport
import Testing

@Suite("Image transforms") struct TransformTests {
  @Test(arguments: ["wide", "tall", "small", "square"])
  func `the training transform gives Pillow's bytes`(name: String) throws {
    let golden = try Fixtures.tensors("image_transforms.safetensors").tensor(
      name + ".train_transform_u8")
    let image = try Image(contentsOf: Fixtures.path("images/\(name).png"))
    let result = image.rgb8().trainingTransform(resolution: golden.shape[0])
    #expect(result.image.bytes == golden.withUnsafeBytes { Array($0) })
    #expect(result.originalWidth == image.width && result.originalHeight == image.height)
    #expect(image.width <= image.height ? result.cropLeft == 0 : result.cropTop == 0)
  }

  @Test(arguments: ["wide", "tall", "small", "square"])
  func `Lanczos resizing gives Pillow's bytes`(name: String) throws {
    let file = try Fixtures.tensors("image_transforms.safetensors")
    let key = try #require(file.names.first { $0.hasPrefix(name + ".lanczos") })
    let golden = try file.tensor(key)
    let image = try Image(contentsOf: Fixtures.path("images/\(name).png")).rgb8()
      .resized(width: golden.shape[1], height: golden.shape[0], filter: .lanczos)
    #expect(image.bytes == golden.withUnsafeBytes { Array($0) })
  }

  @Test(arguments: [
    // Of two middles the even one: 0.5 → 0, 1.5 → 2, 2.5 → 2.
    (9, 8, 0), (11, 8, 2), (13, 8, 2), (12, 8, 2), (8, 8, 0),
  ]) func `the crop is where Python's round puts it`(long: Int, short: Int, expected: Int) {
    let image = Image(
      width: long, height: short, channels: 1, bytes: (0..<long * short).map { UInt8($0 % 251) })
    let result = image.trainingTransform(resolution: short)
    #expect(result.cropLeft == expected && result.cropTop == 0)
    #expect(result.image == image.cropped(x: expected, y: 0, width: short, height: short))
  }

  @Test(arguments: ResamplingFilter.allCases, [1, 2, 3, 4])
  func `a picture of one colour stays so`(filter: ResamplingFilter, channels: Int) {
    let colour: [UInt8] = [200, 255, 7, 255]
    let pixel = channels == 2 ? [200, 255] : Array(colour.prefix(channels))
    let image = Image(
      width: 7, height: 5, channels: channels, bytes: (0..<35).flatMap { _ in pixel })
    let result = image.resized(width: 3, height: 11, filter: filter)
    #expect(result.bytes == (0..<33).flatMap { _ in pixel })
  }

  @Test(arguments: [ResamplingFilter.bilinear, .bicubic, .lanczos])
  func `16-bit resizing agrees with the 8-bit one`(filter: ResamplingFilter) throws {
    let image = try Image(contentsOf: Fixtures.path("images/wide.png")).rgb8()
    let words = Image(
      width: image.width, height: image.height, channels: 3,
      words: image.bytes.map { UInt16($0) * 257 })
    let (small, smallWords) = (
      image.resized(width: 61, height: 40, filter: filter),
      words.resized(width: 61, height: 40, filter: filter)
    )
    guard case .words(let values) = smallWords.samples else {
      Issue.record("16 bits became 8")
      return
    }
    let worst = zip(small.bytes, values).map { abs(Double($0) - Double($1) / 257) }.max()
    #expect(try #require(worst) <= 1)
  }

  @Test func `nearest takes the pixel in the middle`() {
    let image = Image(width: 4, height: 1, channels: 1, bytes: [1, 2, 3, 4])
    #expect(image.resized(width: 2, height: 1, filter: .nearest).bytes == [2, 4])
    #expect(image.resized(width: 8, height: 1, filter: .nearest).bytes == [1, 1, 2, 2, 3, 3, 4, 4])
  }

  @Test func `nearest rounds as Pillow does, for words unlike for bytes`() {
    // (20 + 1/2) · 86 / 41 is 43 exactly; summed up in double precision it stays just below.
    let bytes = Image(width: 86, height: 1, channels: 1, bytes: Array(0..<86))
    let words = Image(width: 86, height: 1, channels: 1, words: Array(0..<86))
    #expect(bytes.resized(width: 41, height: 1, filter: .nearest).bytes[20] == 42)
    let small = words.resized(width: 41, height: 1, filter: .nearest)
    guard case .words(let values) = small.samples else {
      Issue.record("16 bits became 8")
      return
    }
    #expect(values[20] == 43)
  }

  @Test func `transparent pixels lend no colour`() {
    let image = Image(width: 2, height: 1, channels: 4, bytes: [255, 0, 0, 255, 0, 255, 0, 0])
    #expect(image.resized(width: 1, height: 1, filter: .bilinear).bytes == [255, 0, 0, 128])
  }

  @Test func `cropping and flipping move whole pixels`() {
    let image = Image(width: 3, height: 2, channels: 2, bytes: Array(1...12))
    #expect(image.cropped(x: 1, y: 1, width: 2, height: 1).bytes == [9, 10, 11, 12])
    #expect(image.flippedHorizontally().bytes == [5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8])
    #expect(image.flippedHorizontally().flippedHorizontally() == image)
  }

  @Test func `gray is the luma of Pillow`() {
    let image = Image(
      width: 3, height: 1, channels: 3, bytes: [255, 0, 0, 10, 200, 30, 255, 255, 255])
    #expect(image.gray8().bytes == [76, 124, 255])
    #expect(image.floats(channels: 1).floats() == [76 / 255, 124 / 255, 1])
    #expect(image.floats(channels: 3).shape == [1, 3, 3])
  }

  @Test func `floats become bytes as in NumPy`() {
    let values: [Float] = [0, 1, -1, 2, 0.5 / 255, 1.5 / 255, 2.5 / 255, .nan, .infinity]
    let image = Image(floats: HostTensor(values, shape: [3, 3, 1]))
    #expect(image.bytes == [0, 255, 0, 255, 0, 2, 2, 0, 255])
    let planes = HostTensor([0, 0.2, 0.4, 0.6, 0.8, 1] as [Float], shape: [3, 1, 2])
    #expect(Image(floats: planes, layout: .channelsFirst).bytes == [0, 102, 204, 51, 153, 255])
  }

  @Test func `bytes survive the way to floats and back`() {
    let image = Image(width: 16, height: 16, channels: 1, bytes: Array(0...255))
    #expect(Image(floats: image.floats(channels: 1)) == image)
  }
}
