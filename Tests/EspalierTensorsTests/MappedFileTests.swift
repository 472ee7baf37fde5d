import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("MappedFile") struct MappedFileTests {
  /// Bytes of a mapped file that are in this process's memory.
  private func resident(_ path: String) throws -> Int {
    let lines = try ProcessMaps.lines()
    let start = try #require(lines.firstIndex { $0.hasSuffix(path) })
    let rss = try #require(lines[start...].first { $0.hasPrefix("Rss:") })
    return try #require(Int(rss.split(separator: " ")[1])) * 1024
  }

  @Test func `released pages leave memory and come back from the file`() throws {
    let folder = try temporaryFolder()
    let path = folder.file("numbers")
    let values = (0..<1 << 19).map { Float($0 % 8191) }
    try values.withUnsafeBytes { try AtomicFile.write(Array($0), to: path) }
    let file = try MappedFile(path: path)
    let half = 1 << 20
    let first = HostTensor(mapping: file, offset: 0, dtype: .float32, shape: [half / 4])
    let second = HostTensor(mapping: file, offset: half, dtype: .float32, shape: [half / 4])
    #expect(first.floats() == Array(values[..<(half / 4)]))
    #expect(second.floats() == Array(values[(half / 4)...]))
    #expect(try resident(path) == 2 * half)
    first.releasePages()
    // Where the kernel maps the whole file by one large page, all of it goes.
    #expect(try resident(path) <= half)
    #expect(second.floats() == Array(values[(half / 4)...]))
    file.releasePages()
    #expect(try resident(path) == 0)
    #expect(first.floats() == Array(values[..<(half / 4)]))
  }

  @Test func `an owned tensor keeps its numbers`() {
    let tensor = HostTensor([1, 2, 3] as [Float], shape: [3])
    tensor.releasePages()
    #expect(tensor.floats() == [1, 2, 3])
  }

  @Test func `releasing an empty file or a range outside changes nothing`() throws {
    let folder = try temporaryFolder()
    try AtomicFile.write([UInt8](), to: folder.file("empty"))
    try MappedFile(path: folder.file("empty")).releasePages()
    try AtomicFile.write([7], to: folder.file("one"))
    let one = try MappedFile(path: folder.file("one"))
    one.releasePages(5..<1 << 40)
    #expect(one.bytes[0] == 7)
  }
}
