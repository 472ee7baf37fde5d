import CEspalierRuntime
import EspalierABI
import Glibc

/// A shared library with plugins, opened for the rest of the process.
struct PluginLibrary {
  private typealias Entry =
    @convention(c) (
      UnsafePointer<esp_host>, UInt32, UnsafeMutablePointer<UnsafePointer<esp_plugin>?>,
      UnsafeMutablePointer<esp_error>
    ) -> Int32

  private let entry: Entry

  /// Opens the file that `path` leads to, with all its symbols resolved now and hidden from others.
  ///
  /// - Throws: `PluginRefusal` with the loader's own words, or if the entry symbol is not this file's.
  init(path: String) throws(PluginRefusal) {
    guard let file = realPath(path) else { throw .missingFile }
    guard let handle = espalier_library_open(file) else {
      throw .notLoadable(dlerror().map { String(cString: $0) } ?? "no reason given")
    }
    guard let symbol = dlsym(handle, ESP_ENTRY_SYMBOL) else { throw .missingEntry }
    let origin = espalier_symbol_file(symbol).map { String(cString: $0) }
    guard let origin, realPath(origin) == file else {
      throw .foreignEntry(file: origin ?? "an unknown file")
    }
    // SAFETY: the header fixes the type of the symbol of this name.
    entry = unsafeBitCast(symbol, to: Entry.self)
  }

  /// All plugins that the entry hands out, with their versions checked.
  ///
  /// - Throws: `PluginRefusal` for the first that cannot be used.
  func plugins() throws(PluginRefusal) -> [UnsafePointer<esp_plugin>] {
    var found: [UnsafePointer<esp_plugin>] = []
    for index in 0..<Self.mostPlugins {
      var table: UnsafePointer<esp_plugin>?
      do {
        try callPlugin { entry(HostServices.table, UInt32(index), &table, $0) }
      } catch {
        if error.code == .notFound { return found }
        throw .entryFailed(error)
      }
      guard let table else { throw .noTable(index: index) }
      found.append(try Self.check(table))
    }
    return found
  }

  /// An entry that never answers ESP_NOT_FOUND is asked no more often than this.
  private static let mostPlugins = 64

  private static func check(
    _ table: UnsafePointer<esp_plugin>
  ) throws(PluginRefusal) -> UnsafePointer<esp_plugin> {
    let raw = UnsafeRawPointer(table)
    let bytes = Int(raw.load(as: UInt32.self))
    let head = MemoryLayout<esp_plugin>.offset(of: \.name) ?? 0
    guard bytes >= head else {
      throw .tooShort(structure: "esp_plugin", bytes: bytes, required: head)
    }
    let major = raw.load(fromByteOffset: 4, as: UInt32.self)
    guard major == ESP_ABI_MAJOR else {
      throw .majorVersion(found: major, expected: ESP_ABI_MAJOR)
    }
    let needed = raw.load(fromByteOffset: 12, as: UInt32.self)
    guard needed <= ESP_ABI_MINOR else {
      throw .hostTooOld(needsMinor: needed, hostMinor: ESP_ABI_MINOR)
    }
    return try PluginTable.copy(
      raw, as: esp_plugin.self, named: "esp_plugin", head: head, required: RequiredFields.plugin)
  }
}
