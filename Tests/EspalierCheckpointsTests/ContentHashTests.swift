import EspalierCheckpoints
import EspalierTensors
import TestSupport
import Testing

@Suite("ContentHash") struct ContentHashTests {
  /// Published test vectors of XXH3-128 (`xxh128sum` of the same bytes).
  @Test func `agrees with xxh128sum`() throws {
    #expect(ContentHash("").description == "99aa06d3014798d86001c324468d497f")
    #expect(ContentHash("a").description == "a96faf705af16834e6c632b61e964e1f")
  }

  @Test func `pieces, whole and file agree`() throws {
    let folder = try temporaryFolder()
    let text = String(repeating: "espalier ", count: 1000)
    try AtomicFile.write(text, to: folder.file("a"))
    let hasher = ContentHasher()
    let bytes = Array(text.utf8)
    bytes.withUnsafeBytes {
      hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<100]))
      hasher.update(UnsafeRawBufferPointer(rebasing: $0[100...]))
    }
    #expect(hasher.finish() == ContentHash(text))
    #expect(try ContentHash(contentsOf: folder.file("a")) == ContentHash(text))
  }

  @Test func `where one text ends and the next begins matters`() {
    func hash(_ parts: String...) -> ContentHash {
      let hasher = ContentHasher()
      for part in parts { hasher.combine(part) }
      return hasher.finish()
    }
    #expect(hash("a", "bc") != hash("ab", "c"))
    #expect(hash("a", "bc") == hash("a", "bc"))
  }

  @Test func `tensors differ by shape, type and values`() {
    let a = HostTensor([1, 2, 3, 4] as [Float], shape: [4])
    let others = [
      HostTensor([1, 2, 3, 4] as [Float], shape: [2, 2]),
      HostTensor([1, 2, 3, 5] as [Float], shape: [4]),
      a.converted(to: .bfloat16), HostTensor([Int32(1), 2, 3, 4], shape: [4]),
    ]
    #expect(Set((others + [a]).map { ContentHash($0) }).count == 5)
    #expect(ContentHash(a) == ContentHash(HostTensor([1, 2, 3, 4] as [Float], shape: [4])))
  }
}
