import EspalierDatasets
import EspalierImages
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("ControlImageCache") struct ControlImageCacheTests {
  private let data: DataFolder
  private let samples: [TrainingSample]

  init() throws {
    let data = try DataFolder()
    self.data = data
    samples = try (0..<4).map { k in
      let path = try data.draw("\(k).png", width: 8 + k, height: 8 + k)
      return TrainingSample(
        imagePath: path, conditioningImagePath: path, captions: [""],
        source: SourceLine(file: "metadata.csv", line: k + 2))
    }
  }

  @Test func `gives what an image pair gives, kept or not`() throws {
    for limit in [0, 200, 1000] {
      let cache = ControlImageCache(
        samples: samples, resolution: 6, channels: 3, byteLimit: limit)
      for index in [0, 1, 2, 3, 1, 0] {
        let pair = try ImagePair(samples[index], resolution: 6)
        #expect(try cache.image(at: index) == pair.conditioningImage)
      }
      #expect(cache.byteCount == min(limit / 108, 4) * 108)
    }
  }

  @Test func `what is kept is not read again`() throws {
    let cache = ControlImageCache(samples: samples, resolution: 6, channels: 1)
    let image = try cache.image(at: 2)
    try FileManager.default.removeItem(atPath: samples[2].conditioningImagePath)
    #expect(try cache.image(at: 2) == image)
    #expect(throws: DatasetError.self) {
      try ControlImageCache(samples: samples, resolution: 6, channels: 1).image(at: 2)
    }
  }

  @Test func `a batch holds the images one after another in 0...1`() throws {
    let cache = ControlImageCache(samples: samples, resolution: 6, channels: 3)
    let batch = try cache.batch([3, 1])
    #expect(batch.shape == [2, 6, 6, 3])
    let expected = try [3, 1].flatMap {
      try ImagePair(samples[$0], resolution: 6).conditioningTensor().floats()
    }
    #expect(batch.floats() == expected)
  }
}
