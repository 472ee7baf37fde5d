import EspalierDatasets
import EspalierDemoKit
import EspalierImages
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("CircleFolder") struct CircleFolderTests {
  private func contents(of folder: TemporaryFolder) throws -> [String: Data] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    return try names.reduce(into: [:]) { files, name in
      guard name.contains(".") else { return }
      files[name] = try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
    }
  }

  @Test(arguments: [CircleGenerator.Split.training, .heldOut])
  func `one seed writes the same bytes again, another seed others`(
    split: CircleGenerator.Split
  ) throws {
    let written = try [4, 4, 5].map { (seed: UInt64) in
      let folder = try temporaryFolder()
      try CircleFolder(path: folder.path).write(
        CircleGenerator(seed: seed, split: split), count: 3, resolution: 32)
      return try contents(of: folder)
    }
    #expect(written[0] == written[1] && written[0] != written[2])
    #expect(written[0].count == (split == .heldOut ? 8 : 7))
  }

  @Test func `the trainer's data set reads what is written`() throws {
    let folder = try temporaryFolder()
    let generator = CircleGenerator(seed: 9, split: .training)
    try CircleFolder(path: folder.path).write(generator, count: 5, resolution: 48)
    let samples = try ImageFolderDataset(folder: folder.path).samples
    #expect(samples.map(\.captions) == (0..<5).map { [generator.circle($0).prompt] })
    let pair = try ImagePair(samples[2], resolution: 48)
    #expect(pair.image == generator.circle(2).targetImage(resolution: 48))
    #expect(pair.conditioningImage == generator.circle(2).sourceImage(resolution: 48))
  }

  @Test func `reads back the circles of held-out pictures`() throws {
    let folder = try temporaryFolder()
    let generator = CircleGenerator(seed: 9, split: .heldOut)
    try CircleFolder(path: folder.path).write(generator, count: 4, resolution: 16)
    let entries = try CircleFolder(path: folder.path).entries()
    #expect(entries.map(\.circle) == (0..<4).map(generator.circle))
    #expect(entries.map(\.target) == (0..<4).map { "target/\($0).png" })
  }
}

@Suite("PictureGrid") struct PictureGridTests {
  @Test func `puts pictures side by side with gutters`() {
    func flat(_ value: UInt8) -> Image {
      Image(width: 2, height: 1, channels: 1, bytes: [value, value])
    }
    let grid = PictureGrid.image(rows: [[flat(1), flat(2)], [flat(3), flat(4)]], gutter: 1)
    #expect(grid.width == 7 && grid.height == 5 && grid.channels == 3)
    let red = stride(from: 0, to: grid.bytes.count, by: 3).map { grid.bytes[$0] }
    #expect(Array(red[7..<14]) == [128, 1, 1, 128, 2, 2, 128])
    #expect(Array(red[21..<28]) == [128, 3, 3, 128, 4, 4, 128])
    #expect(red[..<7].allSatisfy { $0 == 128 } && red[28...].allSatisfy { $0 == 128 })
  }
}
