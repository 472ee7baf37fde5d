import EspalierCheckpoints
import EspalierDatasets
import EspalierImages
import EspalierTensors
import TestSupport
import Testing

@Suite("ImagePair") struct ImagePairTests {
  private func sample(_ image: String, _ control: String) -> TrainingSample {
    TrainingSample(
      imagePath: image, conditioningImagePath: control, captions: ["t"],
      source: SourceLine(file: "metadata.jsonl", line: 4))
  }

  @Test(arguments: ["wide", "tall", "small", "square"])
  func `scales and cuts as the reference does`(name: String) throws {
    let goldens = try Fixtures.tensors("image_transforms.safetensors")
    let golden = try goldens.tensor("\(name).train_transform_u8")
    let path = Fixtures.path("images/\(name).png")
    let side = golden.shape[0]
    let pair = try ImagePair(sample(path, path), resolution: side)
    #expect(pair.image.bytes == golden.integers().map { UInt8($0) })
    #expect(pair.conditioningImage == pair.image)
    let tensor = pair.imageTensor()
    #expect(tensor.shape == [side, side, 3])
    expectClose(
      tensor.floats(), golden.floats().map { $0 / 255 * 2 - 1 }, absolute: 1e-6, "image")
    expectClose(
      pair.conditioningTensor().floats(), golden.floats().map { $0 / 255 }, absolute: 1e-6)
  }

  @Test func `tells size and crop of the image`() throws {
    let data = try DataFolder()
    let pair = try ImagePair(
      sample(
        data.draw("a.png", width: 40, height: 20), data.draw("b.png", width: 80, height: 40)),
      resolution: 10)
    #expect(pair.originalSize == PixelSize(width: 40, height: 20))
    #expect(pair.cropTop == 0 && pair.cropLeft == 5)
  }

  @Test func `a gray adapter gets a control image of one channel`() throws {
    let data = try DataFolder()
    let path = try data.draw("a.png", width: 8, height: 8)
    let pair = try ImagePair(sample(path, path), resolution: 8, conditioningChannels: 1)
    #expect(pair.conditioningTensor().shape == [8, 8, 1])
    #expect(try pair.conditioningImage == Image(contentsOf: path).gray8())
  }

  @Test func `aspect ratios may differ by the rounding of a pixel and no more`() throws {
    let data = try DataFolder()
    let image = try data.draw("a.png", width: 100, height: 61)
    let near = try data.draw("near.png", width: 50, height: 31)
    let far = try data.draw("far.png", width: 64, height: 64)
    #expect(try ImagePair(sample(image, near), resolution: 32).cropLeft == 10)
    #expect(
      throws: DatasetError.mismatchedSizes(
        SourceLine(file: "metadata.jsonl", line: 4), image: image,
        imageSize: PixelSize(width: 100, height: 61), conditioningImage: far,
        conditioningImageSize: PixelSize(width: 64, height: 64))
    ) { try ImagePair(sample(image, far), resolution: 32) }
  }

  @Test func `an unreadable image is named with its line`() throws {
    let data = try DataFolder()
    let good = try data.draw("a.png", width: 8, height: 8)
    let bad = try data.write("no picture", to: "bad.png")
    let long = try data.draw("long.png", width: 20_000, height: 1)
    for (image, control, fault) in [(bad, good, bad), (good, bad, bad), (long, long, long)] {
      let error = datasetError { () throws(DatasetError) in
        try ImagePair(sample(image, control), resolution: 512)
      }
      guard case .unreadableImage(let line, fault, _) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(line.line == 4)
    }
  }

  @Test func `keys follow the content, not the path`() throws {
    let data = try DataFolder()
    let (a, b) = (
      try data.draw("a.png", width: 8, height: 8), try data.draw("b.png", width: 8, height: 8)
    )
    let other = try data.draw("c.png", width: 16, height: 16)
    let first = try ImagePair(sample(a, other), resolution: 8)
    let second = try ImagePair(sample(b, b), resolution: 8)
    #expect(first.imageKey == second.imageKey && first.imageKey == second.conditioningKey)
    #expect(first.conditioningKey != second.conditioningKey)
    #expect(try ImagePair(sample(a, a), resolution: 4).imageKey != first.imageKey)
  }
}
