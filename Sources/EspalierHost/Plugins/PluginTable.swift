import EspalierABI

/// Copies a plugin's struct into memory of the host, full-sized.
///
/// Fields that the plugin's struct does not reach are zero in the copy, so a function that an older
/// plugin does not know reads as null, "not offered". Required fields are checked here.
enum PluginTable {
  /// A field of `Table` that must be there, by its name in the header.
  struct Required<Table> {
    let name: String
    let field: PartialKeyPath<Table>
  }

  /// - Parameters:
  ///   - source: A struct of the boundary that starts with `struct_size`.
  ///   - head: Bytes before its first pointer.
  /// - Returns: The copy, never freed.
  /// - Throws: `PluginRefusal.tooShort` or `.missingField`, naming what is missing.
  static func copy<Table>(
    _ source: UnsafeRawPointer, as type: Table.Type, named structure: String, head: Int,
    required: [Required<Table>]
  ) throws(PluginRefusal) -> UnsafePointer<Table> {
    let bytes = Int(source.load(as: UInt32.self))
    guard bytes >= head else {
      throw .tooShort(structure: structure, bytes: bytes, required: head)
    }
    for item in required {
      guard let offset = MemoryLayout<Table>.offset(of: item.field) else { continue }
      let beyondEnd = bytes < offset + MemoryLayout<UInt>.size
      if beyondEnd || source.load(fromByteOffset: offset, as: UInt.self) == 0 {
        throw .missingField(structure: structure, field: item.name, beyondEnd: beyondEnd)
      }
    }
    // Whole fields only: all after the head are eight bytes.
    let word = MemoryLayout<UInt>.size
    let usable = min(head + (bytes - head) / word * word, MemoryLayout<Table>.size)
    let target = UnsafeMutableRawPointer.allocate(
      byteCount: MemoryLayout<Table>.size, alignment: MemoryLayout<Table>.alignment)
    target.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Table>.size)
    target.copyMemory(from: source, byteCount: usable)
    target.storeBytes(of: UInt32(usable), as: UInt32.self)
    return UnsafePointer(target.bindMemory(to: Table.self, capacity: 1))
  }
}
