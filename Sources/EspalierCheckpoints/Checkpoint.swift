public import EspalierTensors

/// The weights of one component (UNet, VAE, text encoder, adapter): one safetensors file or several
/// with an index.
public struct Checkpoint: Sendable {
  /// The file, or the index of several files; for messages.
  public let path: String
  /// The safetensors files, sorted.
  public let files: [String]
  /// All tensors by name.
  public let entries: [String: TensorEntry]
  private let owners: [String: SafetensorsFile]

  /// Opens a single file.
  ///
  /// - Throws: `CheckpointError` as `SafetensorsFile` does.
  public init(file path: String) throws(CheckpointError) {
    let file = try SafetensorsFile(path: path)
    self.path = path
    files = [path]
    entries = file.entries
    owners = file.entries.mapValues { _ in file }
  }

  /// Opens the weights in a component's folder.
  ///
  /// For every base name `NAME` it looks for `NAME.safetensors` and `NAME.safetensors.index.json`;
  /// with a variant (`fp16`) for `NAME.fp16.safetensors` and `NAME.safetensors.index.fp16.json`.
  ///
  /// - Throws: `CheckpointError.noWeights`, `.brokenIndex`, and what `SafetensorsFile` throws.
  public init(
    folder: String, baseNames: [String] = ["diffusion_pytorch_model", "model"],
    variant: String? = nil
  ) throws(CheckpointError) {
    let search = try CheckpointSearch(folder: folder, baseNames: baseNames, variant: variant)
    switch search.result {
    case .file(let path): try self.init(file: path)
    case .index(let path): try self.init(index: path, folder: folder)
    }
  }

  private init(index path: String, folder: String) throws(CheckpointError) {
    let map = try JSONObject(contentsOf: path).members("weight_map")
    var opened: [String: SafetensorsFile] = [:]
    var entries: [String: TensorEntry] = [:]
    var owners: [String: SafetensorsFile] = [:]
    for member in map {
      guard let shard = member.value.string, !shard.isEmpty, !shard.contains("/") else {
        throw .brokenIndex(
          path: path, tensor: member.key, expected: "the name of a file in the same folder",
          found: member.value.kind)
      }
      let file: SafetensorsFile
      if let known = opened[shard] {
        file = known
      } else {
        file = try Self.open(shard: shard, in: folder, index: path, tensor: member.key)
        opened[shard] = file
      }
      guard let entry = file.entries[member.key] else {
        throw .brokenIndex(
          path: path, tensor: member.key, expected: "the tensor in \(shard)",
          found: "\(file.names.count) other tensors there")
      }
      entries[member.key] = entry
      owners[member.key] = file
    }
    self.path = path
    files = opened.values.map(\.path).sorted()
    self.entries = entries
    self.owners = owners
  }

  private static func open(
    shard: String, in folder: String, index: String, tensor: String
  ) throws(CheckpointError) -> SafetensorsFile {
    do {
      return try SafetensorsFile(path: folder + "/" + shard)
    } catch .file(let error) where error.operation == "open" {
      throw .brokenIndex(
        path: index, tensor: tensor, expected: "the file \(shard) beside the index",
        found: error.description)
    }
  }

  /// The file that holds the tensor; nil if none does.
  public func file(of name: String) -> String? { owners[name]?.path }

  /// The tensor as a view into its file.
  ///
  /// - Throws: `CheckpointError.missingTensor`, `.unsupportedDType`.
  public func tensor(_ name: String) throws(CheckpointError) -> HostTensor {
    guard let file = owners[name] else {
      throw .missingTensor(
        path: path, tensor: name, near: NearestNames.of(name, among: entries.keys))
    }
    return try file.tensor(name)
  }

  /// The same weights under other names.
  public func view(_ map: KeyMap = KeyMap()) -> CheckpointView {
    CheckpointView(checkpoint: self, map: map)
  }
}
