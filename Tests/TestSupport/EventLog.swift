public import Foundation

/// TensorBoard's event files as its readers take them, written for the tests from the format's description.
public enum EventLog {
  public struct Event: Equatable {
    public var time = 0.0
    public var step = 0
    public var fileVersion: String?
    /// True for the event after which earlier ones of this step and later ones are dropped.
    public var isStart = false
    public var values: [Value] = []
    /// The record's data.
    public var bytes: [UInt8] = []
  }

  public struct Value: Equatable {
    public var tag = ""
    public var scalar: Float?
    /// Of a tensor of strings.
    public var strings: [Data] = []
    public var shape: [Int] = []
    public var plugin: String?
    public var content = Data()
    public var description = ""
    public var dataClass = 0
  }

  public enum Failure: Error {
    case checksum(at: Int)
    case damaged
  }

  /// The events of a file; a record that a crash cut off ends it.
  ///
  /// - Throws: `Failure` for a record whose checksums are wrong.
  public static func events(_ file: [UInt8]) throws -> [Event] {
    var events: [Event] = []
    var position = 0
    while position + 12 <= file.count {
      let header = Array(file[position..<position + 8])
      guard Array(file[position + 8..<position + 12]) == maskedChecksum(header) else {
        throw Failure.checksum(at: position)
      }
      let count = header.reversed().reduce(0) { $0 << 8 | Int($1) }
      let start = position + 12
      guard start + count + 4 <= file.count else { break }
      let data = Array(file[start..<start + count])
      guard Array(file[start + count..<start + count + 4]) == maskedChecksum(data) else {
        throw Failure.checksum(at: start)
      }
      events.append(try event(data))
      position = start + count + 4
    }
    return events
  }

  /// The names of a folder's event files in the order in which readers take them.
  public static func files(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.contains("tfevents") }.sorted().map { folder + "/" + $0 }
  }

  /// The events of a run's folder, without those that a later file replaces.
  public static func run(in folder: String) throws -> [Event] {
    var kept: [Event] = []
    for path in try files(in: folder) {
      for event in try events([UInt8](Data(contentsOf: URL(fileURLWithPath: path)))) {
        if event.isStart { kept.removeAll { !$0.values.isEmpty && $0.step >= event.step } }
        kept.append(event)
      }
    }
    return kept
  }

  /// The values of one scalar, by step.
  public static func scalars(_ events: [Event], _ tag: String) -> [(step: Int, value: Float)] {
    events.flatMap { event in
      event.values.compactMap { value in
        value.tag == tag ? value.scalar.map { (event.step, $0) } : nil
      }
    }
  }

  /// CRC-32C, bit by bit.
  public static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
  }

  /// As it stands in a file, the lowest byte first.
  public static func maskedChecksum(_ bytes: [UInt8]) -> [UInt8] {
    let crc = checksum(bytes)
    let masked = (crc >> 15 | crc << 17) &+ 0xA282_EAD8
    return (0..<4).map { UInt8(truncatingIfNeeded: masked >> (8 * $0)) }
  }

  private static func event(_ data: [UInt8]) throws -> Event {
    var event = Event()
    event.bytes = data
    for (field, value) in try fields(data) {
      switch field {
      case 1: event.time = Double(bitPattern: value.number)
      case 2: event.step = Int(value.number)
      case 3: event.fileVersion = String(decoding: value.bytes, as: UTF8.self)
      case 5: event.values += try fields(value.bytes).map { try self.value($0.value.bytes) }
      case 7:
        event.isStart = try fields(value.bytes).contains { $0.field == 1 && $0.value.number == 1 }
      default: throw Failure.damaged
      }
    }
    return event
  }

  private static func value(_ data: [UInt8]) throws -> Value {
    var result = Value()
    for (field, value) in try fields(data) {
      switch field {
      case 1: result.tag = String(decoding: value.bytes, as: UTF8.self)
      case 2: result.scalar = Float(bitPattern: UInt32(value.number))
      case 8:
        for (field, value) in try fields(value.bytes) {
          if field == 2 {
            result.shape = try fields(value.bytes).map {
              Int(try fields($0.value.bytes).first?.value.number ?? 0)
            }
          }
          if field == 8 { result.strings.append(Data(value.bytes)) }
        }
      case 9:
        for (field, value) in try fields(value.bytes) {
          switch field {
          case 1:
            let plugin = try fields(value.bytes)
            result.plugin = plugin.first { $0.field == 1 }
              .map { String(decoding: $0.value.bytes, as: UTF8.self) }
            result.content = Data(plugin.first { $0.field == 2 }?.value.bytes ?? [])
          case 3: result.description = String(decoding: value.bytes, as: UTF8.self)
          case 4: result.dataClass = Int(value.number)
          default: throw Failure.damaged
          }
        }
      default: throw Failure.damaged
      }
    }
    return result
  }

  /// A field's value: a number of any wire type, or bytes.
  public typealias Field = (field: Int, value: (number: UInt64, bytes: [UInt8]))

  /// The fields of a message of protocol buffers, in order.
  public static func fields(_ data: [UInt8]) throws -> [Field] {
    var result: [Field] = []
    var position = 0
    func take(_ count: Int) throws -> [UInt8] {
      guard count >= 0, position + count <= data.count else { throw Failure.damaged }
      defer { position += count }
      return Array(data[position..<position + count])
    }
    func varint() throws -> UInt64 {
      var (value, shift) = (UInt64(0), UInt64(0))
      while true {
        let byte = try take(1)[0]
        value |= UInt64(byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 { return value }
      }
    }
    func fixed(_ count: Int) throws -> UInt64 {
      try take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    while position < data.count {
      let key = try varint()
      let field = Int(key >> 3)
      switch key & 7 {
      case 0: result.append((field, (try varint(), [])))
      case 1: result.append((field, (try fixed(8), [])))
      case 2: result.append((field, (0, try take(Int(try varint())))))
      case 5: result.append((field, (try fixed(4), [])))
      default: throw Failure.damaged
      }
    }
    return result
  }
}
