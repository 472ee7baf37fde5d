import Foundation
import TestSupport
import Testing

/// The compiled shaders that the backend `vulkan` keeps in the cache folder.
@Suite("The cache of shaders") struct ShaderCacheTests {
  private let folder: TemporaryFolder

  init() throws { folder = try temporaryFolder() }

  private func scale() throws -> Program.Result {
    let plugin = URL(fileURLWithPath: Program.path).deletingLastPathComponent()
      .appendingPathComponent("libespalier-backend-vulkan.so").path
    return try RunningProgram(
      "/usr/bin/env",
      [
        "XDG_CACHE_HOME=" + folder.file("cache"), Program.path, "conformance", plugin, "--op",
        "scale",
      ]
    ).result()
  }

  /// The files of the cache with their contents.
  private func files() throws -> [String: Data] {
    let cache = folder.file("cache/espalier/vulkan")
    var found: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: cache) {
      found[name] = try Data(contentsOf: URL(fileURLWithPath: cache + "/" + name))
    }
    return found
  }

  @Test func `files that are cut, foreign or empty are compiled anew`() throws {
    #expect(try scale().status == 0)
    let whole = try files()
    let names = whole.keys.sorted()
    #expect(!names.isEmpty && names.allSatisfy { $0.hasPrefix("scale-") && $0.hasSuffix(".spv") })
    for damage in 0..<3 {
      for (name, data) in whole {
        let damaged =
          damage == 0 ? data.dropLast(5) : damage == 1 ? Data(repeating: 7, count: 99) : Data()
        try damaged.write(to: URL(fileURLWithPath: folder.file("cache/espalier/vulkan/" + name)))
      }
      #expect(try scale().status == 0)
      #expect(try files() == whole)
    }
    // A single flipped bit, where no length tells.
    for (name, data) in whole {
      var flipped = data
      flipped[flipped.count / 2] ^= 0x10
      try flipped.write(to: URL(fileURLWithPath: folder.file("cache/espalier/vulkan/" + name)))
    }
    #expect(try scale().status == 0)
    #expect(try files() == whole)
  }
}
