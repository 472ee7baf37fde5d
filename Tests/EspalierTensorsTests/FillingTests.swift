import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("Parts of a random stream") struct FillingTests {
  private let stream = CounterRandom(seed: 11, purpose: .initialization, sample: 3)

  private func filled(
    _ count: Int, _ dtype: DType, from position: Int = 0, center: Float = 0, halfWidth: Float = 1
  ) -> HostTensor {
    let tensor = HostTensor(dtype: dtype, shape: [count])
    tensor.withUnsafeMutableBytes {
      stream.fill($0, as: dtype, from: position, center: center, halfWidth: halfWidth)
    }
    return tensor
  }

  @Test func `are the stream's uniforms, moved and stretched`() {
    let values = filled(10_003, .float32, center: 1, halfWidth: 0.25).floats()
    let expected = stream.uniforms(10_003).map { 0.75 + $0 * 0.5 }
    #expect(zip(values, expected).allSatisfy { abs($0 - $1) <= 1e-7 })
    #expect(values.min().map { $0 >= 0.75 && $0 < 0.76 } == true)
    #expect(values.max().map { $0 <= 1.25 && $0 > 1.24 } == true)
  }

  @Test(arguments: [DType.float32, .float16, .bfloat16])
  func `together are the whole, rounded from f32`(dtype: DType) {
    let whole = filled(9_001, .float32).converted(to: dtype).floats()
    var parts: [Float] = []
    for (start, end) in [(0, 4), (4, 4100), (4100, 9_001)] {
      parts += filled(end - start, dtype, from: start).floats()
    }
    #expect(parts == whole)
  }
}

@Suite("Folders") struct FolderTests {
  @Test func `are made with those above them`() throws {
    let folder = try temporaryFolder()
    try Folder.make(folder.file("a/b//c/"))
    try Folder.make(folder.file("a/b/c"))
    var isFolder: ObjCBool = false
    #expect(FileManager.default.fileExists(atPath: folder.file("a/b/c"), isDirectory: &isFolder))
    #expect(isFolder.boolValue)
    try AtomicFile.write("x", to: folder.file("file"))
    #expect(throws: FileError.self) { try Folder.make(folder.file("file")) }
    #expect(throws: FileError.self) { try Folder.make(folder.file("file/below")) }
  }

  @Test(arguments: [
    ("a/b", "a"), ("a", "."), ("/a", "/"), ("a/b/", "a"), ("/", "/"), ("a//b", "a"),
  ])
  func `have one above them`(path: String, parent: String) {
    #expect(Folder.parent(of: path) == parent)
  }
}
