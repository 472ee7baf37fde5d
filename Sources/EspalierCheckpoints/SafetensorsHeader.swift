import EspalierTensors

/// The header of a safetensors file, read and checked.
struct SafetensorsHeader {
  /// The limit of the reference implementation, in bytes.
  private static let largest = 100_000_000

  private(set) var names: [String] = []
  private(set) var entries: [String: TensorEntry] = [:]
  private(set) var metadata: [String: String] = [:]
  private let path: String

  init(path: String, bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    self.path = path
    guard bytes.count >= 8 else {
      throw .damaged(
        path: path, expected: "8 bytes with the length of the header", found: "\(bytes.count) bytes"
      )
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(Self.largest) else {
      throw .damaged(
        path: path, expected: "a header of at most \(Self.largest) bytes", found: "length \(length)"
      )
    }
    let dataStart = 8 + Int(length)
    guard dataStart <= bytes.count else {
      throw .damaged(
        path: path, expected: "a header of \(length) bytes", found: "a file of \(bytes.count) bytes"
      )
    }
    let header = bytes[8..<dataStart]
    guard header.first == UInt8(ascii: "{") else {
      throw .damaged(path: path, expected: "a header that starts with '{'", found: "something else")
    }
    do {
      try read(JSONValue(parsing: header), dataStart: dataStart, fileSize: bytes.count)
    } catch let error as JSONSyntaxError {
      throw .damaged(path: path, expected: "a header of valid JSON", found: error.description)
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw .damaged(path: path, expected: "a readable header", found: "\(error)")
    }
    try checkLayout(dataStart: dataStart, fileSize: bytes.count)
  }

  private mutating func read(
    _ header: JSONValue, dataStart: Int, fileSize: Int
  ) throws(CheckpointError) {
    for member in header.members ?? [] {
      if member.key == "__metadata__" {
        try readMetadata(member.value)
      } else {
        names.append(member.key)
        entries[member.key] = try entry(
          member.key, member.value, dataStart: dataStart, fileSize: fileSize)
      }
    }
  }

  private mutating func readMetadata(_ value: JSONValue) throws(CheckpointError) {
    guard let members = value.members else {
      throw .damaged(path: path, expected: "__metadata__ as an object", found: value.kind)
    }
    for member in members {
      guard let text = member.value.string else {
        throw .damaged(
          path: path, expected: "__metadata__ of strings",
          found: "\(member.key): \(member.value.kind)")
      }
      metadata[member.key] = text
    }
  }

  private func entry(
    _ name: String, _ value: JSONValue, dataStart: Int, fileSize: Int
  ) throws(CheckpointError) -> TensorEntry {
    func refuse(_ expected: String, _ found: String) -> CheckpointError {
      .damaged(path: path, tensor: name, expected: expected, found: found)
    }
    guard let dtype = value["dtype"]?.string, let bits = TensorEntry.bitCounts[dtype] else {
      throw refuse("a dtype of safetensors", value["dtype"]?.kind ?? "none")
    }
    guard let dims = value["shape"]?.ints, dims.allSatisfy({ $0 >= 0 }) else {
      throw refuse("a shape of whole numbers, none negative", shapeText(value["shape"]))
    }
    guard let offsets = value["data_offsets"]?.ints, offsets.count == 2 else {
      throw refuse("data_offsets of two numbers", shapeText(value["data_offsets"]))
    }
    var bitCount = bits
    for size in dims {
      let (product, overflow) = bitCount.multipliedReportingOverflow(by: size)
      guard !overflow else { throw refuse("a shape that fits into memory", "\(dims)") }
      bitCount = product
    }
    guard bitCount % 8 == 0 else { throw refuse("a whole number of bytes", "\(bitCount) bits") }
    let (begin, end) = (offsets[0], offsets[1])
    guard 0 <= begin, begin <= end, end <= fileSize - dataStart else {
      throw refuse(
        "data_offsets in order and inside the \(fileSize - dataStart) bytes of data", "\(offsets)")
    }
    guard end - begin == bitCount / 8 else {
      throw refuse(
        "\(bitCount / 8) bytes for \(dtype) \(Shape(dims))", "\(end - begin) bytes (\(offsets))")
    }
    return TensorEntry(
      dtypeName: dtype, shape: Shape(dims), byteRange: dataStart + begin..<dataStart + end)
  }

  private func shapeText(_ value: JSONValue?) -> String {
    value.map { JSONWriter.compact($0) } ?? "none"
  }

  /// Tensors lie one after another from the header to the end of the file.
  private func checkLayout(dataStart: Int, fileSize: Int) throws(CheckpointError) {
    var end = dataStart
    let ordered = entries.map { ($0.value.byteRange, $0.key) }.sorted {
      ($0.0.lowerBound, $0.0.upperBound) < ($1.0.lowerBound, $1.0.upperBound)
    }
    for (range, name) in ordered {
      guard range.lowerBound == end else {
        let problem = range.lowerBound < end ? "an overlap" : "a hole"
        throw .damaged(
          path: path, tensor: name, expected: "data from byte \(end - dataStart)",
          found: "data from byte \(range.lowerBound - dataStart): \(problem)")
      }
      end = range.upperBound
    }
    guard end == fileSize else {
      throw .damaged(
        path: path, expected: "\(end) bytes as the header says",
        found: "a file of \(fileSize) bytes")
    }
  }
}
