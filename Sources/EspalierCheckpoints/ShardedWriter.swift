import EspalierTensors

/// Writes a component's weights as one file, or as several with an index, under the names that
/// Diffusers and Transformers give them.
///
/// Source: huggingface_hub `serialization/_base.py`, `split_state_dict_into_shards_factory`;
/// Diffusers `utils/hub_utils.py` and `models/modeling_utils.py`, `_add_variant`.
public struct ShardedWriter {
  /// A file and its tensors.
  private struct Shard {
    var tensors: [StreamedTensor] = []
    var byteCount = 0
  }

  private let baseName: String
  private let variant: String?
  private let shards: [Shard]

  /// Deals the tensors out, in order, to as many files as needed.
  ///
  /// - Parameters:
  ///   - baseName: `diffusion_pytorch_model` or `model`.
  ///   - variant: `fp16` for `model.fp16.safetensors`.
  ///   - maxShardSize: Most bytes of tensors in a file; one that is larger has a file of its own.
  public init(
    _ tensors: [StreamedTensor], baseName: String, variant: String? = nil, maxShardSize: Int
  ) {
    var shards = [Shard()]
    for tensor in tensors {
      let last = shards.count - 1
      if shards[last].byteCount > 0 && shards[last].byteCount + tensor.byteCount > maxShardSize {
        shards.append(Shard())
      }
      shards[shards.count - 1].tensors.append(tensor)
      shards[shards.count - 1].byteCount += tensor.byteCount
    }
    self.baseName = baseName
    self.variant = variant
    self.shards = shards
  }

  /// The names of the files with weights.
  public var fileNames: [String] {
    let stem = variant.map { baseName + "." + $0 } ?? baseName
    if shards.count == 1 { return [stem + ".safetensors"] }
    return shards.indices.map {
      "\(stem)-\(Self.digits($0 + 1))-of-\(Self.digits(shards.count)).safetensors"
    }
  }

  /// The name of the index; nil if one file holds everything.
  public var indexName: String? {
    shards.count == 1
      ? nil : "\(baseName).safetensors.index" + (variant.map { "." + $0 } ?? "") + ".json"
  }

  /// Writes the files into a folder, the index last.
  ///
  /// - Throws: `FileError`, and what the tensors throw.
  public func write(to folder: String) throws {
    var map: [String: JSONValue] = [:]
    for (name, shard) in zip(fileNames, shards) {
      try SafetensorsWriter.write(streamed: shard.tensors, to: folder + "/" + name)
      for tensor in shard.tensors { map[tensor.name] = .string(name) }
    }
    guard let indexName else { return }
    let total = shards.reduce(0) { $0 + $1.byteCount }
    let index = JSONValue.object([
      "metadata": .object(["total_size": .number(total)]), "weight_map": .object(map),
    ])
    try index.write(to: folder + "/" + indexName)
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(5 - text.count, 0)) + text
  }
}
