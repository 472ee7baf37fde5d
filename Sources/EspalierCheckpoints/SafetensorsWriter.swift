public import EspalierTensors

/// Writes safetensors files, byte for byte as the reference implementation lays them out.
public enum SafetensorsWriter {
  /// What Diffusers and Transformers look for before they read a file.
  public static let defaultMetadata = ["format": "pt"]

  /// Writes the tensors through a temporary file that then takes the name; one tensor at a time.
  ///
  /// Wider element types come first, so that every tensor is aligned; within a type the names are
  /// sorted.
  ///
  /// - Precondition: the names differ and none is `__metadata__`.
  /// - Throws: `FileError` if the system refuses; `path` is then untouched.
  public static func write(
    _ tensors: [(name: String, tensor: HostTensor)],
    metadata: [String: String] = defaultMetadata, to path: String
  ) throws {
    try write(
      streamed: tensors.map { StreamedTensor(name: $0.name, $0.tensor) }, metadata: metadata,
      to: path)
  }

  /// Writes tensors whose bytes are made while they are written; else as the other `write`.
  ///
  /// - Throws: `FileError`, and what the tensors throw; `path` is then untouched.
  public static func write(
    streamed tensors: [StreamedTensor], metadata: [String: String] = defaultMetadata,
    to path: String
  ) throws {
    let names = Set(tensors.map(\.name))
    precondition(
      names.count == tensors.count && !names.contains("__metadata__"), "names of tensors collide")
    let ordered = tensors.sorted {
      (rank($0.dtype), $0.name) < (rank($1.dtype), $1.name)
    }
    let header = header(of: ordered, metadata: metadata)
    try AtomicFile.write(to: path) { write in
      try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try write($0) }
      try header.withUnsafeBytes { try write($0) }
      for tensor in ordered {
        var count = 0
        try tensor.produce { chunk in
          count += chunk.count
          try write(chunk)
        }
        precondition(count == tensor.byteCount, "\(tensor.name): \(count) bytes were made")
      }
    }
  }

  /// The JSON text, padded with spaces to a multiple of 8 bytes.
  private static func header(
    of tensors: [StreamedTensor], metadata: [String: String]
  ) -> [UInt8] {
    var members: [JSONMember] = []
    if !metadata.isEmpty {
      let strings = metadata.sorted { $0.key < $1.key }.map {
        JSONMember(key: $0.key, value: .string($0.value))
      }
      members.append(JSONMember(key: "__metadata__", value: .object(strings)))
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.byteCount
      let entry: [JSONMember] = [
        JSONMember(key: "dtype", value: .string(tensor.dtype.rawValue)),
        JSONMember(key: "shape", value: .array(tensor.shape.dims.map { .number($0) })),
        JSONMember(key: "data_offsets", value: .array([.number(offset), .number(end)])),
      ]
      members.append(JSONMember(key: tensor.name, value: .object(entry)))
      offset = end
    }
    var text = Array(JSONWriter.compact(.object(members)).utf8)
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    return text
  }

  /// The reference implementation's order of types.
  private static func rank(_ dtype: DType) -> Int {
    switch dtype {
    case .int64: 0
    case .float64: 1
    case .float32: 2
    case .int32: 3
    case .bfloat16: 4
    case .float16: 5
    case .uint8: 6
    }
  }
}
