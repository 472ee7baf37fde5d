/// The bytes of a push constant block in std430 layout, with the places where addresses go.
///
/// Says at the same time what the dispatch reads and writes.
struct PushConstants: Sendable {
  /// Where something about a region goes when commands are recorded.
  struct Patch: Sendable {
    let byteOffset: Int
    let region: Region
    let content: Content

    enum Content: Sendable {
      /// Its device address, 8 bytes.
      case address
      /// The number of its first 16-byte texel in its texel buffer, 4 bytes.
      case texel
    }
  }

  private(set) var bytes: [UInt8] = []
  private(set) var patches: [Patch] = []
  private(set) var reads: [Region] = []
  private(set) var writes: [Region] = []
  /// By slot of texel buffers: what is read through it.
  private(set) var fetches: [Region] = []

  /// The address of memory that the shader reads.
  mutating func read(_ region: Region) {
    address(region)
    reads.append(region)
  }

  /// The address of memory that the shader writes.
  mutating func write(_ region: Region) {
    address(region)
    writes.append(region)
  }

  /// The address of memory that the shader reads and writes.
  mutating func update(_ region: Region) {
    address(region)
    reads.append(region)
    writes.append(region)
  }

  /// A `uint`, the number of the region's first 16-byte texel in the next texel buffer (`texels0`,
  /// `texels1`, … of Include/texels.glsl), through which the shader reads it. Four at most, and only if
  /// `limits.hasTexelFetch`.
  mutating func fetch(_ region: Region) {
    patches.append(Patch(byteOffset: bytes.count, region: region, content: .texel))
    append(0)
    reads.append(region)
    fetches.append(region)
  }

  /// The address of an optional operand, or null.
  mutating func read(_ operand: Operand?) {
    if let operand { read(operand.region) } else { null() }
  }

  /// The address of an optional result, or null.
  mutating func write(_ operand: Operand?) {
    if let operand { write(operand.region) } else { null() }
  }

  /// A null address; the shader must not follow it.
  mutating func null() {
    align(8)
    bytes.append(contentsOf: [UInt8](repeating: 0, count: 8))
  }

  /// A `uint`; sizes are checked to fit when the graph is analyzed.
  mutating func uint(_ value: Int) { append(UInt32(truncatingIfNeeded: value)) }

  /// An `int`.
  mutating func int(_ value: Int) { append(UInt32(bitPattern: Int32(truncatingIfNeeded: value))) }

  /// A `float`.
  mutating func float(_ value: Double) { append(Float(value).bitPattern) }

  private mutating func address(_ region: Region) {
    align(8)
    patches.append(Patch(byteOffset: bytes.count, region: region, content: .address))
    bytes.append(contentsOf: [UInt8](repeating: 0, count: 8))
  }

  private mutating func append(_ value: UInt32) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  private mutating func align(_ alignment: Int) {
    while bytes.count % alignment != 0 { bytes.append(0) }
  }
}
