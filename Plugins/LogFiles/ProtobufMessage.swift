/// A message of protocol buffers, written field by field.
///
/// Source: https://protobuf.dev/programming-guides/encoding
public struct ProtobufMessage {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  /// How a field's value is written, in the lower three bits of its key.
  private enum WireType: UInt64 {
    case varint = 0
    case eightBytes = 1
    case lengthPrefixed = 2
    case fourBytes = 5
  }

  /// A whole number; a negative one takes ten bytes.
  public mutating func add(_ field: UInt64, _ value: Int64) {
    addKey(field, .varint)
    addVarint(UInt64(bitPattern: value))
  }

  public mutating func add(_ field: UInt64, _ value: Bool) { add(field, Int64(value ? 1 : 0)) }

  public mutating func add(_ field: UInt64, _ value: Double) {
    addKey(field, .eightBytes)
    addLittleEndian(value.bitPattern)
  }

  public mutating func add(_ field: UInt64, _ value: Float) {
    addKey(field, .fourBytes)
    addLittleEndian(value.bitPattern)
  }

  public mutating func add(_ field: UInt64, _ value: [UInt8]) {
    addKey(field, .lengthPrefixed)
    addVarint(UInt64(value.count))
    bytes += value
  }

  /// Nothing for nil.
  public mutating func add(_ field: UInt64, _ value: String?) {
    if let value { add(field, Array(value.utf8)) }
  }

  public mutating func add(_ field: UInt64, _ message: ProtobufMessage) {
    add(field, message.bytes)
  }

  public mutating func add(_ field: UInt64, _ build: (inout ProtobufMessage) -> Void) {
    var inner = ProtobufMessage()
    build(&inner)
    add(field, inner)
  }

  private mutating func addKey(_ field: UInt64, _ type: WireType) {
    addVarint(field << 3 | type.rawValue)
  }

  private mutating func addVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func addLittleEndian(_ value: some FixedWidthInteger) {
    bytes.append(contentsOf: value.littleEndianBytes)
  }
}
