import EspalierCheckpoints
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("SafetensorsWriter") struct SafetensorsWriterTests {
  @Test func `writes byte for byte what the reference implementation writes`() throws {
    let source = Fixtures.path("adapter_xl/diffusion_pytorch_model.safetensors")
    let file = try SafetensorsFile(path: source)
    let folder = try temporaryFolder()
    let copy = folder.file("copy.safetensors")
    let tensors = try file.names.reversed().map { (name: $0, tensor: try file.tensor($0)) }
    try SafetensorsWriter.write(tensors, metadata: file.metadata, to: copy)
    #expect(FileManager.default.contentsEqual(atPath: source, andPath: copy))
    #expect(try folder.contents() == ["copy.safetensors"])
  }

  @Test func `types of every width come back aligned and unchanged`() throws {
    let folder = try temporaryFolder()
    let path = folder.file("mixed.safetensors")
    let values = HostTensor([1.5, -2, 3] as [Float], shape: [3])
    let bytes = HostTensor(dtype: .uint8, shape: [3])
    bytes.withUnsafeMutableBytes { $0.copyBytes(from: [7, 8, 9]) }
    try SafetensorsWriter.write(
      [
        ("a.byte", bytes), ("b.half", values.converted(to: .float16)), ("c.full", values),
        ("d.brain", values.converted(to: .bfloat16)), ("e.empty", HostTensor(shape: [2, 0])),
        ("f.é\n\"", HostTensor([Int32(5)], shape: [])),
      ], metadata: ["format": "pt", "schritt": "größer \u{1F600}"], to: path)
    let file = try SafetensorsFile(path: path)
    #expect(file.metadata == ["format": "pt", "schritt": "größer \u{1F600}"])
    #expect(file.names == ["c.full", "e.empty", "f.é\n\"", "d.brain", "b.half", "a.byte"])
    for name in ["b.half", "c.full", "d.brain"] {
      let tensor = try file.tensor(name)
      #expect(tensor.isMapped && tensor.floats() == [1.5, -2, 3])
    }
    #expect(try file.tensor("a.byte").integers() == [7, 8, 9])
    #expect(try file.tensor("f.é\n\"").integers() == [5])
    #expect(try file.tensor("e.empty").shape == [2, 0])
  }

  @Test func `without tensors and metadata the file is still sound`() throws {
    let folder = try temporaryFolder()
    let path = folder.file("empty.safetensors")
    try SafetensorsWriter.write([], metadata: [:], to: path)
    #expect(try SafetensorsFile(path: path).names.isEmpty)
  }

  @Test func `a write that fails leaves the old file`() throws {
    let tensor = HostTensor([Float(1)], shape: [1])
    #expect(throws: FileError.self) {
      try SafetensorsWriter.write([("a", tensor)], to: "/nowhere/a.safetensors")
    }
  }
}
