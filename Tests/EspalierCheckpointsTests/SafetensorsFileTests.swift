import EspalierCheckpoints
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("SafetensorsFile") struct SafetensorsFileTests {
  @Test func `reads what the reference implementation wrote`() throws {
    let file = try Fixtures.tensors("image_transforms.safetensors")
    let entry = try #require(file.entries["wide.train_transform_u8"])
    #expect(entry.dtype == .uint8)
    #expect(entry.shape.rank == 3 && entry.shape.last == 3)
    let tensor = try file.tensor("wide.train_transform_u8")
    #expect(tensor.isMapped && tensor.byteCount == entry.byteRange.count)
    #expect(Set(file.names) == Set(file.entries.keys))
  }

  @Test func `a tensor outlives the file object`() throws {
    let folder = try temporaryFolder()
    let path = folder.file("a.safetensors")
    try Data(
      safetensors(
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, [0, 0, 128, 63, 0, 0, 0, 64])
    )
    .write(to: URL(fileURLWithPath: path))
    let tensor = try SafetensorsFile(path: path).tensor("a")
    #expect(tensor.floats() == [1, 2])
  }

  @Test func `types it does not compute with are listed and refused only when asked for`() throws {
    let folder = try temporaryFolder()
    let path = folder.file("a.safetensors")
    let header = #"""
      {"__metadata__":{"k":"v"},"x":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]},
      "y":{"dtype":"U8","shape":[],"data_offsets":[3,4]},"z":{"dtype":"F4","shape":[4],"data_offsets":[4,6]}}
      """#
    try Data(safetensors(header, [1, 2, 3, 4, 5, 6])).write(to: URL(fileURLWithPath: path))
    let file = try SafetensorsFile(path: path)
    #expect(file.names == ["x", "y", "z"] && file.metadata == ["k": "v"])
    #expect(try file.tensor("y").integers() == [4])
    #expect(throws: CheckpointError.unsupportedDType(path: path, tensor: "x", dtype: "F8_E4M3")) {
      try file.tensor("x")
    }
  }

  @Test func `a tensor at an odd address is copied and read correctly`() throws {
    let folder = try temporaryFolder()
    let path = folder.file("a.safetensors")
    // No padding: the header's length decides where the data starts.
    for padding in 0..<4 {
      let header =
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        + String(repeating: " ", count: padding)
      try Data(safetensors(header, [0, 0, 128, 63])).write(to: URL(fileURLWithPath: path))
      #expect(try SafetensorsFile(path: path).tensor("a").withFloats { $0[0] } == 1)
    }
  }

  static let hostile: [(String, [UInt8])] = [
    ("an empty file", []),
    ("a short length", [1, 2, 3]),
    ("a header beyond the file", [200, 0, 0, 0, 0, 0, 0, 0, 123, 125]),
    ("a negative length", [UInt8](repeating: 255, count: 8) + [123, 125]),
    ("a huge length", [0, 225, 245, 6, 0, 0, 0, 0] + [123, 125]),
    ("not an object", safetensors("[]")),
    ("no JSON", safetensors("{hello}")),
    ("no UTF-8", safetensorsBytes(Array(#"{"a"#.utf8) + [255] + Array(#"":1}"#.utf8))),
    ("text after the header", safetensors("{} x")),
    ("deep nesting", safetensors(#"{"a":"# + String(repeating: "[", count: 100_000))),
    ("a duplicate key", safetensors(entry("[1]", 0, 1) + "," + entry("[1]", 1, 2), [1, 2])),
    ("an unknown dtype", safetensors(entry("[1]", 0, 1, dtype: "Q8"), [1])),
    ("a negative size", safetensors(entry("[-1]", 0, 1), [1])),
    ("a fractional size", safetensors(entry("[1.5]", 0, 1), [1])),
    ("two negative sizes", safetensors(entry("[-1,-1]", 0, 1), [1])),
    ("an overflowing size", safetensors(entry("[4294967296,4294967296,4294967296]", 0, 1), [1])),
    ("a size beyond Int", safetensors(entry("[99999999999999999999]", 0, 1), [1])),
    ("an end beyond the file", safetensors(entry("[2]", 0, 2), [1])),
    ("offsets beyond Int", safetensors(entry("[1]", Int.max - 1, Int.max), [1])),
    ("a negative begin", safetensors(entry("[2]", -1, 1), [1])),
    ("begin after end", safetensors(entry("[0]", 1, 0), [1])),
    ("too few bytes", safetensors(entry("[1]", 0, 1, dtype: "F32"), [1])),
    ("half a byte", safetensors(entry("[1]", 0, 1, dtype: "F4"), [1])),
    (
      "an overlap",
      safetensors(entry("[2]", 0, 2) + "," + entry("[2]", 1, 3, name: "b"), [1, 2, 3])
    ),
    ("a hole", safetensors(entry("[1]", 0, 1) + "," + entry("[1]", 2, 3, name: "b"), [1, 2, 3])),
    ("bytes before the first tensor", safetensors(entry("[1]", 1, 2), [1, 2])),
    ("bytes after the last tensor", safetensors(entry("[1]", 0, 1), [1, 2])),
    ("metadata of numbers", safetensors(#"{"__metadata__":{"a":1}}"#)),
    ("a tensor that is a number", safetensors(#"{"a":1}"#)),
    ("missing offsets", safetensors(#"{"a":{"dtype":"U8","shape":[1]}}"#, [1])),
    (
      "three offsets", safetensors(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}"#, [1])
    ),
  ]

  @Test(arguments: hostile) func `refuses a damaged file`(fault: String, bytes: [UInt8]) throws {
    let folder = try temporaryFolder()
    let path = folder.file("bad.safetensors")
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let error = try #require(throws: CheckpointError.self, "\(fault)") {
      try SafetensorsFile(path: path)
    }
    guard case .damaged = error else {
      Issue.record("\(fault): \(error)")
      return
    }
    #expect(error.description.contains(path) && error.description.contains("expected"))
  }

  @Test func `every truncation of a sound file is refused`() throws {
    let folder = try temporaryFolder()
    let path = folder.file("cut.safetensors")
    let whole = safetensors(
      entry("[2]", 0, 2) + "," + entry("[1]", 2, 6, name: "b", dtype: "F32"), [1, 2, 3, 4, 5, 6])
    for length in 0..<whole.count {
      try Data(whole.prefix(length)).write(to: URL(fileURLWithPath: path))
      #expect(throws: CheckpointError.self) { try SafetensorsFile(path: path) }
    }
    try Data(whole).write(to: URL(fileURLWithPath: path))
    #expect(try SafetensorsFile(path: path).names == ["a", "b"])
  }

  @Test func `a missing file and a missing tensor are named`() throws {
    #expect(
      throws: CheckpointError.file(FileError(path: "/nowhere/x", operation: "open", code: ENOENT))
    ) {
      try SafetensorsFile(path: "/nowhere/x")
    }
    let file = try Fixtures.tensors("image_transforms.safetensors")
    let error = #expect(throws: CheckpointError.self) { try file.tensor("wide.train_transform_u9") }
    #expect(error?.description.contains("wide.train_transform_u8") == true)
  }
}

/// A header entry of one tensor without the braces around the header; the first one opens the
/// header.
private func entry(
  _ shape: String, _ begin: Int, _ end: Int, name: String = "a", dtype: String = "U8"
) -> String {
  #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":[\#(begin),\#(end)]}"#
}

private func safetensors(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
  let whole = header.hasPrefix("\"") ? "{" + header + "}" : header
  return safetensorsBytes(Array(whole.utf8), data)
}

private func safetensorsBytes(_ header: [UInt8], _ data: [UInt8] = []) -> [UInt8] {
  withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header + data
}
