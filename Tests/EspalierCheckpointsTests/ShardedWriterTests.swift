import EspalierCheckpoints
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("Weights in several files") struct ShardedWriterTests {
  private let folder: TemporaryFolder
  /// 16, 8, 40 and 4 bytes.
  private let tensors: [(name: String, tensor: HostTensor)] = [
    ("d", HostTensor([1, 2, 3, 4] as [Float], shape: [2, 2])),
    ("b", HostTensor([5, 6] as [Float], shape: [2])),
    ("c", HostTensor([Float](repeating: 7, count: 10), shape: [10])),
    ("a", HostTensor([8] as [Float], shape: [1])),
  ]

  init() throws { folder = try temporaryFolder() }

  private func writer(_ size: Int, variant: String? = nil) -> ShardedWriter {
    ShardedWriter(
      tensors.map { StreamedTensor(name: $0.name, $0.tensor) }, baseName: "model",
      variant: variant, maxShardSize: size)
  }

  @Test func `have the names that Transformers and Diffusers give them`() {
    #expect(writer(1000).fileNames == ["model.safetensors"])
    #expect(writer(1000).indexName == nil)
    #expect(writer(1000, variant: "fp16").fileNames == ["model.fp16.safetensors"])
    #expect(
      writer(24).fileNames == [
        "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
        "model-00003-of-00003.safetensors",
      ])
    #expect(writer(24).indexName == "model.safetensors.index.json")
    #expect(writer(44, variant: "fp16").fileNames[1] == "model.fp16-00002-of-00002.safetensors")
    #expect(writer(44, variant: "fp16").indexName == "model.safetensors.index.fp16.json")
  }

  @Test(arguments: [(1, 4), (24, 3), (44, 2), (1000, 1)], [nil, "fp16"])
  func `read as one file does`(size: (Int, Int), variant: String?) throws {
    try writer(size.0, variant: variant).write(to: folder.path)
    let checkpoint = try Checkpoint(folder: folder.path, variant: variant)
    #expect(checkpoint.files.count == size.1)
    #expect(checkpoint.entries.count == tensors.count)
    for (name, tensor) in tensors {
      #expect(try checkpoint.tensor(name).floats() == tensor.floats())
      #expect(checkpoint.entries[name]?.shape == tensor.shape)
    }
    let one = folder.file("one.safetensors")
    try SafetensorsWriter.write(tensors, to: one)
    #expect(try Checkpoint(file: one).contentHash() == checkpoint.contentHash())
  }

  @Test func `hold no more than was asked for, but for a tensor that is larger`() throws {
    try writer(24).write(to: folder.path)
    let names = try Checkpoint(folder: folder.path).files.map {
      try SafetensorsFile(path: $0).names
    }
    #expect(names.map { Set($0) } == [["d", "b"], ["c"], ["a"]])
    let index = try JSONObject(contentsOf: folder.file("model.safetensors.index.json"))
    #expect(try index.object("metadata").int("total_size") == 68)
  }

  @Test func `have another hash when a name, a type, a shape or a number differs`() throws {
    let path = folder.file("x.safetensors")
    func hash(_ name: String, _ tensor: HostTensor) throws -> ContentHash {
      try SafetensorsWriter.write([(name, tensor)], to: path)
      return try Checkpoint(file: path).contentHash()
    }
    let base = HostTensor([0, 1] as [Float], shape: [2])
    let hashes = try [
      hash("a", base), hash("b", base), hash("a", base.reshaped([1, 2])),
      hash("a", HostTensor([0, 2] as [Float], shape: [2])),
      hash("a", HostTensor([0, 0x3F80_0000] as [Int32], shape: [2])),
    ]
    #expect(Set(hashes).count == hashes.count)
  }
}

@Suite("Views of tensors") struct TensorViewTests {
  @Test func `give rows, other shapes and transposes of a file's tensors`() throws {
    let folder = try temporaryFolder()
    let path = folder.file("x.safetensors")
    let values = (0..<12).map { Float($0) }
    try SafetensorsWriter.write(
      [
        ("fused", HostTensor(values, shape: [6, 2])),
        ("kernel", HostTensor(values, shape: [4, 3, 1, 1])),
        ("turned", HostTensor(values, shape: [3, 4])),
      ], to: path)
    let file = try SafetensorsFile(path: path)
    let fused = try #require(file.entries["fused"])
    let kernel = try #require(file.entries["kernel"])
    let turned = try #require(file.entries["turned"])
    let checkpoint = Checkpoint(
      file,
      views: [
        "k": TensorView(source: "fused", entry: try #require(fused.rows(1, of: 3))),
        "m": TensorView(source: "kernel", entry: kernel.reshaped([4, 3])),
        "t": TensorView(source: "turned", entry: turned, isTransposed: true),
      ])
    #expect(try checkpoint.tensor("k").floats() == [4, 5, 6, 7])
    #expect(try checkpoint.tensor("k").isMapped)
    #expect(checkpoint.entries["k"]?.shape == [2, 2])
    #expect(try checkpoint.tensor("m").shape == [4, 3])
    #expect(checkpoint.entries["t"]?.shape == [4, 3])
    #expect(try checkpoint.tensor("t").shape == [4, 3])
    #expect(
      try checkpoint.tensor("t").floats() == [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
    #expect(checkpoint.source(of: "k") == "fused")
    #expect(fused.rows(0, of: 4) == nil && fused.rows(3, of: 3) == nil)
  }

  @Test func `name the file's tensor when a number is not finite`() throws {
    let folder = try temporaryFolder()
    let path = folder.file("x.safetensors")
    try SafetensorsWriter.write(
      [("fused", HostTensor([1, .nan] as [Float], shape: [2]))], to: path)
    let file = try SafetensorsFile(path: path)
    let entry = try #require(file.entries["fused"]?.rows(1, of: 2))
    let checkpoint = Checkpoint(file, views: ["k": TensorView(source: "fused", entry: entry)])
    #expect(throws: CheckpointError.nonFinite(path: path, tensor: "fused", index: 0)) {
      try checkpoint.finiteTensor("k")
    }
  }
}
