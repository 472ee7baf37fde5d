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

  @Test func `fetched pages come into memory though nobody reads them`() throws {
    let folder = try temporaryFolder()
    let path = folder.file("bytes")
    try AtomicFile.write([UInt8](repeating: 9, count: 1 << 20), to: path)
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    fsync(descriptor)
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    let file = try MappedFile(path: path)
    HostTensor(mapping: file, offset: 0, dtype: .uint8, shape: [1 << 20]).fetchPages()
    let start = try #require(file.bytes.baseAddress)
    var pages = [UInt8](repeating: 0, count: (1 << 20) / sysconf(Int32(_SC_PAGESIZE)))
    let end = ContinuousClock.now + .seconds(30)
    repeat {
      #expect(mincore(UnsafeMutableRawPointer(mutating: start), 1 << 20, &pages) == 0)
    } while pages.contains { $0 & 1 == 0 } && ContinuousClock.now < end
    #expect(pages.allSatisfy { $0 & 1 == 1 })
    #expect(try resident(path) == 0, "only the file's cache holds them")
  }

  @Test func `an owned tensor keeps its numbers`() {
    let tensor = HostTensor([1, 2, 3] as [Float], shape: [3])
    tensor.releasePages()
    tensor.fetchPages()
    #expect(tensor.floats() == [1, 2, 3])
  }

  @Test func `advice for an empty file or a range outside changes nothing`() throws {
    let folder = try temporaryFolder()
    try AtomicFile.write([UInt8](), to: folder.file("empty"))
    let empty = try MappedFile(path: folder.file("empty"))
    empty.releasePages()
    empty.fetchPages()
    try AtomicFile.write([7], to: folder.file("one"))
    let one = try MappedFile(path: folder.file("one"))
    one.releasePages(5..<1 << 40)
    one.fetchPages(0..<1 << 40)
    #expect(one.bytes[0] == 7)
  }
}
