import EspalierPluginKit
import Glibc

/// Compiled shaders on disk, one file each, named by what went into them.
///
/// A missing, cut or foreign file is compiled anew; a folder that cannot be written is not used.
struct SPIRVCache {
  private static let magic: UInt32 = 0x4553_5056
  /// In words: magic, word count, checksum (two words).
  private static let headerWords = 4

  /// nil: nothing is kept.
  let folder: String?

  /// The folder `vulkan` in the run's cache directory.
  init() {
    folder = HostServices.current?.config("cache_directory").map { "\($0)/vulkan" }
  }

  /// The words for this key, if they are there and whole.
  func load(_ key: SPIRVKey) -> [UInt32]? {
    guard let folder, let file = fopen("\(folder)/\(key.name).spv", "rb") else { return nil }
    defer { fclose(file) }
    var header = [UInt32](repeating: 0, count: Self.headerWords)
    guard fread(&header, 4, Self.headerWords, file) == Self.headerWords, header[0] == Self.magic,
      header[1] > 5, header[1] < 1 << 22
    else { return nil }
    var words = [UInt32](repeating: 0, count: Int(header[1]))
    guard fread(&words, 4, words.count, file) == words.count, fgetc(file) == EOF,
      checksum(words) == UInt64(header[2]) | UInt64(header[3]) << 32
    else { return nil }
    return words
  }

  /// Keeps the words; writes a temporary file and renames it.
  func store(_ words: [UInt32], for key: SPIRVKey) {
    guard let folder else { return }
    makeFolder(folder)
    let path = "\(folder)/\(key.name).spv"
    let temporary = "\(path).\(getpid())"
    guard let file = fopen(temporary, "wb") else { return }
    let sum = checksum(words)
    let header = [
      Self.magic, UInt32(words.count), UInt32(truncatingIfNeeded: sum),
      UInt32(truncatingIfNeeded: sum >> 32),
    ]
    let isWritten =
      fwrite(header, 4, header.count, file) == header.count
      && fwrite(words, 4, words.count, file) == words.count
    if fclose(file) != 0 || !isWritten || rename(temporary, path) != 0 { unlink(temporary) }
  }

  /// Makes a folder with those above it, where they are missing.
  private func makeFolder(_ path: String) {
    guard mkdir(path, 0o777) != 0, errno == ENOENT,
      let slash = path.lastIndex(of: "/"), slash > path.startIndex
    else { return }
    makeFolder(String(path[..<slash]))
    mkdir(path, 0o777)
  }

  private func checksum(_ words: [UInt32]) -> UInt64 {
    var hash = FNV1a()
    words.withUnsafeBytes { hash.add($0) }
    return hash.value
  }
}

/// What a compiled shader depends on.
struct SPIRVKey {
  /// The file's name without its extension: the shader's name and two hashes.
  let name: String

  /// - Parameters:
  ///   - source: The complete text.
  ///   - environment: Compiler, target, driver and its version.
  init(shader: String, source: String, environment: String) {
    var first = FNV1a()
    var second = FNV1a(value: 0x6c62_272e_07bb_0142)
    for text in [source, environment] {
      var text = text
      text.withUTF8 {
        first.add(UnsafeRawBufferPointer($0))
        second.add(UnsafeRawBufferPointer($0))
      }
      first.add(0xff)
      second.add(0xff)
    }
    name = "\(shader)-\(String(first.value, radix: 16))\(String(second.value, radix: 16))"
  }
}

/// The hash FNV-1a of 64 bits.
struct FNV1a {
  var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    for byte in bytes { add(byte) }
  }
}
